"""What goes into a learner's record (CLR 2.0), in how many parts, and how its badges stand on each other."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

import orjson

from libs.common.contracts import IssuerPublished
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.clr import MOST_BADGES, MOST_BYTES, Association, LearnerRecord, PartBefore
from libs.common.credentials.identifiers import hashed_subject, recipient_salt, subject_id
from libs.common.credentials.model import StatusEntry
from services.awarding.model import RecordAsked, RecordBadge, RecordWish
from services.awarding.rules.badge import Deployment, profile_of


@dataclass(frozen=True)
class RecordPlan:
    """All that a record says but its bytes: the badges of each part, and those that the learner holds of its issuer."""

    asked: RecordAsked
    issuer: IssuerPublished
    parts: tuple[tuple[RecordBadge, ...], ...]
    associations: tuple[tuple[RecordBadge, RecordBadge], ...]
    is_partial: bool
    shown_name: str | None = None


def choose_badges(held: Sequence[RecordBadge], wish: RecordWish) -> list[RecordBadge]:
    """The badges that belong into the record, of those that the learner holds.

    All of the issuer; or the root first, and after it, through all levels, those that it stands on, whoever issued
    them. What does not hold is left out, and so is what only that stood on. Empty where the root does not hold.
    """
    if wish.root_id is None:
        return [badge for badge in held if badge.issuer_id == wish.issuer_id]
    known = {badge.badge_id: badge for badge in held}
    found: set[UUID] = set()
    waiting = [wish.root_id]
    while waiting:
        badge = known.get(waiting.pop())
        if badge is not None and badge.badge_id not in found:
            found.add(badge.badge_id)
            waiting += badge.stands_on
    chosen = [badge for badge in held if badge.badge_id in found]
    return sorted(chosen, key=lambda badge: badge.badge_id != wish.root_id)


def plan_record(
    asked: RecordAsked,
    issuer: IssuerPublished,
    held: Sequence[RecordBadge],
    chosen: Sequence[RecordBadge],
    shown_name: str | None,
) -> RecordPlan:
    """How the `chosen` badges of those `held` become a record."""
    names = {badge.badge_id: badge for badge in chosen}
    stands = tuple((badge, names[below]) for badge in chosen for below in badge.stands_on if below in names)
    parts = tuple(_split(chosen))
    rest = any(badge.issuer_id == issuer.issuer_id and badge.badge_id not in names for badge in held)
    return RecordPlan(asked, issuer, parts, stands, rest or len(parts) > 1, shown_name)


def _split(badges: Sequence[RecordBadge]) -> Iterator[tuple[RecordBadge, ...]]:
    """The badges in their order, in as few parts as what one record may hold allows."""
    part: list[RecordBadge] = []
    size = 0
    for badge in badges:
        if part and (len(part) == MOST_BADGES or size + badge.size > MOST_BYTES):
            yield tuple(part)
            part, size = [], 0
        part.append(badge)
        size += badge.size
    if part:
        yield tuple(part)


def part_id(asked: RecordAsked, number: int) -> UUID:
    """The id of a part, counted from 1."""
    return uuid5(asked.record_id, str(number))


def record_of(
    deployment: Deployment,
    plan: RecordPlan,
    number: int,
    credentials: Mapping[UUID, bytes],
    *,
    status: tuple[StatusEntry, ...] = (),
    before: bytes | None = None,
) -> LearnerRecord:
    """What part `number` (from 1) says; `credentials` are those of its badges and of the first of all, `status` is its
    place in the status lists, `before` are the signed bytes of the part before it."""
    addresses, pepper, asked = deployment.addresses, deployment.pepper, plan.asked
    issuer_id, own = plan.issuer.issuer_id, part_id(asked, number)
    subject = subject_id(pepper, asked.wish.learner_id, addresses.issuer_did(issuer_id))
    badges = plan.parts[number - 1]
    return LearnerRecord(
        url=addresses.record(own),
        name=_name(plan, number, credentials),
        issuer=profile_of(addresses, plan.issuer),
        subject_id=subject,
        recipient=hashed_subject(subject, recipient_salt(pepper, own)),
        valid_from=max(asked.asked_at, *(badge.valid_from for badge in badges)),
        # A record is current for as long as all that is in it.
        valid_until=min((ends for badge in badges if (ends := badge.valid_until) is not None), default=None),
        badges=tuple(credentials[badge.badge_id] for badge in badges),
        associations=associations_of(addresses, plan, badges),
        partial=plan.is_partial,
        shown_name=plan.shown_name,
        status=status,
        before=None if before is None else PartBefore(addresses.record(part_id(asked, number - 1)), _digest(before)),
    )


def _name(plan: RecordPlan, number: int, credentials: Mapping[UUID, bytes]) -> str:
    root_id = plan.asked.wish.root_id
    if root_id is None:
        name = f"Learner record, {plan.issuer.name}"
    else:
        name = f"{orjson.loads(credentials[root_id])['name']}, with the badges that it stands on"
    return name if len(plan.parts) == 1 else f"{name} (part {number} of {len(plan.parts)})"


def associations_of(addresses: Addresses, plan: RecordPlan, badges: Sequence[RecordBadge]) -> tuple[Association, ...]:
    """Which achievement stands on which, of all that has an end in this part; said both ways, since readers look for
    either (CLR 2.0, AssociationType)."""
    here = {badge.badge_id for badge in badges}
    found: list[Association] = []
    for above, below in plan.associations:
        if above.badge_id in here or below.badge_id in here:
            parent, child = _achievement(addresses, above), _achievement(addresses, below)
            found += (Association("isParentOf", parent, child), Association("isChildOf", child, parent))
    return tuple(dict.fromkeys(found))


def _achievement(addresses: Addresses, badge: RecordBadge) -> str:
    return addresses.achievement(badge.achievement_id, str(badge.version))


def _digest(content: bytes) -> str:
    """Subresource Integrity, section 3.5."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def valid_since(plan: RecordPlan, begins: datetime) -> datetime:
    """The instant of the proof: within the key's time, which `begins` then."""
    return max(begins, plan.asked.asked_at, *(badge.valid_from for part in plan.parts for badge in part))

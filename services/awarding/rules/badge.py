"""What a badge says: the values that are signed, from an award and the published achievement."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from libs.common.contracts import AchievementPublished, IssuerPublished
from libs.common.contracts.enrollment import Picture
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.identifiers import hashed_subject, recipient_salt, subject_id
from libs.common.credentials.model import AchievementTerms, Alignment, Claim, Evidence, IssuerProfile, StatusEntry
from services.awarding.model import Award, Fact, FactKind
from services.awarding.rules.results import descriptions_of, results_of
from services.awarding.rules.scores import plain

# Our kinds in the words of the standard (OB 3.0, AchievementType).
_TYPES: Final = {
    "micro-credential": "MicroCredential",
    "stack": "MicroCredential",
    "pathway": "LearningProgram",
    "milestone": "Achievement",
    "attendance": "Badge",
    "commemorative": "Award",
}


_KINDS: Final = {int(kind): kind.name.lower() for kind in FactKind}


@dataclass(frozen=True)
class Deployment:
    """What is the same for all badges of a deployment: public addresses, and the secret under ids and salts."""

    addresses: Addresses
    pepper: bytes


def profile_of(addresses: Addresses, issuer: IssuerPublished) -> IssuerProfile:
    """The issuer as its badges name it."""
    return IssuerProfile(
        id=addresses.issuer_did(issuer.issuer_id),
        name=issuer.name,
        url=str(issuer.url),
        open_badge_2_url=addresses.issuer_open_badge_2(issuer.issuer_id),
        email=issuer.email,
        description=issuer.description,
        image=_address_of(addresses, issuer.picture),
        image_caption=None if issuer.picture is None else issuer.picture.caption,
    )


def terms_of(addresses: Addresses, published: AchievementPublished) -> AchievementTerms:
    """What all badges of one published version say."""
    name, version = published.achievement_id, str(published.version)
    return AchievementTerms(
        id=addresses.achievement(name, version),
        name=published.name,
        description=published.description,
        type=_TYPES[published.kind],
        criteria_narrative=published.criteria,
        criteria_url=addresses.achievement(name, version),
        # Without a picture, the art that verification draws.
        image=_address_of(addresses, published.picture) or addresses.achievement_image(name, version),
        image_caption=None if published.picture is None else published.picture.caption,
        badge_class_url=addresses.badge_class(name, version),
        version=version,
        language=published.language,
        tags=published.tags,
        alignments=tuple(
            Alignment(name=entry.name, url=str(entry.url), framework=entry.framework, code=entry.code)
            for entry in published.alignments
        ),
        credits_available=None if published.credits is None else float(published.credits),
        results=descriptions_of(addresses.achievement(name, version), published),
    )


def _address_of(addresses: Addresses, picture: Picture | None) -> str | None:
    return None if picture is None else addresses.picture(picture.digest, picture.media_type)


def claim_of(
    deployment: Deployment,
    award: Award,
    published: AchievementPublished,
    shown_name: str | None = None,
    status: tuple[StatusEntry, ...] = (),
) -> Claim:
    """What one badge says. Nothing of it depends on who or what made it, or when: a replay says the same.

    The recipient is a pseudonym that only this issuer uses (B7): the learner's e-mail address is not kept here, and
    a later change of it must not change what was signed. `shown_name` is the learner's, by their choice (M1.3).
    `status` is the badge's place in the issuer's status lists.
    """
    addresses, pepper = deployment.addresses, deployment.pepper
    subject = subject_id(pepper, award.learner_id, addresses.issuer_did(published.issuer_id))
    return Claim(
        badge_url=addresses.badge(award.badge_id),
        assertion_url=addresses.assertion(award.badge_id),
        subject_id=subject,
        recipient=hashed_subject(subject, recipient_salt(pepper, award.badge_id)),
        valid_from=award.valid_from,
        shown_name=shown_name,
        valid_until=award.valid_until,
        # OB 3.0, refreshService: a later version may follow, which the same learner may have earned by then (B5).
        refresh_url=addresses.badge_refresh(award.badge_id) if published.on_new_version == "upgrade" else None,
        evidence=(_evidence(award),),
        results=results_of(addresses.achievement(award.achievement_id, str(award.version)), published, award.facts),
        credits_earned=None if published.credits is None else float(published.credits),
        status=status,
    )


def _evidence(award: Award) -> Evidence:
    """That there is evidence, and a digest that fixes it; not which of several routes was taken (M2.2, M4.6)."""
    checked = (
        "The criteria were checked against the learner's recorded activities, results and badges. "
        if award.act is None
        else "A person authorised by the issuer found the criteria met, on evidence that they named. "
    )
    return Evidence(
        name="Record of achievement",
        description=(f"{checked}The issuer keeps that record; its digest is sha256:{evidence_digest(award)}."),
        genre="Record",
    )


def evidence_digest(award: Award) -> str:
    """SHA-256, in hex, of the canonical JSON of what an award stands on.

    Canonical: keys sorted, no spaces, instants in UTC with a `Z`, numbers as plain decimal text.
    """
    options = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z
    return hashlib.sha256(orjson.dumps(evidence_record(award), option=options)).hexdigest()


def evidence_record(award: Award) -> dict[str, Any]:
    """What an award stands on: events and badges, each in order of time."""
    record: dict[str, Any] = {
        "events": [_event_record(fact) for fact in award.facts],
        "badges": [str(badge.badge_id) for badge in award.badges],
    }
    if award.act is not None:
        act = award.act
        record["act"] = {"id": str(act.act_id), "by": act.actor, "reason": act.reason, "evidence": act.evidence}
    return record


def _event_record(fact: Fact) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": str(fact.event_id),
        "kind": _KINDS[fact.kind],
        "object": fact.object_id,
        "occurred_at": fact.occurred_at.astimezone(UTC),
        "points": plain(fact.points),
        "out_of": plain(fact.out_of),
    }
    if fact.kind == FactKind.IMPORTED:  # the badge of another issuer, as it was brought
        record["digest"] = fact.digest
    return record


def milliseconds(instant: datetime) -> str:
    """An aware instant as RFC 3339 text in UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""What an authorised person may do to badges by hand, and what follows (M1.37). Refusals are values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote
from uuid import UUID

from libs.common.credentials.identifiers import badge_id
from services.awarding.model import Act, Award, BadgeState, ByHand, Kept, Refused, Trigger
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.slots import cycles_of, ends_at

_LINK = re.compile(r"(?<![A-Za-z0-9+.-])https?://[!-~]+")
_LONGEST_LINK, _MOST_LINKS, _LONGEST_ACTOR = 500, 20, 300

HOLDS, SUSPENDED, REVOKED = BadgeState.HOLDS, BadgeState.SUSPENDED, BadgeState.REVOKED


def decide_act(catalogue: Catalogue, act: Act, badges: Sequence[Kept], namespace: UUID) -> Award | ByHand | Refused:
    """What an act comes to. `badges` are all of the learner's; ids are derived under the secret `namespace`."""
    if act.kind == "award":
        return _award(catalogue, act, badges, namespace)
    found = next((kept for kept in badges if kept.held.badge_id == act.badge_id), None)
    if found is None:
        return Refused("expected a badge of this learner, found none")
    if found.held.state is REVOKED:
        return Refused("expected a badge that is not revoked: revocation is for good")
    if act.kind == "suspend" and found.by_hand is SUSPENDED:
        return Refused("expected a badge that nobody suspended")
    if act.kind == "reinstate" and found.by_hand is not SUSPENDED:
        return Refused("expected a badge that a person suspended; what facts suspend, facts reinstate")
    return ByHand(found, {"revoke": REVOKED, "suspend": SUSPENDED, "reinstate": HOLDS}[act.kind])


def links_in(evidence: str) -> tuple[str, ...]:
    """The web addresses in the evidence of an act, each once, in order: what may be told of it. An address with an `@`
    may name a person, and one that is too long or holds other than ASCII is no link of a contract: left out."""
    found = (match.rstrip(".,;:!?)]}>'\"") for match in _LINK.findall(evidence))
    fit = (link for link in found if len(link) <= _LONGEST_LINK and "@" not in unquote(link))
    return tuple(dict.fromkeys(fit))[:_MOST_LINKS]


def actor_told(actor: str) -> str | None:
    """Who acted, as it may be told: the subject id of their token, unless it is an e-mail address or too long."""
    return actor if "@" not in actor and 0 < len(actor) <= _LONGEST_ACTOR and "\0" not in actor else None


def _award(catalogue: Catalogue, act: Act, badges: Sequence[Kept], namespace: UUID) -> Award | Refused:
    """The newest version, valid since it was asked for: as the next cycle where there was a badge before, or where one
    may be renewed by now."""
    achievement = catalogue.achievements.get(act.achievement_id)
    if achievement is None or achievement.published.issuer_id not in catalogue.issuers:
        return Refused("expected a published achievement of a published issuer")
    given = [kept.held for kept in badges if kept.held.achievement_id == act.achievement_id]
    in_the_way = [held for held in given if held.state is not REVOKED and not held.is_over]
    cycles = cycles_of(catalogue.lineages[act.achievement_id], given)
    before = None
    if in_the_way:
        last = cycles[-1]
        if (
            last.badges
            or last.since is None
            or act.asked_at < last.since
            or not all(held.stands for held in in_the_way)
        ):
            return Refused("expected a learner without this badge: it is held, or suspended and may be reinstated")
        before = last.before
    cycle = max((held.cycle + 1 for held in given), default=0)
    version = achievement.version
    derived = badge_id(namespace, act.learner_id, act.achievement_id, str(version), cycle)
    trigger = Trigger(act.act_id, 0, act.traceparent)
    ends = ends_at(achievement, act.asked_at, before)
    return Award(derived, act.learner_id, act.achievement_id, version, cycle, act.asked_at, (), (), trigger, act, ends)

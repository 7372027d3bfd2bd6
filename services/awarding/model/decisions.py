"""What follows from people's acts, and what became of a badge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.awarding.model.badges import BadgeState, Kept


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person decided about a badge, whatever the facts say; `HOLDS` takes an earlier decision back."""

    kept: Kept
    state: BadgeState


@dataclass(frozen=True, slots=True)
class Refused:
    """An act cannot be carried out: what was expected, what was found."""

    why: str


@dataclass(frozen=True, slots=True)
class BadgeNow:
    """A badge as it is now."""

    badge_id: UUID
    learner_id: str
    achievement_id: str
    version: int
    cycle: int
    valid_from: datetime
    valid_until: datetime | None
    state: BadgeState
    by_hand: BadgeState
    awarded_at: datetime
    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class PastChange:
    """One change of a badge after its issue, as it was told, and its cause."""

    state: BadgeState
    reason: str
    event_id: UUID
    cause_id: UUID
    told_at: datetime
    changed_at: datetime

"""Facts, badges and how they came to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from services.awarding.model.acts import Act


class FactKind(IntEnum):
    """What a fact says about its object; the numbers are those in the database."""

    ACTIVITY = 1
    ASSESSMENT = 2
    EVIDENCE = 3
    IMPORTED = 4


class BadgeState(IntEnum):
    """Whether an issued badge holds; the numbers are those in the database, and the worst of several counts."""

    HOLDS = 0
    SUSPENDED = 1
    REVOKED = 2


# What a fact is about and a requirement mentions: a kind (as its number) and the object's id.
About = tuple[int, str]


class Fact(NamedTuple):
    """Something that a learner did, as one event told it. A tuple, because thousands are made in each batch.

    `arrived` is its place in the order of arrival; `points` out of `out_of` is the score of an assessment, both
    counted from the minimum of the scale and exactly as sent; `traceparent` is that of the event; `digest` fixes
    evidence or an imported badge.
    """

    learner_id: str
    kind: int
    object_id: str
    event_id: UUID
    arrived: int
    occurred_at: datetime
    points: Decimal | None = None
    out_of: Decimal | None = None
    traceparent: str | None = None
    digest: str | None = None

    @property
    def about(self) -> About:
        """What it is about, as requirements mention it."""
        return self.kind, self.object_id


@dataclass(frozen=True, slots=True)
class Trigger:
    """The event whose arrival completed a requirement; `arrived` as in `Fact`."""

    event_id: UUID
    arrived: int
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A badge that a learner was given. `credits` is what it adds to a `credits` requirement (None: nothing).

    Only one that `holds` counts. Where it `is_over`, the achievement may be earned again, as the next cycle. It
    `is_expired` once it was told that its time, up to and including `valid_until`, has run out. Where a person
    suspended or revoked it (`is_barred`), facts earn no other one.
    """

    learner_id: str
    achievement_id: str
    version: int
    badge_id: UUID
    valid_from: datetime
    credits: Decimal | None
    trigger: Trigger
    cycle: int = 0
    state: BadgeState = BadgeState.HOLDS
    is_over: bool = False
    valid_until: datetime | None = None
    is_expired: bool = False
    is_barred: bool = False

    @property
    def stands(self) -> bool:
        """Whether it counted for what requires it as long as its time lasted."""
        return self.state is BadgeState.HOLDS

    @property
    def holds(self) -> bool:
        """Whether it counts for what requires it."""
        return self.state is BadgeState.HOLDS and not self.is_expired


@dataclass(frozen=True, slots=True)
class Kept:
    """A badge with all that its state depends on: what it was awarded for, and what a person decided (`by_hand`).

    Facts decide about it where it `is_grounded`. `told_at` is the time of the last change that was told.
    """

    held: Held
    by_hand: BadgeState
    is_grounded: bool
    events: frozenset[UUID]
    badges: frozenset[UUID]
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an issued badge: its new state, whether another cycle may follow, and the reason in words."""

    kept: Kept
    state: BadgeState
    is_over: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why badges are looked at: the event or act, when it happened, and its trace.

    Of a person's act, `badge_id` is the badge that it is about, and `reason` what is told of that one.
    """

    cause_id: UUID
    at: datetime
    traceparent: str | None
    badge_id: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ToldChange:
    """A change as it is kept and told: the told event's id, and the time it is told with."""

    change: Change
    cause: Cause
    event_id: UUID
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Award:
    """A badge is due: its derived id, for what, since when (`valid_from`) and until when (None: for ever), by which
    events and badges, and the event that completed it."""

    badge_id: UUID
    learner_id: str
    achievement_id: str
    version: int
    cycle: int
    valid_from: datetime
    facts: tuple[Fact, ...]
    badges: tuple[Held, ...]
    trigger: Trigger
    # A person's act, where no fact is behind the award.
    act: Act | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """No badge is due, and why: `not met` or `issuer unknown`."""

    learner_id: str
    achievement_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Badge:
    """An issued badge as it is kept: the award, the bytes as they were signed, the span in which it was made.

    `credential_jwt` is the same badge as a VC-JWT, where the issuer has a key for one: told, and not kept here.
    `place` is the number of its status list and its index in there.
    """

    award: Award
    issuer_id: str
    credential: str
    open_badge_2: str
    digest: str
    traceparent: str | None
    credential_jwt: str | None = None
    place: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A badge whose time ran out at `valid_until`; it may have been `revoked` before. `traceparent` as in `Badge`."""

    badge_id: UUID
    learner_id: str
    achievement_id: str
    valid_until: datetime
    traceparent: str | None
    revoked: bool


class NewFact(NamedTuple):
    """A fact as a handler saves it: as `Fact`, without its place of arrival, with who verified evidence."""

    learner_id: str
    kind: int
    object_id: str
    event_id: UUID
    occurred_at: datetime
    points: Decimal | None = None
    out_of: Decimal | None = None
    assessor: str | None = None
    digest: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class NewVoid:
    """The fact told by the event `event_id` does not count: so says the event `voided_by`."""

    learner_id: str
    kind: int
    object_id: str
    event_id: UUID
    voided_by: UUID
    occurred_at: datetime
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """One event in a badge's trail."""

    kind: int
    object_id: str
    event_id: UUID
    occurred_at: datetime
    received_at: datetime
    points: Decimal | None
    out_of: Decimal | None
    assessor: str | None
    digest: str | None
    traceparent: str | None
    voided_by: UUID | None


@dataclass(frozen=True, slots=True)
class TrailBadge:
    """One badge that another badge stands on."""

    badge_id: UUID
    achievement_id: str
    version: int
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Trail:
    """How a badge came to be: the events and badges it stands on, its award, and whether it was told."""

    badge_id: UUID
    learner_id: str
    achievement_id: str
    version: int
    cycle: int
    issuer_id: str
    valid_from: datetime
    digest: str
    trigger_event_id: UUID
    trigger_traceparent: str | None
    traceparent: str | None
    awarded_at: datetime
    told: bool
    events: tuple[TrailEvent, ...]
    badges: tuple[TrailBadge, ...]

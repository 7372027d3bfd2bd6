"""The values that enrollment speaks about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, EmailStr, Field

from libs.common.contracts import AchievementPublished, IssuerPublished
from libs.common.contracts.contract import Identifier, Label, Part

SOURCE: Final = "/cairn/enrollment"

Status = Literal["enrolled", "withdrawn"]


class LearnerGiven(Part):
    """A learner as a caller gives them. What is left out stays as it is known."""

    learner_id: Identifier
    name: Label | None = None
    # An address is a caller's word: its form is checked, nothing is sent.
    email: Annotated[EmailStr, Field(max_length=320)] | None = None
    # Whether they want their name in badges that are awarded from now on (M1.3); no, until they say so.
    shows_name: bool | None = None


class EnrollmentGiven(Part):
    """One word on an enrolment as a caller gives it: `occurred_at` says when the learner enrolled or withdrew."""

    learner_id: Identifier
    offer_id: Identifier
    occurred_at: AwareDatetime
    status: Status = "enrolled"


@dataclass(frozen=True, slots=True)
class Learner:
    """A known learner."""

    learner_id: str
    name: str | None
    email: str | None
    registered_at: datetime
    shows_name: bool = False


@dataclass(frozen=True, slots=True)
class Enrollment:
    """One word on an enrolment, under its derived id."""

    event_id: UUID
    learner_id: str
    offer_id: str
    status: Status
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a learner stands in one offer, and since when."""

    offer_id: str
    status: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one place of a document: its JSON Pointer, what was expected and what was found."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of a batch that was not accepted: its position, the learner it names, if any, and why."""

    position: int
    learner_id: str | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: how many rows were new, how many changed nothing, and the refused ones."""

    accepted: int
    unchanged: int
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication: the content as it stands, and whether it is new."""

    content: AchievementPublished | IssuerPublished
    is_new: bool


Demand = Literal["never", "binding", "always"]


@dataclass(frozen=True, slots=True)
class RehearsalPolicy:
    """Which publications need a rehearsal (B3), for how long one is good, and how many badges may be gained and lost.

    `binding` versions are those that say `upgrade` or `re-evaluate` and change what is required; `always` means every
    version whose meaning is new, the first included.
    """

    demanded: Demand = "binding"
    valid_seconds: float = 3600
    most_gain: int = 10_000
    most_lose: int = 100


@dataclass(frozen=True, slots=True)
class Override:
    """Who has a version published though no rehearsal allows it, and why."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class PastOverride:
    """An override as it was recorded; `refusal` is what stood in the way."""

    version: int
    reason: str
    refusal: str
    overridden_by: str
    overridden_at: datetime


@dataclass(frozen=True, slots=True)
class NotPublished:
    """A publication that was refused. `status` is 409 (the version is taken, or not rehearsed) or 422 (the content is
    wrong)."""

    status: int
    title: str
    faults: tuple[Fault, ...]

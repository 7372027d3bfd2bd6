"""The values that progress speaks about: events at the door, and what a learner has done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from libs.common.contracts import (
    ActivityCompleted,
    AssessmentScored,
    CompletionRetracted,
    EvidenceVerified,
    EvidenceWithdrawn,
    ScoreVoided,
)

Kind = Literal["activity", "assessment", "evidence"]
LearningFact = (
    ActivityCompleted | CompletionRetracted | AssessmentScored | ScoreVoided | EvidenceVerified | EvidenceWithdrawn
)


@dataclass(frozen=True, slots=True)
class Form:
    """One type of learning event: its contract, of which kind its object is, and the field that names it."""

    contract: type[LearningFact]
    kind: Kind
    object_field: str


# Keyed by the CloudEvents `type`.
FORMS: Mapping[str, Form] = {
    ActivityCompleted.TYPE: Form(ActivityCompleted, "activity", "activity_id"),
    CompletionRetracted.TYPE: Form(CompletionRetracted, "activity", "activity_id"),
    AssessmentScored.TYPE: Form(AssessmentScored, "assessment", "assessment_id"),
    ScoreVoided.TYPE: Form(ScoreVoided, "assessment", "assessment_id"),
    EvidenceVerified.TYPE: Form(EvidenceVerified, "evidence", "component_id"),
    EvidenceWithdrawn.TYPE: Form(EvidenceWithdrawn, "evidence", "component_id"),
}


class LearningEvent(NamedTuple):
    """One well-formed event at the door. Not a dataclass, which takes four times as long to make.

    `event_id` is derived from `sender` (the caller, or the topic), `source` and `source_id` (CloudEvents
    `source` and `id`); `object_id` names the activity, assessment or evidence component; `body` is the JSON of
    the contract; `occurred_at` is in UTC.
    """

    event_id: UUID
    type: str
    learner_id: str
    object_id: str
    occurred_at: datetime
    sender: str
    source: str
    source_id: str
    traceparent: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What was wrong with one field: its JSON Pointer inside the event, what was expected and found."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not accepted: its position in the batch, its id if it has one, and why.

    `status` is 400 (no CloudEvent), 409 (same id, other body) or 422 (wrong type, version or field).
    """

    position: int
    id: str | None
    status: int
    title: str
    faults: tuple[FieldFault, ...]


@dataclass(frozen=True, slots=True)
class Classified:
    """What becomes of each event of a batch; the numbers are positions in it. `told` is in order of arrival.

    `parked` wait for their learner. `unmapped` counts the new events whose object no achievement mentions.
    """

    told: tuple[int, ...]
    parked: tuple[int, ...]
    duplicates: tuple[int, ...]
    conflicts: tuple[int, ...]
    unmapped: int


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event that is kept, with its place in a list: `sequence` rises in order of arrival."""

    sequence: int
    event_id: UUID
    type: str
    learner_id: str
    object_id: str
    occurred_at: datetime
    received_at: datetime
    sender: str
    source: str
    source_id: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class LearnerEvent:
    """One of a learner's events, as the summary needs it."""

    event_id: UUID
    type: str
    object_id: str
    occurred_at: datetime
    parked: bool
    fact: LearningFact


@dataclass(frozen=True, slots=True)
class Enrollment:
    """Where a learner stands in one offer, and since when."""

    offer_id: str
    status: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge of the learner, as awarding told it; `status` is issued, suspended, revoked or, where it would hold but
    for its time, expired."""

    badge_id: UUID
    achievement_id: str
    status: str
    status_at: datetime
    expired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone that the learner reached on the way to an achievement; `name` are its words."""

    achievement_id: str
    version: int
    step_id: str
    name: str
    reached_at: datetime

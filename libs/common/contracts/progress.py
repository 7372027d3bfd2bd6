"""What progress tells: what learners did and how it was judged. `ce_time` says when; the key is the learner id."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from libs.common.contracts.contract import Contract, Identifier, Label, ObjectIdentifier, Part
from libs.common.contracts.topics import ACTIVITY_COMPLETED, ASSESSMENT_SCORED

Number = Annotated[Decimal, Field(max_digits=20, allow_inf_nan=False)]


def _given(*fields: str) -> dict[str, Any]:
    """JSON Schema: these fields are there, and none of them is null."""
    return {"required": list(fields), "properties": {field: {"not": {"type": "null"}} for field in fields}}


class Score(Part):
    """A score as it was given: `scaled` (1 is full marks; more is extra credit), or `raw` out of `max`.

    Nothing is divided or rounded here, so that a threshold is compared with exactly what was sent.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": [_given("scaled"), _given("raw", "max")]})

    scaled: Number | None = None
    raw: Number | None = None
    min: Number = Decimal(0)
    max: Number | None = None

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if self.scaled is not None:
            return self
        if self.raw is None or self.max is None:
            raise ValueError("expected `scaled`, or `raw` with `max`")
        if self.max <= self.min:
            raise ValueError("expected `max` above `min`")
        return self


class ActivityCompleted(Contract):
    """A learner completed an activity."""

    TYPE: ClassVar[str] = "cairn.activity-completed.v1"
    TOPIC: ClassVar[str] = ACTIVITY_COMPLETED

    learner_id: Identifier
    activity_id: ObjectIdentifier


class CompletionRetracted(Contract):
    """The completion told by the event `supersedes` did not happen."""

    TYPE: ClassVar[str] = "cairn.completion-retracted.v1"
    TOPIC: ClassVar[str] = ACTIVITY_COMPLETED

    learner_id: Identifier
    activity_id: ObjectIdentifier
    supersedes: UUID


class AssessmentScored(Contract):
    """A learner's attempt at an assessment was scored."""

    TYPE: ClassVar[str] = "cairn.assessment-scored.v1"
    TOPIC: ClassVar[str] = ASSESSMENT_SCORED

    learner_id: Identifier
    assessment_id: ObjectIdentifier
    score: Score


class ScoreVoided(Contract):
    """The score told by the event `supersedes` does not count any more."""

    TYPE: ClassVar[str] = "cairn.score-voided.v1"
    TOPIC: ClassVar[str] = ASSESSMENT_SCORED

    learner_id: Identifier
    assessment_id: ObjectIdentifier
    supersedes: UUID


class EvidenceVerified(Contract):
    """A named assessor or rule verified one component of a learner's evidence (M4.4, M4.6)."""

    TYPE: ClassVar[str] = "cairn.evidence-verified.v1"
    TOPIC: ClassVar[str] = ASSESSMENT_SCORED

    learner_id: Identifier
    component_id: ObjectIdentifier
    assessor: Label
    rubric_version: Label | None = None
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None


class EvidenceWithdrawn(Contract):
    """The verification told by the event `supersedes` does not count any more: the evidence was withdrawn."""

    TYPE: ClassVar[str] = "cairn.evidence-withdrawn.v1"
    TOPIC: ClassVar[str] = ASSESSMENT_SCORED

    learner_id: Identifier
    component_id: ObjectIdentifier
    supersedes: UUID

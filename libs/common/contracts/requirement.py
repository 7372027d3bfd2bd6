"""The requirement tree of an achievement, as it travels on the `catalogue` topic.

A tree is a tagged union by `kind`. Its meaning (when is it met, what is missing) belongs to awarding's rules.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from libs.common.contracts.contract import Identifier, Label, ObjectIdentifier, Part, Uri

# How much a step is accompanied (M1.21): at the learner's own pace, with questions answered, or guided throughout.
Facilitation = Literal["supervised", "lightly-facilitated", "fully-facilitated"]
Ratio = Annotated[Decimal, Field(ge=0, le=1, max_digits=12)]


class All(Part):
    """Every part must be met."""

    kind: Literal["all"] = "all"
    of: tuple[Requirement, ...] = Field(min_length=1)
    label: Label | None = None


class AnyOf(Part):
    """At least one part must be met."""

    kind: Literal["any"] = "any"
    of: tuple[Requirement, ...] = Field(min_length=1)
    label: Label | None = None


class AtLeast(Part):
    """At least `n` of the parts must be met (`n of […]`)."""

    kind: Literal["n-of"] = "n-of"
    n: int = Field(ge=1)
    of: tuple[Requirement, ...] = Field(min_length=1)
    label: Label | None = None


class ActivityRequired(Part):
    """The learner completed this activity."""

    kind: Literal["activity"] = "activity"
    activity_id: ObjectIdentifier
    label: Label | None = None


class AssessmentRequired(Part):
    """The learner scored at or above `at_least` (0 to 1), in the best or the latest attempt."""

    kind: Literal["assessment"] = "assessment"
    assessment_id: ObjectIdentifier
    at_least: Ratio
    attempt: Literal["best", "latest"] = "best"
    label: Label | None = None


class EvidenceRequired(Part):
    """A named assessor or rule verified this evidence component (M4.3, M4.4)."""

    kind: Literal["evidence"] = "evidence"
    component_id: ObjectIdentifier
    label: Label | None = None


class Accepted(Part):
    """A badge of another issuer that counts, because the achievement's owner trusts that issuer for it (B12).

    `issuer` and `achievement` are written as the badge itself writes them (`did:web:…`, `https://…`); without
    `achievement` every badge of that issuer counts. `credits` is what it adds to a `credits` requirement.
    """

    issuer: Uri
    achievement: Uri | None = None
    label: Label | None = None
    credits: Annotated[Decimal, Field(gt=0, max_digits=8)] | None = None


class BadgeRequired(Part):
    """The learner holds a badge of this achievement, or brought one that the owner accepts for it."""

    kind: Literal["badge"] = "badge"
    achievement_id: Identifier
    accepts: tuple[Accepted, ...] = ()
    label: Label | None = None


class CreditsRequired(Part):
    """The credits of the badges held out of `achievement_ids`, and of those brought that are accepted, add up to
    `at_least`."""

    kind: Literal["credits"] = "credits"
    at_least: Annotated[Decimal, Field(gt=0, max_digits=12)]
    achievement_ids: tuple[Identifier, ...] = Field(min_length=1)
    accepts: tuple[Accepted, ...] = ()
    label: Label | None = None


class Step(Part):
    """One step of a pathway (M1.7): it counts once `of` is met and all steps that it comes `after` count.

    `step_id` is unique in the whole tree. An `optional` step need not count. Reaching a `milestone` is told and kept
    (M2.5). `facilitation` is how the step is accompanied (M1.21), `facilitator` by whom (M1.23).
    """

    step_id: Identifier
    label: Label
    of: Requirement
    after: tuple[Identifier, ...] = ()
    optional: bool = False
    milestone: bool = False
    facilitation: Facilitation | None = None
    facilitator: Label | None = None


class Steps(Part):
    """A pathway: every step that is not optional must count and, where `at_least` is given, so many of all steps.

    Learners take the steps in any order that their `after` allows (M1.7). So n of m steps are optional steps with
    `at_least` n.
    """

    kind: Literal["steps"] = "steps"
    steps: tuple[Step, ...] = Field(min_length=1)
    at_least: Annotated[int, Field(ge=1)] | None = None
    label: Label | None = None


Leaf = ActivityRequired | AssessmentRequired | EvidenceRequired | BadgeRequired | CreditsRequired
Requirement = Annotated[All | AnyOf | AtLeast | Steps | Leaf, Field(discriminator="kind")]

for _branch in (All, AnyOf, AtLeast, Step, Steps):
    _branch.model_rebuild()


def parts_of(requirement: Requirement) -> tuple[tuple[str, Requirement], ...]:
    """The requirements directly inside one, each with its JSON Pointer from there; a leaf has none."""
    match requirement:
        case All(of=of) | AnyOf(of=of) | AtLeast(of=of):
            return tuple((f"/of/{place}", part) for place, part in enumerate(of))
        case Steps(steps=steps):
            return tuple((f"/steps/{place}/of", step.of) for place, step in enumerate(steps))
        case _:
            return ()

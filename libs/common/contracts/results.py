"""The results that badges of an achievement may carry, as they travel on the `catalogue` topic (OB 3.0, Result)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from libs.common.contracts.contract import Identifier, Label, ObjectIdentifier, Part, Text
from libs.common.contracts.requirement import Ratio

ResultKind = Literal["Percent", "RawScore", "RubricCriterionLevel", "LetterGrade"]
Value = Annotated[Decimal, Field(max_digits=12)]


class ResultLevel(Part):
    """A level of a rubric, or a grade: reached by a score of `at_least` (0 to 1). `points` are the rubric's own."""

    level_id: Identifier
    name: Label
    at_least: Ratio
    description: Text | None = None
    level: Label | None = None
    points: Value | None = None


class ResultDescribed(Part):
    """A result that each badge tells, from the score of the assessment that met the requirement.

    `value_min` and `value_max` are the ends of the scale of a `RawScore`; `required_value` and `required_level` (a
    `level_id`) say what the criteria ask for. A `RubricCriterionLevel` or `LetterGrade` has `levels`, low to high.
    """

    result_id: Identifier
    name: Label
    type: ResultKind
    assessment_id: ObjectIdentifier
    value_min: Value | None = None
    value_max: Value | None = None
    required_value: Value | None = None
    required_level: Identifier | None = None
    levels: tuple[ResultLevel, ...] = ()

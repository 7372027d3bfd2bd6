"""What a badge tells of the learner's results, from the scores that met its requirement (OB 3.0, Result)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Context, Decimal, Inexact

from libs.common.contracts import AchievementPublished
from libs.common.contracts.results import ResultDescribed, ResultLevel
from libs.common.credentials.model import Result, ResultDescription, RubricLevel
from services.awarding.model import Fact, FactKind
from services.awarding.rules.scores import best, is_at_least, plain

_FINEST = Decimal("0.0001")


def descriptions_of(achievement_url: str, published: AchievementPublished) -> tuple[ResultDescription, ...]:
    """The results that badges of a version may tell; their ids are fragments of the version's own."""
    return tuple(
        ResultDescription(
            id=f"{achievement_url}#{described.result_id}",
            name=described.name,
            type=described.type,
            allowed_values=tuple(level.name for level in described.levels) if described.type == "LetterGrade" else (),
            required_level=_level_id(achievement_url, described, described.required_level)
            if described.type == "RubricCriterionLevel"
            else None,
            required_value=_required(described),
            value_min=plain(described.value_min),
            value_max=plain(described.value_max),
            levels=tuple(_rubric_level(achievement_url, described, level) for level in described.levels)
            if described.type == "RubricCriterionLevel"
            else (),
        )
        for described in published.results
    )


def results_of(achievement_url: str, published: AchievementPublished, facts: Sequence[Fact]) -> tuple[Result, ...]:
    """The learner's results: of each that is described, the one of the attempt that met the requirement.

    Where another route met it, there is none: which route was taken is not told beyond that (M2.2).
    """
    found: list[Result] = []
    for described in published.results:
        attempt = best(
            fact for fact in facts if fact.kind == FactKind.ASSESSMENT and fact.object_id == described.assessment_id
        )
        result = None if attempt is None else _result(achievement_url, described, attempt)
        if result is not None:
            found.append(result)
    return tuple(found)


def _result(achievement_url: str, described: ResultDescribed, attempt: Fact) -> Result | None:
    name = f"{achievement_url}#{described.result_id}"
    if described.type == "Percent":
        return Result(description=name, value=_scaled(attempt, Decimal(0), Decimal(100)))
    if described.type == "RawScore":
        low = described.value_min or Decimal(0)
        high = attempt.out_of if described.value_max is None else described.value_max
        assert high is not None
        return Result(description=name, value=_scaled(attempt, low, high))
    reached = [level for level in described.levels if is_at_least(attempt, level.at_least)]
    if not reached:
        return None
    level = max(reached, key=lambda level: level.at_least)
    if described.type == "LetterGrade":
        return Result(description=name, value=level.name)
    return Result(description=name, achieved_level=_level_id(achievement_url, described, level.level_id))


def _scaled(attempt: Fact, low: Decimal, high: Decimal) -> str | None:
    """The score on the scale from `low` to `high`: exact where that has an end, else cut off and never rounded up."""
    assert attempt.points is not None
    assert attempt.out_of is not None
    context = Context(prec=40)
    value = low + context.divide(attempt.points * (high - low), attempt.out_of)
    return plain(value.quantize(_FINEST, rounding=ROUND_DOWN) if context.flags[Inexact] else value)


def _required(described: ResultDescribed) -> str | None:
    if described.type == "LetterGrade":
        return next((level.name for level in described.levels if level.level_id == described.required_level), None)
    return plain(described.required_value)


def _rubric_level(achievement_url: str, described: ResultDescribed, level: ResultLevel) -> RubricLevel:
    return RubricLevel(
        id=f"{achievement_url}#{described.result_id}.{level.level_id}",
        name=level.name,
        description=level.description,
        level=level.level,
        points=plain(level.points),
    )


def _level_id(achievement_url: str, described: ResultDescribed, level_id: str | None) -> str | None:
    return None if level_id is None else f"{achievement_url}#{described.result_id}.{level_id}"

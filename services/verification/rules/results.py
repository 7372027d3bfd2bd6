"""The results that a badge tells of its learner, out of its signed bytes (OB 3.0, Result)."""

from __future__ import annotations

from typing import Any

from libs.common.checking.strict import objects
from services.verification.model import ShownResult

Json = dict[str, Any]


def read_results(subject: Json, achievement: Json) -> tuple[ShownResult, ...]:
    """The results in `credentialSubject`, each with the words of the achievement's description of it.

    A result that says nothing, or that nothing describes, is left out: a bare number means nothing to anybody.
    """
    described = {str(entry.get("id")): entry for entry in objects(achievement.get("resultDescription"))}
    found = (
        _result(entry, described[name])
        for entry in objects(subject.get("result"))
        if (name := str(entry.get("resultDescription"))) in described
    )
    return tuple(one for one in found if one is not None)


def _result(entry: Json, description: Json) -> ShownResult | None:
    levels = {str(level.get("id")): level for level in objects(description.get("rubricCriterionLevel"))}
    reached = levels.get(str(entry.get("achievedLevel")), {})
    wanted = levels.get(str(description.get("requiredLevel")), {})
    name, kind = _text(description.get("name")), _text(description.get("resultType"))
    value, level, status = _text(entry.get("value")), _text(reached.get("name")), _text(entry.get("status"))
    if name is None or not (value or level or status):
        return None
    return ShownResult(
        name=name,
        kind=kind or "",
        value=value,
        level=level,
        level_description=_text(reached.get("description")),
        status=status,
        most=_text(description.get("valueMax")),
        required=_text(description.get("requiredValue")) or _text(wanted.get("name")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None

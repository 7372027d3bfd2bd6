"""Results of learners in words."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from libs.common.web.language import Language
from services.verification.model import ShownResult

_STATUSES = {
    "Completed": "Completed", "Enrolled": "Enrolled", "Failed": "Failed", "InProgress": "In progress",
    "OnHold": "On hold", "Provisional": "Provisional", "Withdrew": "Withdrew",
}  # fmt: skip


class ResultWords(NamedTuple):
    """A result to show: its name and what was reached, in the badge's words; what that means; what is asked for."""

    name: str
    reached: str
    meaning: str | None
    required: str | None


def result_words(language: Language, result: ShownResult) -> ResultWords:
    """A result in words; numbers as `language` writes them."""
    gettext = language.texts.gettext
    if result.value is not None:
        reached = _value(language, result, result.value)
        if result.kind == "RawScore" and result.most is not None:
            reached = gettext("%(value)s of %(most)s") % {"value": reached, "most": _number(language, result.most)}
    else:
        status = _STATUSES.get(result.status or "", result.status or "")
        reached = result.level or gettext(status)
    required = None if result.required is None else _value(language, result, result.required)
    return ResultWords(result.name, reached, result.level_description, required)


def _value(language: Language, result: ShownResult, value: str) -> str:
    if result.kind == "Percent":
        return language.texts.gettext("%(value)s%%") % {"value": _number(language, value)}
    return _number(language, value) if result.kind == "RawScore" else value


def _number(language: Language, text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return language.number(number) if number.is_finite() and abs(number.adjusted()) < 20 else text

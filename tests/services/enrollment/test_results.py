"""Results that a draft describes, and badges of others that it accepts: what nobody could use is refused (B12)."""

from __future__ import annotations

from typing import Any

import pytest

from services.enrollment import rules
from tests.services.enrollment.test_rules import achievement

QUIZ = {"kind": "assessment", "assessment_id": "q", "at_least": "0.4"}
PERCENT = {"result_id": "p", "name": "P", "type": "Percent", "assessment_id": "q"}
LOW, HIGH = ({"level_id": name, "name": name, "at_least": at} for name, at in (("low", "0.4"), ("high", "0.8")))
RUBRIC = PERCENT | {"result_id": "r", "type": "RubricCriterionLevel", "levels": [LOW, HIGH], "required_level": "low"}
SEA = {"issuer": "did:web:sea.example", "achievement": "https://sea.example/tides"}


def faults(requirement: dict[str, Any], **changes: Any) -> list[str]:
    """The places of what is wrong with a draft."""
    others = [achievement("b", QUIZ, credits="2")]
    return [fault.pointer for fault in rules.faults_of_tree(achievement("a", requirement, **changes), others)]


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([PERCENT, RUBRIC], []),
        ([PERCENT, PERCENT], ["/results/1/result_id"]),
        ([PERCENT | {"assessment_id": "other"}], ["/results/0/assessment_id"]),
        ([PERCENT | {"levels": [LOW]}], ["/results/0/levels"]),
        ([RUBRIC | {"levels": []}], ["/results/0/levels", "/results/0/required_level"]),
        ([RUBRIC | {"levels": [HIGH, LOW]}], ["/results/0/levels"]),
        ([RUBRIC | {"required_level": "top"}], ["/results/0/required_level"]),
        ([PERCENT | {"type": "RawScore", "value_min": "10", "value_max": "10"}], ["/results/0/value_max"]),
    ],
)
def test_a_result_that_no_badge_could_tell_is_refused(results: list[Any], expected: list[str]) -> None:
    assert faults(QUIZ, results=results) == expected


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ({"kind": "badge", "achievement_id": "b", "accepts": [SEA]}, []),
        ({"kind": "badge", "achievement_id": "b", "accepts": [SEA, SEA]}, ["/requirement/accepts/1"]),
        ({"kind": "credits", "at_least": "5", "achievement_ids": ["b"], "accepts": [SEA | {"credits": "3"}]}, []),
        (
            {"kind": "credits", "at_least": "6", "achievement_ids": ["b"], "accepts": [SEA | {"credits": "3"}]},
            ["/requirement/at_least"],
        ),
        (
            {"kind": "credits", "at_least": "2", "achievement_ids": ["b"], "accepts": [SEA]},
            ["/requirement/accepts/0/credits"],
        ),
    ],
)
def test_accepted_badges_are_checked(requirement: dict[str, Any], expected: list[str]) -> None:
    assert faults(requirement) == expected

"""Results and rubric levels in badges, and names only by choice (OB 3.0, Result; M1.3, B7)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft201909Validator

from libs.common.contracts import LearnerRegistered
from libs.common.contracts.results import ResultDescribed, ResultLevel
from libs.common.credentials.model import Result
from libs.common.telemetry import SIGNED
from services.awarding.model import Fact
from services.awarding.rules.results import results_of
from tests.libs.common.credentials.samples import PUBLISHED
from tests.services.awarding.support import (
    ISSUER,
    START,
    Service,
    achievement,
    any_of,
    at,
    completed,
    done,
    event_id,
    heard,
    passed,
    published,
    registered,
    scored,
)

URL = "https://badges.example/achievements/a/versions/1"
LEVELS = (
    ResultLevel(level_id="sound", name="Sound", at_least=Decimal("0.4"), points=Decimal(1)),
    ResultLevel(level_id="masterly", name="Masterly", at_least=Decimal("0.85"), description="Alone.", level="2"),
)


def described(kind: Any, **more: Any) -> ResultDescribed:
    """A result of the quiz."""
    return ResultDescribed(result_id="r", name="Result", type=kind, assessment_id="quiz", **more)


def told(kind: Any, points: str, out_of: str, **more: Any) -> Result | None:
    """The result that a score gives."""
    content = achievement("a", passed("quiz"), results=(described(kind, **more),))
    fact = Fact("ada", 2, "quiz", event_id("q"), 1, at(1), Decimal(points), Decimal(out_of))
    found = results_of(URL, content, [fact])
    return found[0] if found else None


@pytest.mark.parametrize(
    ("kind", "points", "out_of", "more", "value"),
    [
        ("Percent", "33", "40", {}, "82.5"),
        ("Percent", "0.123456789", "1", {}, "12.3456789"),
        ("Percent", "2", "3", {}, "66.6666"),
        ("RawScore", "33", "40", {"value_max": Decimal(40)}, "33"),
        ("RawScore", "33", "40", {}, "33"),
        ("RawScore", "0.5", "1", {"value_min": Decimal(1), "value_max": Decimal(6)}, "3.5"),
        ("LetterGrade", "0.85", "1", {"levels": LEVELS}, "Masterly"),
        ("LetterGrade", "0.8499", "1", {"levels": LEVELS}, "Sound"),
    ],
)
def test_values_are_exact_or_cut_off(kind: Any, points: str, out_of: str, more: Any, value: str) -> None:
    assert told(kind, points, out_of, **more) == Result(description=f"{URL}#r", value=value)


def test_a_rubric_level_is_reached_or_there_is_no_result() -> None:
    found = told("RubricCriterionLevel", "34", "40", levels=LEVELS)
    assert found == Result(description=f"{URL}#r", achieved_level=f"{URL}#r.masterly")
    assert told("RubricCriterionLevel", "15", "40", levels=LEVELS) is None


@pytest.fixture
async def graded(service: Service) -> Service:
    """A quiz with a percentage and a rubric, or a talk instead."""
    results = (described("Percent"), described("RubricCriterionLevel", levels=LEVELS, required_level="sound"))
    results = (results[0], results[1].model_copy(update={"result_id": "rubric"}))
    await service.hear(
        *published(ISSUER, achievement("a", any_of(passed("quiz"), done("talk")), results=results)), *registered("ben")
    )
    chosen = LearnerRegistered(learner_id="ada", name="Ada Nováková", shows_name=True, registered_at=START)
    await service.hear(heard(chosen, "ada", "chosen", START))
    return service


async def test_badges_tell_results_and_hold_before_the_published_schema(graded: Service) -> None:
    by_library = SIGNED.labels("library")._value.get()  # pyright: ignore[reportPrivateUsage]
    await graded.hear(scored("ada", "quiz", "86.25", 1), scored("ben", "quiz", "50", 2))
    assert SIGNED.labels("library")._value.get() == by_library  # pyright: ignore[reportPrivateUsage]
    badges = {issued.learner_id: json.loads(issued.credential) for issued in await graded.told()}
    subject = badges["ada"]["credentialSubject"]
    version = subject["achievement"]["id"]
    assert subject["result"] == [
        {"type": ["Result"], "resultDescription": f"{version}#r", "value": "86.25"},
        {"type": ["Result"], "resultDescription": f"{version}#rubric", "achievedLevel": f"{version}#rubric.masterly"},
    ]
    described_ids = {entry["id"]: entry for entry in subject["achievement"]["resultDescription"]}
    assert described_ids[f"{version}#rubric"]["requiredLevel"] == f"{version}#rubric.sound"
    assert badges["ben"]["credentialSubject"]["result"][1]["achievedLevel"] == f"{version}#rubric.sound"
    place = PUBLISHED / "schemas" / "ob_v3p0" / "json" / "ob_v3p0_achievementcredential_schema.json"
    if not place.exists():
        pytest.skip(f"the published schemas are not at {PUBLISHED}")
    schema = json.loads(place.read_text())
    schema.pop("$id", None)
    schema["$schema"] = "https://json-schema.org/draft/2019-09/schema"
    for badge in badges.values():
        assert [fault.message for fault in Draft201909Validator(schema).iter_errors(badge)] == []


async def test_another_route_tells_no_result(graded: Service) -> None:
    await graded.hear(completed("ben", "talk", 1))
    (issued,) = await graded.told()
    assert "result" not in json.loads(issued.credential)["credentialSubject"]


async def test_a_name_is_in_a_badge_only_by_choice(graded: Service) -> None:
    await graded.hear(completed("ben", "talk", 1), completed("ada", "talk", 1))
    badges = {issued.learner_id: json.loads(issued.credential) for issued in await graded.told()}
    (name,) = badges["ada"]["credentialSubject"]["identifier"]
    assert (name["identityType"], name["hashed"], name["identityHash"]) == ("name", False, "Ada Nováková")
    assert "identifier" not in badges["ben"]["credentialSubject"]
    # Whoever takes it back is not named in what is awarded later, and no name is kept.
    back = LearnerRegistered(learner_id="ada", name="Ada Nováková", registered_at=START)
    await graded.hear(heard(back, "ada", "back", START))
    assert await graded.database.pool.fetchval("select shown_name from learner where learner_id = 'ada'") is None

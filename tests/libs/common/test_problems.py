"""Problem documents (RFC 9457): the same members for every error, and the field that it is about."""

from __future__ import annotations

import orjson
import pytest
from pydantic import ValidationError

from libs.common.contracts import AchievementPublished, AssessmentScored
from libs.common.contracts.envelope import Refusal
from libs.common.problems import PROBLEM_JSON, Problem, field_error, pydantic_errors


def test_a_problem_has_the_members_of_the_standard() -> None:
    problem = Problem(409, "Same id, other body", "It was told at noon.", ({"pointer": "/id", "detail": "known"},))
    response = problem.response()
    assert (response.status_code, response.media_type) == (409, PROBLEM_JSON)
    assert orjson.loads(bytes(response.body)) == {
        "type": "about:blank",
        "title": "Same id, other body",
        "status": 409,
        "detail": "It was told at noon.",
        "errors": [{"pointer": "/id", "detail": "known"}],
    }
    assert Problem(404, "Not found").document() == {"type": "about:blank", "title": "Not found", "status": 404}
    assert Problem(503, "Away", headers=(("Retry-After", "2"),)).response().headers["retry-after"] == "2"


def test_a_refusal_becomes_an_entry() -> None:
    assert field_error("/events/3/time", Refusal("time", "an RFC 3339 time", "'noon'")) == {
        "pointer": "/events/3/time",
        "detail": "expected an RFC 3339 time, found 'noon'",
    }


def test_pydantic_faults_name_their_fields() -> None:
    with pytest.raises(ValidationError) as refused:
        AssessmentScored.model_validate({"learner_id": "a b", "assessment_id": "x", "score": {"raw": "many"}})
    errors = pydantic_errors(refused.value, "/data")
    assert [error["pointer"] for error in errors] == ["/data/learner_id", "/data/score/raw"]
    assert "'a b'" in errors[0]["detail"]


def test_a_fault_deep_in_a_tree_is_found() -> None:
    tree = {"kind": "all", "of": [{"kind": "n-of", "n": 1, "of": [{"kind": "badge"}]}]}
    with pytest.raises(ValidationError) as refused:
        AchievementPublished.model_validate({"requirement": tree})
    pointers = [error["pointer"] for error in pydantic_errors(refused.value)]
    assert "/requirement/all/of/0/n-of/of/0/badge/achievement_id" in pointers


def test_a_pointer_is_escaped_and_a_long_input_is_cut() -> None:
    with pytest.raises(ValidationError) as refused:
        AssessmentScored.model_validate({"learner_id": "x" * 10_000, "assessment_id": "x", "score": {"scaled": 1}})
    (error,) = pydantic_errors(refused.value, "/a~1b")
    assert error["pointer"] == "/a~1b/learner_id"
    assert len(error["detail"]) < 300

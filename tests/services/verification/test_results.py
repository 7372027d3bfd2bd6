"""The results that a badge tells of its learner, on its page and certificate, where they may be seen (OB 3.0)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from libs.common.credentials.model import Result, ResultDescription, RubricLevel
from libs.common.security import SESSION_COOKIE
from libs.common.web.language import Languages
from services.verification.api import TEMPLATES
from services.verification.api.results import result_words
from services.verification.model import ShownResult
from services.verification.rules.results import read_results
from tests.services.verification.support import ACHIEVEMENT, ISSUER, Service, at, badge_issued, key_published, terms

HERE = terms().id
DESCRIBED = (
    ResultDescription(id=f"{HERE}#quiz", name="Final quiz", type="Percent", required_value="60"),
    ResultDescription(id=f"{HERE}#exam", name="Exam", type="RawScore", value_min="0", value_max="20"),
    ResultDescription(
        id=f"{HERE}#talk", name="Coaching talk", type="RubricCriterionLevel", required_level=f"{HERE}#talk.ok",
        levels=(
            RubricLevel(id=f"{HERE}#talk.ok", name="Sound", description="Listens and asks.", level="1"),
            RubricLevel(id=f"{HERE}#talk.top", name="Masterly", description="Lets others find it.", level="2"),
        ),
    ),
)  # fmt: skip
RESULTS = (
    Result(description=f"{HERE}#quiz", value="87.5"),
    Result(description=f"{HERE}#exam", value="17"),
    Result(description=f"{HERE}#talk", achieved_level=f"{HERE}#talk.top"),
)
BADGE = badge_issued(results=(DESCRIBED, RESULTS))
PAGE = f"/badges/{BADGE.badge_id}"
HTML = "text/html"


@pytest.fixture
async def served(service: Service) -> Service:
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
    service.set_clock(at(60))
    return service


async def test_results_are_on_the_page_in_both_languages(served: Service) -> None:
    page = (await served.get(PAGE, HTML)).text
    for words in ("Final quiz", "87.5%", "60%", "17 of 20", "Masterly", "Lets others find it.", "Sound"):
        assert words in page, words
    page = (await served.get(f"{PAGE}?lang=fr", HTML)).text
    for words in ("Résultats", "87,5\N{NO-BREAK SPACE}%", "17 sur 20", "Masterly", "requis"):
        assert words in page, words


async def test_results_go_with_the_evidence(served: Service) -> None:
    own = {"authorization": f"Bearer {served.mint.token(learner_id='learner-1')}"}
    decision = {"audience": "public", "shows_evidence": False}
    assert (await served.client.put(f"{PAGE}/sharing", json=decision, headers=own)).status_code == 200
    assert "87.5%" not in (await served.get(PAGE, HTML)).text
    assert (await served.get(f"{PAGE}.json")).status_code == 404
    assert "87.5%" in (await served.client.get(PAGE, headers={**own, "accept": HTML})).text
    session = {"cookie": f"{SESSION_COOKIE}={served.mint.token(learner_id='learner-1')}", "accept": HTML}
    assert "With the evidence and the results" in (await served.client.get(f"{PAGE}/sharing", headers=session)).text


async def test_the_certificate_tells_them(served: Service) -> None:
    file = await served.get(f"{PAGE}.pdf")
    assert file.status_code == 200
    (sheet,) = PdfReader(BytesIO(file.content)).pages
    text = sheet.extract_text().replace("\n", " ")
    assert "Final quiz: 87.5%" in text
    assert "Masterly" in text


@pytest.mark.parametrize(
    ("result", "reached", "required"),
    [
        (ShownResult("x", "LetterGrade", value="B+", required="C"), "B+", "C"),
        (ShownResult("x", "Percent", value="many"), "many%", None),
        (ShownResult("x", "RawScore", value="1e999999"), "1e999999", None),
        (ShownResult("x", "RawScore", value="NaN", most="9"), "NaN of 9", None),
        (ShownResult("x", "Status", status="InProgress"), "In progress", None),
        (ShownResult("x", "ext:Stars", value="3", most="5"), "3", None),
    ],
)
def test_words(result: ShownResult, reached: str, required: str | None) -> None:
    words = result_words(Languages([TEMPLATES]).of("en"), result)
    assert (words.reached, words.required) == (reached, required)


_LEAVES = st.sampled_from([None, True, 5, "", "urn:a", "urn:b"])
_LEVELS = st.lists(st.dictionaries(st.sampled_from(["id", "name", "description"]), _LEAVES), max_size=2)
_NAMES = ["id", "resultDescription", "name", "value", "achievedLevel", "rubricCriterionLevel", "status"]
_PARTS = st.lists(st.dictionaries(st.sampled_from(_NAMES), _LEAVES | _LEVELS, max_size=5) | _LEAVES, max_size=3)


@given(_PARTS | _LEAVES, _PARTS | _LEAVES)
def test_whatever_stands_there_is_read_or_left_out(results: Any, descriptions: Any) -> None:
    for one in read_results({"result": results}, {"resultDescription": descriptions}):
        assert one.name
        assert one.value or one.level or one.status


def test_what_nothing_describes_is_left_out() -> None:
    described = {"resultDescription": [{"id": "urn:a", "name": "A", "resultType": "Percent"}]}
    subject = {"result": [{"resultDescription": "urn:b", "value": "5"}, {"resultDescription": "urn:a"}]}
    assert read_results(subject, described) == ()
    subject["result"].append({"resultDescription": "urn:a", "value": "5"})
    assert [one.value for one in read_results(subject, described)] == ["5"]

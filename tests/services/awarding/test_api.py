"""Why, why not, and the trail of a badge: as JSON and as pages, for whom they are meant (B1, B9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.awarding import api
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    any_of,
    badge,
    done,
    evidence,
    passed,
    published,
    registered,
    scored,
    verified,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

HTML = {"accept": "text/html"}


@pytest.fixture
def mint(tmp_path: Path) -> TokenMint:
    """Mints the tokens that the doors accept."""
    return TokenMint(tmp_path)


@pytest.fixture
async def doors(service: Service, database_dsn: str, mint: TokenMint) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app; Ada has one badge and is on the way to another."""
    await service.hear(
        *published(
            ISSUER,
            achievement("a", passed("quiz")),
            achievement("b", all_of(badge("a"), any_of(verified("poster"), done("talk")), passed("exam", "0.65"))),
        ),
        *registered("ada", "ben"),
        scored("ada", "quiz", "72.50", 1),
        scored("ada", "exam", "64.9", 2),
        evidence("ada", "poster", 3),
    )
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        yield client


WHY = "/learners/ada/achievements/{}/explanation"


async def test_why_not_says_what_is_met_and_what_is_missing(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    answer = await doors.get(WHY.format("b"), headers=mint.headers("records.read"))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["state"], told["missing"]) == ("missing", ["score 65 % or more in exam"])
    held, route, exam = told["requirement"]["of"]
    assert held["state"] == route["state"] == "met"
    assert [part["state"] for part in route["of"]] == ["met", "missing"]
    assert exam["attempt"]["points"] == "64.9"
    assert answer.headers["cache-control"] == "private, no-store"


async def test_why_names_the_badge(doors: httpx.AsyncClient, mint: TokenMint, service: Service) -> None:
    (issued,) = await service.told()
    told = (await doors.get(WHY.format("a"), headers=mint.headers("records.read"))).json()
    assert told["state"] == "awarded"
    assert told["badge"]["badge_id"] == str(issued.badge_id)
    assert told["requirement"]["events"][0]["points"] == "72.5"


async def test_learners_see_their_own_explanation_and_no_other(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    own = {"authorization": f"Bearer {mint.token(learner_id='ada')}"}
    other = {"authorization": f"Bearer {mint.token(learner_id='ben')}"}
    assert (await doors.get(WHY.format("b"), headers=own)).status_code == 200
    assert (await doors.get(WHY.format("b"), headers=other)).status_code == 403
    assert (await doors.get(WHY.format("b"))).status_code == 401


@pytest.mark.parametrize(
    "path", ["/learners/ada/achievements/zzz/explanation", "/learners/zoe/achievements/a/explanation"]
)
async def test_what_is_unknown_is_not_explained(doors: httpx.AsyncClient, mint: TokenMint, path: str) -> None:
    answer = await doors.get(path, headers=mint.headers("records.read"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_trail_leads_from_the_event_to_the_badge(
    doors: httpx.AsyncClient, mint: TokenMint, service: Service
) -> None:
    (issued,) = await service.told()
    quiz = scored("ada", "quiz", "72.50", 1)
    answer = await doors.get(f"/badges/{issued.badge_id}/trail", headers=mint.headers("records.read"))
    told = answer.json()
    assert told["digest"] == issued.digest
    assert told["told"] is False  # it waits in the outbox
    (event,) = told["events"]
    assert event["event_id"] == str(quiz.event_id)
    assert event["completed_the_badge"] is True
    assert quiz.event.traceparent is not None
    assert event["trace_id"] == quiz.event.traceparent.split("-")[1]
    await service.database.pool.execute("delete from outbox")
    told = (await doors.get(f"/badges/{issued.badge_id}/trail", headers=mint.headers("records.read"))).json()
    assert told["told"] is True


async def test_the_trail_is_not_for_everybody(doors: httpx.AsyncClient, mint: TokenMint, service: Service) -> None:
    (issued,) = await service.told()
    path = f"/badges/{issued.badge_id}/trail"
    assert (await doors.get(path)).status_code == 401
    assert (await doors.get(path, headers=mint.headers("events.write"))).status_code == 403
    unknown = "/badges/00000000-0000-0000-0000-000000000000/trail"
    assert (await doors.get(unknown, headers=mint.headers("records.read"))).status_code == 404
    assert (await doors.get("/badges/no-uuid/trail", headers=mint.headers("records.read"))).status_code == 422


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_pages_say_the_same(doors: httpx.AsyncClient, mint: TokenMint, service: Service, language: str) -> None:
    (issued,) = await service.told()
    for path, words in (
        (WHY.format("b"), {"en": "Here is what is missing", "fr": "Voici ce qui manque"}),
        (f"/badges/{issued.badge_id}/trail", {"en": "This completed the badge", "fr": "a complété le badge"}),
    ):
        answer = await doors.get(path, headers=HTML | mint.headers("records.read"), params={"lang": language})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert words[language] in answer.text
        assert f'<html lang="{language}"' in answer.text
    assert (await doors.get(path, headers=HTML)).status_code == 401


async def test_a_link_signs_in_and_style_and_operations_are_there(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    answer = await doors.get(WHY.format("b"), params={"access": mint.token("records.read")}, headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == WHY.format("b")
    page = (await doors.get(WHY.format("b"), headers=HTML | mint.headers("records.read"))).text
    style = page.split('href="/static/')[1].split('"')[0]
    assert (await doors.get(f"/static/{style}")).status_code == 200
    assert (await doors.get("/static/none.css")).status_code == 404
    assert (await doors.get("/operations/delivery", headers=mint.headers("operations"))).status_code == 200

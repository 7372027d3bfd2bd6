"""Challenges: a goal, a day, progress, opportunities and obstacles (M2.9, M2.10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.awarding import api
from services.awarding.model import Challenge
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.challenges import challenge_told
from services.awarding.rules.outcome import Record
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    at,
    badge,
    completed,
    done,
    erased,
    event_id,
    passed,
    published,
    registered,
    scored,
    verified,
    voided,
)
from tests.services.awarding.test_rules import activity, holds
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

CATALOGUE = (
    achievement("a", all_of(passed("x"), verified("poster"))),
    achievement("stack", all_of(badge("a"), done("talk")), kind="stack"),
    achievement("never", badge("gone")),
)
PATH = "/learners/ada/challenges"


def told(record: Record, name: str = "stack", today: date = date(2026, 3, 1)) -> dict[str, Any]:
    """A challenge until 10 March."""
    catalogue = Catalogue().with_published(1, [ISSUER], CATALOGUE)
    challenge = Challenge(event_id("c"), "ada", name, date(2026, 3, 10), at(0))
    return challenge_told(catalogue, record, record.held, challenge, today)


def test_a_challenge_has_progress_and_a_state() -> None:
    begun = told(Record.of([activity("talk", 1)]))
    assert (begun["state"], begun["steps_done"], begun["steps_to_go"], begun["days_left"]) == ("under way", 1, 2, 9)
    assert told(Record.of(), today=date(2026, 3, 11))["state"] == "overdue"
    reached = told(Record.of((), [holds("stack", 1)]), today=date(2026, 3, 11))
    assert (reached["state"], reached["opportunities"], reached["obstacles"]) == ("reached", [], [])


def test_what_cannot_be_reached_says_so() -> None:
    never = told(Record.of(), "never")
    assert never["steps_to_go"] is None
    assert never["obstacles"] == [{"achievement_id": "never", "why": "It asks for more than is published."}]


@pytest.fixture
def mint(tmp_path: Path) -> TokenMint:
    """Mints the tokens that the doors accept."""
    return TokenMint(tmp_path)


@pytest.fixture
async def doors(service: Service, database_dsn: str, mint: TokenMint) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's client of the running app."""
    await service.hear(*published(ISSUER, *CATALOGUE), *registered("ada", "ben"))
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers["authorization"] = f"Bearer {mint.token(learner_id='ada')}"
        yield client


def goal(name: str = "stack", days: int = 30) -> dict[str, str]:
    """What Ada means to earn."""
    return {"achievement_id": name, "target_on": (date.today() + timedelta(days=days)).isoformat()}  # noqa: DTZ011


async def stands(doors: httpx.AsyncClient) -> dict[str, Any]:
    """Ada's one challenge."""
    (one,) = (await doors.get(PATH)).json()["challenges"]
    return one


async def test_opportunities_and_obstacles_follow_the_facts(doors: httpx.AsyncClient, service: Service) -> None:
    made = await doors.post(PATH, json=goal())
    assert made.status_code == 201
    assert [(one["achievement_id"], one["step"], one["who"]) for one in made.json()["opportunities"]] == [
        ("stack", "complete talk", "learner"),
        ("a", "score 40 % or more in x", "learner"),
        ("a", "have poster verified", "assessor"),
    ]
    await service.hear(scored("ada", "x", "30", 1))
    assert (await stands(doors))["obstacles"] == [{"achievement_id": "a", "why": "So far: 30 of 100 in x."}]
    good = completed("ada", "talk", 2)
    await service.hear(good)
    assert (await stands(doors))["steps_to_go"] == 2
    await service.hear(voided(good, 3))
    assert (await stands(doors))["steps_to_go"] == 3


async def test_a_suspended_badge_is_an_obstacle(doors: httpx.AsyncClient, service: Service) -> None:
    await service.hear(
        *published(achievement("quick", done("q")), achievement("top", all_of(badge("quick"), done("z"))))
    )
    quick = completed("ada", "q", 1)
    await service.hear(quick)
    await service.hear(voided(quick, 2))
    await doors.post(PATH, json=goal("top"))
    assert (await stands(doors))["obstacles"] == [{"achievement_id": "quick", "why": "The badge is suspended."}]


async def test_a_challenge_is_set_once_moved_and_dropped(doors: httpx.AsyncClient) -> None:
    first = (await doors.post(PATH, json=goal())).json()
    moved = (await doors.post(PATH, json=goal(days=60))).json()
    assert first["challenge_id"] == moved["challenge_id"]
    assert (await stands(doors))["target_on"] == goal(days=60)["target_on"]
    one = f"{PATH}/{first['challenge_id']}"
    assert (await doors.delete(one)).status_code == 204
    assert (await doors.delete(one)).status_code == 404
    assert (await doors.get(PATH)).json()["challenges"] == []


async def test_only_the_learner_sets_one_and_only_of_what_is(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    assert (await doors.post(PATH, json=goal("unknown"))).status_code == 404
    assert (await doors.post(PATH, json=goal(days=-2))).status_code == 422
    readers = mint.headers("records.read")
    assert (await doors.post(PATH, json=goal(), headers=readers)).status_code == 403
    assert (await doors.get(PATH, headers=readers)).status_code == 200
    assert (await doors.post("/learners/ben/challenges", json=goal())).status_code == 403
    assert (await doors.post(PATH, json=goal(), headers={"authorization": ""})).status_code == 401


async def test_an_erased_learner_has_no_challenge(doors: httpx.AsyncClient, service: Service) -> None:
    await doors.post(PATH, json=goal())
    await service.hear(erased("ada"))
    assert await service.database.pool.fetchval("select count(*) from challenge") == 0

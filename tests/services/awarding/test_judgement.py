"""Which version judges, why, and the delta: as it is told to programs and to people (B1, B5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.awarding import api
from services.awarding.model import Fact, FactKind
from services.awarding.rules.catalogue import Achievement, Lineage
from services.awarding.rules.explanation import explanation, missing_of
from services.awarding.rules.outcome import Record
from services.awarding.rules.tree import compiled
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    any_of,
    at,
    completed,
    day,
    done,
    event_id,
    passed,
    published,
    registered,
    scored,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

HTML = {"accept": "text/html"}
FIRST = achievement("a", all_of(done("x"), passed("q")))
SECOND = achievement(
    "a", all_of(done("x"), passed("q", "0.6"), done("z")), version=2, on_new_version="upgrade", published_at=at(10)
)
THIRD = achievement("a", done("other"), version=3, published_at=at(20))


@pytest.fixture
async def doors(service: Service, database_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app, who may read records."""
    mint = TokenMint(tmp_path)
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers.update(mint.headers("records.read"))
        yield client


async def told(doors: httpx.AsyncClient, name: str = "a") -> dict[str, Any]:
    """The explanation for Ada."""
    answer = await doors.get(f"/learners/ada/achievements/{name}/explanation")
    assert answer.status_code == 200
    return answer.json()


async def test_the_only_version_judges_whoever_starts(service: Service, doors: httpx.AsyncClient) -> None:
    await service.hear(*published(ISSUER, FIRST), *registered("ada"))
    found = await told(doors)
    assert found["judged"] == {
        "version": 1, "why": "only-version", "started_version": None, "started_at": None, "cycle": 0, "since": None,
    }  # fmt: skip
    assert (found["delta"], found["renewal"], found["badges"]) == (None, None, [])


async def test_an_upgrade_shows_what_is_met_and_what_is_asked_in_addition(
    service: Service, doors: httpx.AsyncClient
) -> None:
    await service.hear(*published(ISSUER, FIRST), *registered("ada"))
    await service.hear(completed("ada", "x", 1), scored("ada", "q", "50", 2))
    await service.hear(*published(SECOND, THIRD))
    await service.recheck()
    found = await told(doors)
    judged = found["judged"]
    assert (judged["version"], judged["why"], judged["started_version"]) == (2, "upgrade", 1)
    assert judged["started_at"] == "2026-01-05T09:01:00.000Z"
    assert (found["version"], found["state"]) == (2, "missing")
    assert found["delta"] == {
        "from_version": 1,
        "to_version": 2,
        "met": ["complete x"],
        "asked_in_addition": [
            {"step": "score 60 % or more in q", "state": "missing"}, {"step": "complete z", "state": "missing"},
        ],
    }  # fmt: skip
    assert [(badge["version"], badge["state"]) for badge in found["badges"]] == [(1, "awarded")]
    page = (await doors.get("/learners/ada/achievements/a/explanation", headers=HTML)).text
    assert "Asked in addition to version 1" in page
    assert "version 2 has taken its place" in page
    mosaic = (await doors.get("/learners/ada/mosaic")).json()
    assert [(tile["achievement_id"], tile["version"], tile["steps_to_go"]) for tile in mosaic["in_progress"]] == [
        ("a", 2, 2)
    ]
    await service.hear(scored("ada", "q", "80", 30), completed("ada", "z", 31))
    found = await told(doors)
    assert (found["version"], found["state"]) == (2, "awarded")
    assert {line["state"] for line in found["delta"]["asked_in_addition"]} == {"met"}
    french = await doors.get("/learners/ada/achievements/a/explanation", headers={**HTML, "accept-language": "fr"})
    assert "Demandé en plus de la version 1" in french.text


async def test_a_grandfathered_learner_is_told_so(service: Service, doors: httpx.AsyncClient) -> None:
    newer = achievement("b", done("y"), version=2, published_at=at(10))
    await service.hear(*published(ISSUER, achievement("b", all_of(done("x"), done("y"))), newer), *registered("ada"))
    await service.hear(completed("ada", "x", 1))
    found = await told(doors, "b")
    assert (found["judged"]["version"], found["judged"]["why"], found["delta"]) == (1, "started", None)
    assert found["missing"] == ["complete y"]
    page = (await doors.get("/learners/ada/achievements/b/explanation", headers=HTML)).text
    assert "You are held to version 1, which you started on 2026-01-05." in page


async def test_a_badge_that_ends_tells_when_it_may_be_renewed_and_then_what_is_missing(
    service: Service, doors: httpx.AsyncClient
) -> None:
    aid = achievement("aid", passed("test"), valid_for_days=100, renewal_opens_days=10)
    await service.hear(*published(ISSUER, aid), *registered("ada"))
    await service.hear(scored("ada", "test", "80", 0))
    found = await told(doors, "aid")
    assert (found["state"], found["badge"]["valid_until"]) == ("awarded", "2026-04-15T09:00:00.000Z")
    assert found["renewal"] == {
        "cycle": 1, "opens_at": "2026-04-05T09:00:00.000Z", "valid_until": "2026-04-15T09:00:00.000Z",
    }  # fmt: skip
    assert (
        "valid until 2026-04-15" in (await doors.get("/learners/ada/achievements/aid/explanation", headers=HTML)).text
    )
    await service.expire(day(101))
    found = await told(doors, "aid")
    assert (found["state"], found["judged"]["cycle"], found["badges"][0]["state"]) == ("missing", 1, "expired")
    assert found["missing"] == ["score 40 % or more in test"]
    mosaic = (await doors.get("/learners/ada/mosaic")).json()
    assert (mosaic["held"][0]["state"], mosaic["next"][0]["distance"]) == ("expired", 1)
    history = (await doors.get(f"/badges/{found['badge']['badge_id']}/history")).json()
    assert (history["state"], history["valid_until"]) == ("expired", "2026-04-15T09:00:00.000Z")


def test_why_not_names_what_is_missing() -> None:
    """Each leaf by itself, and the attempt that was not good enough."""
    lineage = Lineage.of([Achievement.of(achievement("a", all_of(passed("x"), any_of(done("y"), done("z")))))])
    attempt = Fact("ada", FactKind.ASSESSMENT, "x", event_id("try"), 0, at(1), Decimal(20), Decimal(100))
    found = explanation("ada", lineage, Record.of([attempt]))
    assert found["state"] == "missing"
    assert found["missing"] == ["score 40 % or more in x", "complete y", "complete z"]
    assert found["requirement"]["of"][0]["attempt"]["points"] == "20"
    enough = Record.of([attempt._replace(points=Decimal(40))])
    assert missing_of(compiled(passed("x")).outcome(enough)) == []

"""Operators list, read, resend and discard dead letters over HTTP, with the scope `operations` only (B9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from libs.common.contracts.progress import ActivityCompleted
from libs.common.messaging.dead_letters import beat
from libs.common.messaging.delivery import Delivery, Hears
from libs.common.messaging.operations import operations_router
from libs.common.messaging.replay import Replay
from libs.common.postgres.database import Database
from libs.common.service import create_app
from libs.common.settings import ServiceSettings
from tests.libs.common.messaging.records import TOPIC, TRACEPARENT, record, tally
from tests.tokens import AUDIENCE, ISSUER, TokenMint


@pytest.fixture
def mint(tmp_path: Path) -> TokenMint:
    return TokenMint(tmp_path)


@pytest.fixture
def delivery(database: Database) -> Delivery:
    return Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, tally, ordered=True)])


@pytest.fixture
async def door(dsn: str, mint: TokenMint) -> AsyncIterator[httpx.AsyncClient]:
    settings = ServiceSettings(
        database_dsn=SecretStr(dsn), token_keys_file=mint.keys_file, token_issuer=ISSUER, token_audience=AUDIENCE
    )  # type: ignore[call-arg]
    app = create_app("tests", settings, title="Tests")
    app.include_router(operations_router("tests", lambda request: request.app.state.database))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://tests",
            headers=mint.headers("operations", subject="olga"),
        ) as client,
    ):
        yield client


async def dead_letter(delivery: Delivery) -> dict[str, Any]:
    bad = record(0, "poison", more_headers=[("x", b"\xff"), ("none", None)])
    await delivery.handle([bad, record(1, "a")])
    return {"value": bad.value}


async def test_a_dead_letter_is_listed_and_shown_as_it_came(door: httpx.AsyncClient, delivery: Delivery) -> None:
    sent = await dead_letter(delivery)
    listed = (await door.get("/operations/dead-letters")).raise_for_status().json()
    assert listed["service"] == "tests"
    [letter] = listed["dead_letters"]
    assert (letter["id"], letter["stage"], letter["state"]) == (1, "handler", "waiting")
    shown = (await door.get("/operations/dead-letters/1")).raise_for_status().json()
    assert shown["value"] == sent["value"].decode()
    assert (shown["key"], shown["traceparent"]) == ("ada", TRACEPARENT)
    assert [header for header in shown["headers"] if header[0] in ("x", "none")] == [["x", "\\xff"], ["none", None]]
    assert [entry["action"] for entry in shown["audit"]] == ["dead-lettered"]


async def test_a_resend_is_asked_for_with_a_reason_and_by_a_name(
    door: httpx.AsyncClient, delivery: Delivery, database: Database
) -> None:
    await dead_letter(delivery)
    asked = await door.post("/operations/dead-letters/1/resend", json={"reason": "the handler is mended"})
    assert (asked.status_code, asked.json()["state"]) == (202, "resend")
    assert (asked.json()["audit"][-1]["by"], asked.json()["audit"][-1]["reason"]) == ("olga", "the handler is mended")
    again = await door.post("/operations/dead-letters/1/resend", json={"reason": "once more"})
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    assert await Replay(delivery).step()
    assert (await door.get("/operations/dead-letters/1")).json()["state"] == "waiting"


async def test_a_discard_releases_what_waits(door: httpx.AsyncClient, delivery: Delivery, database: Database) -> None:
    await dead_letter(delivery)
    await door.post("/operations/dead-letters/1/discard", json={"reason": "a test message"})
    while await Replay(delivery).step():
        pass
    assert (await door.get("/operations/dead-letters/1")).json()["state"] == "discarded"
    assert await database.pool.fetchval("select activity_id from tally") == "a"
    listed = await door.get("/operations/dead-letters", params={"state": ["discarded", "handled"]})
    assert len(listed.json()["dead_letters"]) == 1
    assert (await door.get("/operations/dead-letters")).json()["dead_letters"] == []


async def test_the_state_of_delivery_is_shown(door: httpx.AsyncClient, delivery: Delivery, database: Database) -> None:
    await dead_letter(delivery)
    async with database.transaction() as connection:
        await beat(connection, "cairn-tests-0", "running", 0)
    shown = (await door.get("/operations/delivery")).raise_for_status().json()
    assert shown["backlog"].items() >= {"outbox_rows": 1, "open_dead_letters": 1, "parked_keys": 1}.items()
    assert shown["backlog"]["oldest_unsent_seconds"] >= 0
    assert [(place["topic"], place["next_offset"]) for place in shown["positions"]] == [(TOPIC, 2)]
    assert [(worker["worker"], worker["state"]) for worker in shown["workers"]] == [("cairn-tests-0", "running")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/operations/dead-letters/99", None, 404),
        ("POST", "/operations/dead-letters/99/resend", {"reason": "because"}, 404),
        ("POST", "/operations/dead-letters/1/resend", {"reason": ""}, 422),
        ("POST", "/operations/dead-letters/1/resend", {"reason": "because", "by": "someone else"}, 422),
        ("GET", "/operations/dead-letters/0", None, 422),
        ("GET", "/operations/dead-letters?state=lost", None, 422),
        ("GET", "/operations/dead-letters?limit=100000", None, 422),
    ],
)
async def test_what_cannot_be_done_is_a_problem(
    door: httpx.AsyncClient, method: str, path: str, body: dict[str, str] | None, status: int
) -> None:
    answer = await door.request(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_only_operators_may_look(door: httpx.AsyncClient, mint: TokenMint) -> None:
    for path in ("/operations/dead-letters", "/operations/dead-letters/1", "/operations/delivery"):
        assert (await door.get(path, headers={"Authorization": ""})).status_code == 401
        assert (await door.get(path, headers=mint.headers("learner"))).status_code == 403
    resend = await door.post("/operations/dead-letters/1/resend", json={"reason": "x"}, headers=mint.headers("ingest"))
    assert resend.status_code == 403

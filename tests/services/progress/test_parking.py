"""Events of a learner who is not known yet wait, are seen, and are told when the learner appears."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from libs.common.messaging.delivery import Delivery
from libs.common.messaging.work import begin
from libs.common.postgres.database import Database
from services.progress import handlers, rules
from tests.services.progress.support import completed, hear, learner, read, scored, send, told
from tests.tokens import TokenMint

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_an_unknown_learners_events_wait_and_are_used_later(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database, delivery: Delivery
) -> None:
    answer = await send(doors, mint, scored("bob", 3), scored("bob", 1), completed("eve"), traceparent=TRACEPARENT)
    assert (answer.status_code, answer.json()["accepted"], answer.json()["parked"]) == (202, 3, 3)
    assert await told(database) == []

    listed = (await read(doors, mint, "/events?state=parked&limit=2")).json()
    assert [(one["learner_id"], one["object_id"], one["id"]) for one in listed["events"]] == [
        ("bob", "quiz:3", "score-bob-3"), ("bob", "quiz:1", "score-bob-1"),
    ]  # fmt: skip
    assert listed["events"][0]["trace_id"] == TRACEPARENT.split("-")[1]
    rest = (await read(doors, mint, f"/events?state=parked&after={listed['next']}")).json()
    assert ([one["learner_id"] for one in rest["events"]], rest["next"]) == (["eve"], None)
    assert (await read(doors, mint, "/learners/bob/progress")).json()["parked"] == 2

    await hear(delivery, learner("bob"))
    told_now = await told(database)
    assert [(row["key"], row["subject"]) for row in told_now] == [(b"bob", "quiz:3"), (b"bob", "quiz:1")]
    assert told_now[0]["traceparent"].split("-")[1] == TRACEPARENT.split("-")[1]
    left = (await read(doors, mint, "/events?state=parked")).json()["events"]
    assert [one["learner_id"] for one in left] == ["eve"]
    assert (await read(doors, mint, "/learners/bob/progress")).json()["parked"] == 0


async def test_a_parked_event_sent_again_is_a_duplicate(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database, delivery: Delivery
) -> None:
    await send(doors, mint, scored("bob"))
    again = (await send(doors, mint, scored("bob"))).json()
    assert (again["accepted"], again["duplicates"], again["parked"]) == (0, 1, 0)
    assert (await send(doors, mint, scored("bob", raw=1))).status_code == 409
    await hear(delivery, learner("bob"))
    await hear(delivery, learner("bob"))
    assert len(await told(database)) == 1
    assert (await send(doors, mint, scored("bob", 2))).json()["parked"] == 0


async def test_no_event_is_missed_when_the_learner_appears_at_that_moment(
    dsn: str, database: Database, delivery: Delivery
) -> None:
    events, _, refused = rules.read_batch([scored("bob")], sender="lms", traceparent=None)
    assert not refused
    async with begin(database) as work:
        outcome = await handlers.record_events(work, events)
        appearing = asyncio.create_task(hear(delivery, learner("bob")))
        # The learner cannot appear between the look and the commit: it waits for this transaction.
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while not await database.pool.fetchval(waiting):  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0.01)
        assert not appearing.done()
    await appearing
    assert (outcome.parked, len(await told(database))) == ((0,), 1)


async def test_an_erased_learner_leaves_nothing_behind(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database, delivery: Delivery
) -> None:
    await hear(delivery, learner("ada"), learner("bob"))
    await send(doors, mint, scored("ada"), scored("bob"))
    await hear(delivery, learner("ada", erased=True))
    assert await database.pool.fetch("select learner_id from event") == [("bob",)]
    assert (await read(doors, mint, "/learners/ada/progress")).status_code == 404
    assert (await send(doors, mint, scored("ada", 2))).json()["parked"] == 1


async def test_a_learner_erased_and_registered_in_one_batch_starts_anew(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database, delivery: Delivery
) -> None:
    await hear(delivery, learner("ada"))
    await send(doors, mint, scored("ada"))
    await hear(delivery, learner("ada", erased=True), learner("ada"))
    assert await database.pool.fetchval("select count(*) from event") == 0
    assert (await send(doors, mint, scored("ada"))).json() | {"unmapped": 0} == {
        "accepted": 1, "duplicates": 0, "parked": 0, "unmapped": 0, "refused": [],
    }  # fmt: skip


@pytest.mark.parametrize("query", ["", "?state=lost", "?state=parked&limit=0", "?state=parked&after=x"])
async def test_a_question_that_is_no_question(doors: httpx.AsyncClient, mint: TokenMint, query: str) -> None:
    answer = await read(doors, mint, "/events" + query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")

"""A batch is one transaction: nothing is lost, and nothing happens twice (B2)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from libs.common.contracts.progress import ActivityCompleted, AssessmentScored
from libs.common.messaging import store
from libs.common.messaging.dead_letters import list_dead_letters
from libs.common.messaging.delivery import Delivery, Hears, Received
from libs.common.messaging.faults import SLOW
from libs.common.messaging.replay import StoredRecord
from libs.common.messaging.work import Work
from libs.common.postgres.database import Database
from tests.libs.common.messaging.records import TOPIC, record, tally

TABLE = (Hears(TOPIC, ActivityCompleted, tally),)


@pytest.fixture
def delivery(database: Database) -> Delivery:
    return Delivery(database, service="tests", hears=TABLE)


async def tallied(database: Database) -> list[str]:
    return [row["activity_id"] for row in await database.pool.fetch("select * from tally order by number")]


async def next_offset(database: Database, partition: int = 0) -> int | None:
    return await database.pool.fetchval(
        "select next_offset from consumed where topic = $1 and partition = $2", TOPIC, partition
    )


async def test_a_batch_is_handled_told_and_remembered(database: Database, delivery: Delivery) -> None:
    outcome = await delivery.handle([record(5, "a"), record(6, "b"), record(0, "c", partition=1)])
    assert (outcome.handled, outcome.duplicates, outcome.fenced, outcome.dead_lettered) == (3, 0, 0, 0)
    assert outcome.next_offsets == {(TOPIC, 0): 7, (TOPIC, 1): 1}
    assert await tallied(database) == ["a", "b", "c"]
    assert await next_offset(database) == 7
    assert await database.pool.fetchval("select count(*) from outbox") == 3
    assert await database.pool.fetchval("select count(*) from inbox") == 3


async def test_duplicates_are_dropped_within_a_batch_and_across_batches(database: Database, delivery: Delivery) -> None:
    same, again = str(uuid4()), str(uuid4())
    first = await delivery.handle(
        [record(0, "a", event_id=same), record(1, "a", event_id=same), record(2, "b", event_id=again)]
    )
    second = await delivery.handle(
        [record(3, "b", event_id=again), record(4, "c"), record(0, "a", event_id=same, partition=3)]
    )
    assert (first.handled, first.duplicates) == (2, 1)
    assert (second.handled, second.duplicates) == (1, 2)
    assert await tallied(database) == ["a", "b", "c"]


async def test_ids_that_are_no_uuids_are_remembered_too(database: Database, delivery: Delivery) -> None:
    await delivery.handle([record(0, "a", event_id="sis:42"), record(1, "b", event_id="sis:43")])
    outcome = await delivery.handle([record(2, "a", event_id="sis:42")])
    assert outcome.duplicates == 1
    assert await tallied(database) == ["a", "b"]


async def test_what_was_handled_is_fenced_off_even_without_the_inbox(database: Database, delivery: Delivery) -> None:
    batch = [record(0, "a"), record(1, "b")]
    await delivery.handle(batch)
    await database.pool.execute("truncate inbox")
    outcome = await delivery.handle([*batch, record(2, "c")])
    assert (outcome.handled, outcome.fenced) == (1, 2)
    assert await tallied(database) == ["a", "b", "c"]
    late = await delivery.handle(batch)
    assert (late.fenced, late.next_offsets) == (2, {(TOPIC, 0): 3})
    assert await next_offset(database) == 3


async def test_two_workers_with_the_same_records_handle_each_once(database: Database) -> None:
    batches = [[record(10 * batch + n, f"{batch}-{n}") for n in range(10)] for batch in range(20)]
    workers = [Delivery(database, service="tests", hears=TABLE) for _ in range(3)]

    async def work(worker: Delivery) -> None:
        for batch in batches:
            await worker.handle(batch)

    await asyncio.gather(*(work(worker) for worker in workers))
    assert await tallied(database) == [f"{batch}-{n}" for batch in range(20) for n in range(10)]


async def test_workers_that_see_the_same_events_in_other_orders_do_not_double_them(database: Database) -> None:
    ids = [str(uuid4()) for _ in range(200)]
    forwards = [record(n, f"{n}", event_id=id_, partition=0) for n, id_ in enumerate(ids)]
    backwards = [record(n, f"{n}", event_id=id_, partition=1) for n, id_ in enumerate(reversed(ids))]
    workers = [Delivery(database, service="tests", hears=TABLE) for _ in range(2)]
    outcomes = await asyncio.gather(workers[0].handle(forwards), workers[1].handle(backwards))
    assert sum(outcome.handled for outcome in outcomes) == 200
    assert len(await tallied(database)) == 200


async def test_a_tombstone_reaches_its_handler(database: Database, delivery: Delivery) -> None:
    outcome = await delivery.handle([record(0, "a"), record(1, value=None), record(2, "b")])
    assert outcome.handled == 3
    assert await tallied(database) == ["a", "tombstone", "b"]


def calls_of(rows: Sequence[tuple[str, type[Any], bool]]) -> tuple[list[list[str]], list[Hears]]:
    """A table whose handlers note the event ids of each call."""
    calls: list[list[str]] = []

    async def note(_: Work, received: Sequence[Received[Any]]) -> None:
        calls.append([one.event.id for one in received])

    return calls, [Hears(topic, contract, note, ordered=ordered) for topic, contract, ordered in rows]


def scored(offset: int, event_id: str, topic: str) -> StoredRecord:
    value = b'{"learner_id": "ada", "assessment_id": "x", "score": {"scaled": 1}}'
    return record(offset, event_id=event_id, topic=topic, type_=AssessmentScored.TYPE, value=value)


async def test_rows_are_handled_in_table_order_one_call_each(database: Database) -> None:
    calls, hears = calls_of([("catalogue", ActivityCompleted, False), (TOPIC, ActivityCompleted, False)])
    batch = [record(0, event_id="f1"), record(0, event_id="c1", topic="catalogue"), record(1, event_id="f2")]
    await Delivery(database, service="tests", hears=hears).handle(batch)
    assert calls == [["c1"], ["f1", "f2"]]


async def test_ordered_rows_of_a_topic_keep_the_order_of_arrival(database: Database) -> None:
    calls, hears = calls_of([("t", ActivityCompleted, True), ("t", AssessmentScored, True)])
    batch = [scored(0, "s1", "t"), record(1, event_id="c1", topic="t"), record(2, event_id="c2", topic="t"),
             scored(3, "s2", "t")]  # fmt: skip
    await Delivery(database, service="tests", hears=hears).handle(batch)
    assert calls == [["s1"], ["c1", "c2"], ["s2"]]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_passing_fault_has_the_batch_tried_again(database: Database, moment: str) -> None:
    kills = 3

    async def interrupted(work: Work, received: Sequence[Received[Any]]) -> None:
        nonlocal kills
        if moment == "after":
            await tally(work, received)
        if kills:
            kills -= 1
            await work.connection.execute("select pg_terminate_backend(pg_backend_pid())")
        if moment == "before":
            await tally(work, received)

    delivery = Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, interrupted)])
    outcome = await delivery.handle([record(0, "a"), record(1, "b")])
    assert (outcome.handled, outcome.dead_lettered) == (2, 0)
    assert await tallied(database) == ["a", "b"]
    assert await database.pool.fetchval("select count(*) from outbox") == 2


async def test_a_commit_that_fails_to_answer_is_not_done_twice(database: Database) -> None:
    """The connection dies right after the commit: the worker cannot know, tries again, and the fence tells it."""
    lost = True

    class Forgetful(Delivery):
        async def _try(self, entries: Any, *, careful: bool) -> Any:
            nonlocal lost
            batch = await super()._try(entries, careful=careful)
            if lost:
                lost = False
                raise ConnectionResetError("the answer to COMMIT never came")
            return batch

    outcome = await Forgetful(database, service="tests", hears=TABLE).handle([record(0, "a"), record(1, "b")])
    assert outcome.fenced == 2
    assert await tallied(database) == ["a", "b"]


async def test_a_batch_that_takes_too_long_is_halved_until_it_does_not(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too much at once is no reason to try the whole for ever (B9)."""
    monkeypatch.setattr("libs.common.postgres.database.STATEMENT_TIMEOUT_SECONDS", 0.6)
    database, sizes = await Database.connect(dsn, application_name="slow"), list[int]()

    async def slowly(work: Work, received: Sequence[Received[ActivityCompleted]]) -> None:
        sizes.append(len(received))
        await work.connection.execute("select pg_sleep($1)", 0.2 * len(received))
        await tally(work, received)

    delivery = Delivery(database, service="tests", hears=(Hears(TOPIC, ActivityCompleted, slowly),))
    try:
        outcome = await delivery.handle([record(place, f"a{place}") for place in range(8)])
        assert (outcome.handled, outcome.dead_lettered, outcome.next_offsets) == (8, 0, {(TOPIC, 0): 8})
        assert await tallied(database) == [f"a{place}" for place in range(8)]
        assert await next_offset(database) == 8
        assert sizes[:2] == [8, 8]
        assert sizes.count(2) >= 4
    finally:
        await database.close()


async def test_an_event_that_takes_too_long_alone_is_set_aside_and_its_partition_goes_on(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.common.postgres.database.STATEMENT_TIMEOUT_SECONDS", 0.4)
    monkeypatch.setattr("libs.common.messaging.delivery.backoff_seconds", lambda: itertools.repeat(0.01))
    database = await Database.connect(dsn, application_name="slow")

    async def slowly(work: Work, received: Sequence[Received[ActivityCompleted]]) -> None:
        if any(one.content is not None and one.content.activity_id == "endless" for one in received):
            await work.connection.execute("select pg_sleep(30)")
        await tally(work, received)

    delivery = Delivery(database, service="tests", hears=(Hears(TOPIC, ActivityCompleted, slowly, ordered=True),))
    try:
        outcome = await delivery.handle([record(0, "a"), record(1, "endless", learner_id="b"),
                                         record(2, "after", learner_id="b"),
                                         record(3, "c")])  # fmt: skip
        assert (outcome.handled, outcome.dead_lettered, outcome.parked) == (2, 1, 1)
        assert outcome.next_offsets == {(TOPIC, 0): 4}
        assert await tallied(database) == ["a", "c"]
        async with database.transaction() as connection:
            (letter,) = await list_dead_letters(connection)
        assert (letter.stage, letter.reason) == ("handler", SLOW)
        assert letter.attempts >= 5
    finally:
        await database.close()


async def test_an_event_that_waits_for_a_lock_is_not_blamed_for_it(
    database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that is being built anew holds its tables still: that passes (B9)."""
    monkeypatch.setattr("libs.common.postgres.database.LOCK_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr("libs.common.messaging.delivery.backoff_seconds", lambda: itertools.repeat(0.01))
    waiting = await Database.connect(dsn, application_name="waiting")
    try:
        async with database.transaction() as connection:
            await connection.execute("lock table consumed in exclusive mode")
            handling = asyncio.create_task(Delivery(waiting, service="tests", hears=TABLE).handle([record(0, "a")]))
            await asyncio.sleep(1.5)
            assert not handling.done()
        outcome = await handling
        assert (outcome.handled, outcome.dead_lettered) == (1, 0)
    finally:
        await waiting.close()


async def test_old_ids_are_forgotten_a_bounded_number_at_once(database: Database, delivery: Delivery) -> None:
    await delivery.handle([record(place) for place in range(5)])
    await database.pool.execute("update inbox set seen_at = now() - interval '31 days'")
    await delivery.handle([record(5)])
    async with database.transaction() as connection:
        found = [await store.forget_seen(connection, after_days=30, most=3) for _ in range(3)]
    assert found == [3, 2, 0]
    assert await database.pool.fetchval("select count(*) from inbox") == 1

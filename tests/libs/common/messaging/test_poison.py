"""Poison is found and set aside with its reason; its neighbours in the batch do not notice (B9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from libs.common.contracts.progress import ActivityCompleted
from libs.common.messaging.delivery import Delivery, Hears, Received
from libs.common.messaging.replay import StoredRecord
from libs.common.messaging.work import Work
from libs.common.postgres.database import Database
from tests.libs.common.messaging.records import TOPIC, record, tally


@pytest.fixture
def delivery(database: Database) -> Delivery:
    return Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, tally)])


async def tallied(database: Database) -> list[str]:
    return [row["activity_id"] for row in await database.pool.fetch("select * from tally order by number")]


async def letters(database: Database) -> list[asyncpg.Record]:
    return await database.pool.fetch("select * from dead_letter order by record_offset")


@pytest.mark.parametrize(
    ("bad", "stage", "reason"),
    [
        (record(1, value=b"{}"), "contract", "/learner_id: Field required"),
        (record(1, type_="cairn.activity-completed.v9"), "type", "unsupported version"),
        (record(1, type_="other"), "type", "unknown type"),
        (record(1, headers=[("x", b"\xff\x00\xfe"), ("none", None)]), "envelope", "specversion"),
        (record(1, headers=[("nul\x00name", b"\x00")], key=None, value=None), "envelope", "specversion"),
        (record(1, "poison"), "handler", "ValueError: cannot handle poison"),
        (record(1, event_id="a\x00b"), "envelope", "id: "),
        (record(1, type_="nul\x00type"), "envelope", "type: "),
    ],
)
async def test_a_bad_record_becomes_a_dead_letter_and_its_neighbours_are_handled(
    database: Database, delivery: Delivery, bad: StoredRecord, stage: str, reason: str
) -> None:
    outcome = await delivery.handle([record(0, "before"), bad, record(2, "after")])
    assert (outcome.handled, outcome.dead_lettered) == (2, 1)
    assert outcome.next_offsets == {(TOPIC, 0): 3}
    assert await tallied(database) == ["before", "after"]
    [letter] = await letters(database)
    assert (letter["topic"], letter["partition"], letter["record_offset"]) == (TOPIC, 0, 1)
    assert (letter["key"], letter["value"], letter["state"]) == (bad.key, bad.value, "waiting")
    assert letter["header_values"] == [content for _, content in bad.headers]
    assert letter["stage"] == stage
    assert reason in letter["reason"]


async def test_a_dead_letter_is_told_with_its_bytes_headers_and_reason(database: Database, delivery: Delivery) -> None:
    bad = record(4, "poison", more_headers=[("x", b"\xff"), ("none", None)])
    await delivery.handle([record(3), bad])
    row = await database.pool.fetchrow("select * from outbox where topic = 'dead-letters.tests'")
    assert row is not None
    assert (row["key"], row["value"]) == (bad.key, bad.value)
    headers = dict(zip(row["header_names"], row["header_values"], strict=True))
    assert headers.items() >= dict(bad.headers).items()
    assert headers["dead_letter_reason"] == b"ValueError: cannot handle poison"
    assert headers["dead_letter_topic"] == TOPIC.encode()
    assert (headers["dead_letter_partition"], headers["dead_letter_offset"]) == (b"0", b"4")
    # Tried with the batch, with the batch again in a savepoint, and alone.
    assert headers["dead_letter_attempts"] == b"3"
    assert headers["dead_letter_stage"] == b"handler"
    assert await database.pool.fetchval("select count(*) from outbox") == 2
    [audit] = await database.pool.fetch("select * from dead_letter_audit")
    assert (audit["action"], audit["by"]) == ("dead-lettered", "worker of tests")


async def test_many_culprits_in_one_batch_are_all_found(database: Database, delivery: Delivery) -> None:
    bad = {0, 1, 37, 38, 77, 199}
    batch = [record(n, f"poison{n}" if n in bad else f"{n}") for n in range(200)]
    outcome = await delivery.handle(batch)
    assert (outcome.handled, outcome.dead_lettered) == (194, 6)
    assert await tallied(database) == [f"{n}" for n in range(200) if n not in bad]
    assert {letter["record_offset"] for letter in await letters(database)} == bad
    told = await database.pool.fetchval("select count(*) from outbox where topic = 'told'")
    assert told == 194, "what failed attempts told was taken back"


async def test_a_poisonous_duplicate_is_dropped_like_any_other(database: Database, delivery: Delivery) -> None:
    await delivery.handle([record(0, "poison", event_id="same")])
    outcome = await delivery.handle([record(1, "poison", event_id="same"), record(2, "a")])
    assert (outcome.duplicates, outcome.handled, outcome.dead_lettered) == (1, 1, 0)
    assert len(await letters(database)) == 1


async def test_what_fails_only_at_the_commit_is_found_too(database: Database) -> None:
    await database.pool.execute(
        "alter table tally add foreign key (learner_id) references learner deferrable initially deferred;"
        "insert into learner values ('ada')"
    )
    delivery = Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, tally)])
    batch = [record(0, "a"), record(1, "b", learner_id="unknown"), record(2, "c")]
    outcome = await delivery.handle(batch)
    assert (outcome.handled, outcome.dead_lettered) == (2, 1)
    assert await tallied(database) == ["a", "c"]
    assert "ForeignKeyViolationError" in (await letters(database))[0]["reason"]


async def test_a_passing_fault_while_culprits_are_sought_blames_nobody(database: Database) -> None:
    calls = 0

    async def flaky(work: Work, received: Sequence[Received[Any]]) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            await work.connection.execute("select pg_terminate_backend(pg_backend_pid())")
        await tally(work, received)

    delivery = Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, flaky)])
    batch = [record(n, "poison" if n == 2 else f"{n}") for n in range(8)]
    outcome = await delivery.handle(batch)
    assert (outcome.handled, outcome.dead_lettered) == (7, 1)
    assert await tallied(database) == [f"{n}" for n in range(8) if n != 2]


async def test_a_message_too_large_to_pass_on_is_kept_whole_in_the_table(
    database: Database, delivery: Delivery
) -> None:
    large_value = record(0, value=b"x" * 1_040_000)
    large_headers = record(1, headers=[("x", b"y" * 1_040_000)], value=b"small")
    outcome = await delivery.handle([large_value, large_headers])
    assert outcome.dead_lettered == 2
    assert [len(letter["value"]) for letter in await letters(database)] == [1_040_000, 5]
    rows = await database.pool.fetch("select * from outbox order by id")
    assert rows[0]["value"] is None
    assert "dead_letter_value" in rows[0]["header_names"]
    assert rows[1]["value"] == b"small"
    assert "dead_letter_headers" in rows[1]["header_names"]


async def test_a_handler_that_leaves_the_transaction_broken_is_no_harm(database: Database) -> None:
    async def swallows(work: Work, received: Sequence[Received[Any]]) -> None:
        await tally(work, [one for one in received if one.content.activity_id != "bad"])
        if any(one.content.activity_id == "bad" for one in received):
            try:
                await work.connection.execute("select 1 / 0")
            except asyncpg.DivisionByZeroError:
                pass

    delivery = Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, swallows)])
    outcome = await delivery.handle([record(0, "a"), record(1, "bad"), record(2, "b")])
    assert (outcome.handled, outcome.dead_lettered) == (2, 1)
    assert await tallied(database) == ["a", "b"]

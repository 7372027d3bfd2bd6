"""The relay tells Kafka each outbox row once, in order, whatever stops it (B2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.common.contracts.envelope import read_message
from libs.common.contracts.progress import ActivityCompleted
from libs.common.contracts.topics import dead_letters
from libs.common.messaging.delivery import Delivery, Hears
from libs.common.messaging.publisher import Publisher
from libs.common.messaging.relay import SQL, Relay, RelayRefusedError
from libs.common.messaging.work import LARGEST_VALUE_BYTES, Outgoing, begin
from libs.common.postgres.database import Database
from tests.conftest import FreshTopic
from tests.libs.common.messaging.records import NOON, TRACEPARENT, record, tally
from tests.libs.common.messaging.waiting import until

Committed = Callable[[str], Awaitable[list[Any]]]


def outgoing(topic: str, number: int, value: bytes | None = None, time: datetime = NOON) -> Outgoing:
    text = value if value is not None else str(number).encode()
    return Outgoing(topic, f"learner-{number % 7}", UUID(int=number), "cairn.told.v1", "/tests", "s", time, text,
                    TRACEPARENT)  # fmt: skip


async def tell(database: Database, events: list[Outgoing]) -> None:
    async with begin(database) as work:
        for event in events:
            work.tell(event)


async def until_empty(database: Database) -> None:
    async def is_so() -> bool:
        query = "select not exists (select from outbox) and outbox_ids = '{}' from relay_batch"
        return await database.pool.fetchval(query)

    await until(is_so)


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[None]:
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def relay(dsn: str, service: str, kafka_bootstrap: str) -> Relay:
    return Relay(dsn, service=service, bootstrap=kafka_bootstrap, batch_rows=100)


async def test_rows_arrive_once_and_in_order_for_each_key(
    database: Database, relay: Relay, fresh_topic: FreshTopic, committed: Committed
) -> None:
    topic = await fresh_topic(partitions=3)
    async with relaying(relay):
        for batch in range(5):
            await tell(database, [outgoing(topic, 200 * batch + n) for n in range(200)])
        await until_empty(database)
    found = await committed(topic)
    assert sorted(int(one.value) for one in found) == list(range(1000))
    for key in {one.key for one in found}:
        numbers = [int(one.value) for one in found if one.key == key]
        assert numbers == sorted(numbers)
        assert len({one.partition for one in found if one.key == key}) == 1


async def test_a_message_is_a_cloudevent(
    database: Database, relay: Relay, fresh_topic: FreshTopic, committed: Committed
) -> None:
    topic = await fresh_topic()
    told = Outgoing(topic, "ada", uuid4(), "cairn.told.v1", "/tests", None, NOON, None)
    await tell(database, [outgoing(topic, 3, b'{"a": 1}'), told])
    async with relaying(relay):
        await until_empty(database)
    first, tombstone = await committed(topic)
    envelope, value = read_message(first.key, first.headers, first.value)  # type: ignore[misc]
    assert (envelope.id, envelope.source, envelope.type, envelope.key, envelope.subject, envelope.traceparent) == (
        str(UUID(int=3)), "/tests", "cairn.told.v1", "learner-3", "s", TRACEPARENT,
    )  # fmt: skip
    assert (envelope.time, value) == (NOON, b'{"a": 1}')
    assert tombstone.value is None
    envelope, value = read_message(tombstone.key, tombstone.headers, tombstone.value)  # type: ignore[misc]
    assert (envelope.id, envelope.subject, value) == (str(told.event_id), None, None)


async def test_a_dead_letter_arrives_with_its_own_headers(
    database: Database, relay: Relay, service: str, committed: Committed
) -> None:
    bad = record(0, value=b"\xff", more_headers=[("x", b"\xff\x00"), ("none", None)])
    lost = record(1, headers=[], key=None, value=None)
    delivery = Delivery(database, service=service, hears=[Hears(bad.topic, ActivityCompleted, tally)])
    await delivery.handle([bad, lost])
    async with relaying(relay):
        await until_empty(database)
    one, other = await committed(dead_letters(service))
    assert (one.key, one.value) == (bad.key, bad.value)
    assert one.headers[: len(bad.headers)] == bad.headers
    assert dict(one.headers)["dead_letter_offset"] == b"0"
    assert (other.key, other.value) == (None, None)
    assert dict(other.headers)["dead_letter_stage"] == b"envelope"


async def test_large_messages_arrive(
    database: Database, relay: Relay, fresh_topic: FreshTopic, committed: Committed
) -> None:
    topic = await fresh_topic()
    await tell(database, [outgoing(topic, 0, b"x" * LARGEST_VALUE_BYTES) for _ in range(3)])
    async with relaying(relay):
        await until_empty(database)
    assert [len(one.value) for one in await committed(topic)] == [LARGEST_VALUE_BYTES] * 3


async def begin_batch(database: Database, rows: int) -> tuple[list[Any], int]:
    """Do what a leader does before it publishes."""
    found = await database.pool.fetch(SQL["next_rows"], rows)
    position = await database.pool.fetchval(SQL["begin_batch"], 0, [row["id"] for row in found])
    return found, position


async def test_a_batch_that_was_begun_but_not_published_is_sent(
    database: Database, relay: Relay, fresh_topic: FreshTopic, committed: Committed
) -> None:
    topic = await fresh_topic(partitions=2)
    await tell(database, [outgoing(topic, n) for n in range(10)])
    await begin_batch(database, 5)
    async with relaying(relay):
        await until_empty(database)
    assert sorted(int(one.value) for one in await committed(topic)) == list(range(10))


async def test_a_batch_that_was_published_but_not_deleted_is_not_sent_again(
    database: Database, relay: Relay, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic, committed: Committed
) -> None:
    topic = await fresh_topic(partitions=2)
    await tell(database, [outgoing(topic, n) for n in range(10)])
    publisher = Publisher(kafka_bootstrap, name=f"relay-{service}-0", marker=dead_letters(service))
    await publisher.start()
    await publisher.publish(*await begin_batch(database, 5))
    assert await publisher.committed_position() == 1
    await publisher.stop()
    async with relaying(relay):
        await until_empty(database)
    assert sorted(int(one.value) for one in await committed(topic)) == list(range(10))


async def test_a_leader_that_lost_its_place_can_publish_no_more(
    service: str, kafka_bootstrap: str, database: Database, fresh_topic: FreshTopic, committed: Committed
) -> None:
    topic = await fresh_topic()
    await tell(database, [outgoing(topic, n) for n in range(3)])
    batch = await begin_batch(database, 3)
    old, new = (Publisher(kafka_bootstrap, name=f"relay-{service}-0", marker=dead_letters(service)) for _ in "12")
    await old.start()
    await new.start()
    with pytest.raises(Exception, match=r"(?i)fenced|epoch|transaction"):
        await old.publish(*batch)
    await new.publish(*batch)
    await old.stop()
    await new.stop()
    assert [one.value for one in await committed(topic)] == [b"0", b"1", b"2"]


async def test_a_database_put_back_to_an_earlier_state_is_refused(
    database: Database, relay: Relay, fresh_topic: FreshTopic
) -> None:
    topic = await fresh_topic()
    await tell(database, [outgoing(topic, n) for n in range(3)])
    async with relaying(relay):
        await until_empty(database)
    await database.pool.execute("update relay_batch set position = 0")
    with pytest.raises(RelayRefusedError, match="at most, found 1: the database was put back"):
        await relay.run()


async def test_two_relays_tell_each_row_once_and_the_second_takes_over(
    dsn: str, service: str, kafka_bootstrap: str, database: Database, fresh_topic: FreshTopic, committed: Committed
) -> None:
    topic = await fresh_topic(partitions=3)
    relays = [Relay(dsn, service=service, bootstrap=kafka_bootstrap, batch_rows=50) for _ in range(2)]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    for batch in range(10):
        await tell(database, [outgoing(topic, 100 * batch + n) for n in range(100)])
        if batch == 5:
            tasks[0].cancel()
    await until_empty(database)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(int(one.value) for one in await committed(topic)) == list(range(1000))


async def test_a_relay_whose_connection_is_cut_goes_on_by_itself(
    dsn: str, service: str, kafka_bootstrap: str, database: Database, fresh_topic: FreshTopic, committed: Committed
) -> None:
    topic = await fresh_topic(partitions=3)
    async with relaying(Relay(dsn, service=service, bootstrap=kafka_bootstrap, batch_rows=50)):
        for batch in range(12):
            await tell(database, [outgoing(topic, 100 * batch + n) for n in range(100)])
            await asyncio.sleep(0.1)
            if batch % 3 == 1:
                await database.pool.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'cairn-relay' and datname = current_database()"
                )
        await until_empty(database)
    assert sorted(int(one.value) for one in await committed(topic)) == list(range(1200))

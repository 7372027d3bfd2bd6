"""What is on the topics reaches the handlers once, from where PostgreSQL stands (B2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from libs.common.contracts.progress import ActivityCompleted
from libs.common.messaging.consumer import Consumer
from libs.common.messaging.delivery import Delivery, Hears, Received
from libs.common.messaging.membership import is_member
from libs.common.messaging.replay import StoredRecord
from libs.common.messaging.work import Work
from libs.common.postgres.database import Database
from tests.conftest import FreshTopic
from tests.libs.common.messaging.conftest import create_topic
from tests.libs.common.messaging.records import record, tally
from tests.libs.common.messaging.waiting import until


async def produce(bootstrap: str, topic: str, records: Sequence[StoredRecord]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        sent = [
            await producer.send(topic, one.value, key=one.key, headers=list(one.headers), partition=one.partition)
            for one in records
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(consumer: Consumer) -> AsyncIterator[None]:
    task = asyncio.create_task(consumer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def consumer_of(
    database: Database, service: str, bootstrap: str, *topics: str, first: Sequence[str] = (), handle: Any = tally
) -> Consumer:
    hears = [Hears(topic, ActivityCompleted, handle) for topic in topics]
    delivery = Delivery(database, service=service, hears=hears)
    return Consumer(delivery, bootstrap=bootstrap, instance="0", batch_records=100, first=first)


async def until_tallied(database: Database, count: int) -> list[str]:
    async def is_so() -> bool:
        return await database.pool.fetchval("select count(*) from tally") >= count

    await until(is_so)
    return [row["activity_id"] for row in await database.pool.fetch("select * from tally order by number")]


async def until_consumed(database: Database, topic: str, next_offset: int) -> None:
    async def is_so() -> bool:
        query = "select next_offset from consumed where topic = $1 and partition = 0"
        return await database.pool.fetchval(query, topic) == next_offset

    await until(is_so)


async def commit_to_kafka(bootstrap: str, service: str, topic: str, next_offset: int) -> None:
    group = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=f"cairn-{service}", enable_auto_commit=False)
    await group.start()
    group.assign([TopicPartition(topic, 0)])
    await group.commit({TopicPartition(topic, 0): next_offset})
    await group.stop()


async def test_records_arrive_with_poison_and_broken_headers_among_them(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    """FastStream's own parser loses a whole batch for one null or non-UTF-8 header."""
    topic = await fresh_topic(partitions=2)
    records = [
        record(0, "a"), record(1, "b", more_headers=[("x", None), ("y", b"\xff")]), record(2, headers=[("z", None)]),
        record(3, value=b"{"), record(4, "c", partition=1), record(5, value=None), record(6, key=None, headers=[]),
        record(7, "d", partition=1),
    ]  # fmt: skip
    await produce(kafka_bootstrap, topic, records)
    async with consuming(consumer_of(database, service, kafka_bootstrap, topic)):
        tallied = await until_tallied(database, 5)
    assert sorted(tallied) == ["a", "b", "c", "d", "tombstone"]
    assert await database.pool.fetchval("select count(*) from dead_letter") == 3


async def test_postgresql_says_where_to_go_on_and_kafka_does_not(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    topic = await fresh_topic()
    await produce(kafka_bootstrap, topic, [record(n, f"{n}") for n in range(6)])
    # The group's own offset is ahead of the database, as after a restore: those records would be lost.
    await commit_to_kafka(kafka_bootstrap, service, topic, 5)
    await database.pool.execute("insert into consumed values ($1, 0, 2)", topic)
    async with consuming(consumer_of(database, service, kafka_bootstrap, topic)):
        assert await until_tallied(database, 4) == ["2", "3", "4", "5"]


async def test_partitions_given_while_the_database_is_away_are_taken_when_it_is_back(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    """No record comes that would wake it: Kafka believes that all was read."""
    topic = await fresh_topic(partitions=2)
    await produce(kafka_bootstrap, topic, [record(n, f"{n}") for n in range(6)])
    await commit_to_kafka(kafka_bootstrap, service, topic, 6)
    await database.pool.execute("insert into consumed values ($1, 0, 2)", topic)
    await database.pool.execute("alter table consumed rename to consumed_away")
    consumer = consumer_of(database, service, kafka_bootstrap, topic)

    async def is_known() -> bool:
        return consumer.lag_records == 0

    async with consuming(consumer):
        await asyncio.sleep(2)
        assert consumer.lag_records is None
        await database.pool.execute("alter table consumed_away rename to consumed")
        assert await until_tallied(database, 4) == ["2", "3", "4", "5"]
        await until(is_known)


async def test_a_replica_on_standby_is_well_though_it_has_no_partitions(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    topic = await fresh_topic(partitions=1)
    delivery = Delivery(database, service=service, hears=[Hears(topic, ActivityCompleted, tally)])
    replicas = [
        Consumer(delivery, bootstrap=kafka_bootstrap, instance=f"{n}", batch_records=100, stalled_seconds=1)
        for n in range(2)
    ]
    tasks = [asyncio.create_task(replica.run()) for replica in replicas]
    try:
        done, _ = await asyncio.wait(tasks, timeout=6, return_when=asyncio.FIRST_COMPLETED)
        assert not done
        group = f"cairn-{service}"
        for n, known in enumerate([True, True, False]):
            asked = is_member(bootstrap=kafka_bootstrap, group=group, client_id=f"{group}-{n}")
            assert await asked is known
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_database_that_lost_its_last_commits_reads_again_and_doubles_nothing(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    topic = await fresh_topic()
    await produce(kafka_bootstrap, topic, [record(n, f"{n}") for n in range(6)])
    async with consuming(consumer_of(database, service, kafka_bootstrap, topic)):
        await until_tallied(database, 6)
    await database.pool.execute(
        "update consumed set next_offset = 3;"
        "delete from inbox where event_id in (select event_id from tally where record_offset >= 4);"
        "delete from tally where record_offset >= 4"
    )
    async with consuming(consumer_of(database, service, kafka_bootstrap, topic)):
        assert await until_tallied(database, 6) == [f"{n}" for n in range(6)]
        await until_consumed(database, topic, 6)


async def test_a_topic_made_anew_is_read_from_its_beginning(
    database: Database, service: str, kafka_bootstrap: str
) -> None:
    topic = f"anew-{service}"
    await create_topic(kafka_bootstrap, topic, 1)
    before = [record(n, f"{n}") for n in range(5)]
    await produce(kafka_bootstrap, topic, before)
    async with consuming(consumer_of(database, service, kafka_bootstrap, topic)):
        await until_tallied(database, 5)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.delete_topics([topic])

    async def is_gone() -> bool:
        return topic not in await admin.list_topics()

    await until(is_gone)
    await admin.close()
    await create_topic(kafka_bootstrap, topic, 1)
    await produce(kafka_bootstrap, topic, [before[4], record(1, "new")])
    async with consuming(consumer_of(database, service, kafka_bootstrap, topic)):
        assert await until_tallied(database, 6) == [*(f"{n}" for n in range(5)), "new"]
        await until_consumed(database, topic, 2)


async def test_compacted_topics_are_read_to_their_end_first(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    catalogue, facts = await fresh_topic(compacted=True), await fresh_topic(partitions=3)
    await produce(kafka_bootstrap, facts, [record(n, "fact", partition=n % 3) for n in range(30)])
    await produce(kafka_bootstrap, catalogue, [record(n, "entry") for n in range(250)])
    consumer = consumer_of(database, service, kafka_bootstrap, facts, catalogue, first=[catalogue])
    async with consuming(consumer):
        tallied = await until_tallied(database, 280)
    assert tallied == ["entry"] * 250 + ["fact"] * 30


async def test_two_workers_share_the_partitions_and_take_over(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    topic = await fresh_topic(partitions=4)
    hears = [Hears(topic, ActivityCompleted, tally)]
    one, two = (
        Consumer(Delivery(database, service=service, hears=hears), bootstrap=kafka_bootstrap, instance=name,
                 batch_records=20)
        for name in "ab"
    )  # fmt: skip
    async with consuming(one):
        await produce(kafka_bootstrap, topic, [record(n, f"{n}", partition=n % 4) for n in range(100)])
        async with consuming(two):
            more = [record(n, f"{n}", partition=n % 4) for n in range(100, 300)]
            await produce(kafka_bootstrap, topic, more)
            tallied = await until_tallied(database, 300)
    assert sorted(map(int, tallied)) == list(range(300))


async def test_a_batch_in_hand_is_read_again_when_delivery_itself_fails(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await fresh_topic()
    await produce(kafka_bootstrap, topic, [record(n, f"{n}") for n in range(10)])
    consumer = consumer_of(database, service, kafka_bootstrap, topic)
    handle, failures = Delivery.handle, [RuntimeError("a bug of ours")]

    async def failing_once(self: Delivery, records: Any) -> Any:
        if failures:
            raise failures.pop()
        return await handle(self, records)

    monkeypatch.setattr(Delivery, "handle", failing_once)
    async with consuming(consumer):
        assert await until_tallied(database, 10) == [f"{n}" for n in range(10)]


async def test_a_database_that_goes_away_for_a_while_is_waited_for(
    database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    topic = await fresh_topic(partitions=2)
    away = True

    async def handle(work: Work, received: Sequence[Received[Any]]) -> None:
        if away:
            await work.connection.execute("select pg_terminate_backend(pg_backend_pid())")
        await tally(work, received)

    async with consuming(consumer_of(database, service, kafka_bootstrap, topic, handle=handle)):
        await produce(kafka_bootstrap, topic, [record(n, f"{n}", partition=n % 2) for n in range(40)])
        await asyncio.sleep(1)
        away = False
        tallied = await until_tallied(database, 40)
    assert sorted(map(int, tallied)) == list(range(40))

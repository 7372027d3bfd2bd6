"""The bare floor: the same Kafka and PostgreSQL, consume → batched upsert → produce, no rules, no signing.

It is what any pipeline of this kind must at least do for an event, in one process, in batches of 1,000, with
the consumed offsets in PostgreSQL; so the ratio to it tells what inboxes, contracts, rules and traces cost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

BATCH = 1_000
PARTITIONS = 6

_TABLES = """
create table if not exists latest (learner_id text, object_id text, payload bytea, primary key (learner_id, object_id));
create table if not exists taken (partition int primary key, next_offset bigint not null);
"""
_UPSERT = """
insert into latest select * from unnest($1::text[], $2::text[], $3::bytea[])
on conflict (learner_id, object_id) do update set payload = excluded.payload
"""
_OFFSETS = """
insert into taken select * from unnest($1::int[], $2::bigint[])
on conflict (partition) do update set next_offset = excluded.next_offset
"""


async def floor_rate(dsn: str, bootstrap: str, events: int) -> float:
    """Events a second of the bare loop over `events` events of about 100 bytes, already in the topic."""
    await _prepare(dsn, bootstrap, events)
    connection = await asyncpg.connect(dsn)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=2)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, max_poll_records=BATCH)
    await producer.start()
    await consumer.start()
    consumer.assign([TopicPartition("floor-in", number) for number in range(PARTITIONS)])
    await consumer.seek_to_beginning()
    done, started = 0, time.perf_counter()
    while done < events:
        polled = await consumer.getmany(timeout_ms=500, max_records=BATCH)
        records = [record for some in polled.values() for record in some]
        if records:
            await _handle(connection, producer, records)
            done += len(records)
    seconds = time.perf_counter() - started
    await consumer.stop()
    await producer.stop()
    await connection.close()
    return events / seconds


async def _handle(
    connection: asyncpg.Connection, producer: AIOKafkaProducer, records: Sequence[ConsumerRecord]
) -> None:
    rows = {(record.key.decode(), f"object-{record.offset % 50}"): record.value for record in records}
    offsets = {record.partition: record.offset + 1 for record in records}
    async with connection.transaction():
        await connection.execute(_UPSERT, [k[0] for k in rows], [k[1] for k in rows], list(rows.values()))
        await connection.execute(_OFFSETS, list(offsets), list(offsets.values()))
    sent = [await producer.send("floor-out", record.value, record.key) for record in records]
    await asyncio.gather(*sent)


async def _prepare(dsn: str, bootstrap: str, events: int) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(_TABLES)
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in ("floor-in", "floor-out")])
    await admin.close()
    body = b'{"learner_id":"%d","assessment_id":"oulad:assessment:1752","score":{"raw":"78","max":"100"}}'
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5) as producer:
        for first in range(0, events, 5_000):
            numbers = range(first, min(first + 5_000, events))
            sent = [await producer.send("floor-in", body % (n % 5_000), str(n % 5_000).encode()) for n in numbers]
            await asyncio.gather(*sent)

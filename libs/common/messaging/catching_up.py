"""Reading topics to their present end, outside of any group: before a worker begins, and to rebuild a database."""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer

from libs.common.messaging import store
from libs.common.messaging.delivery import Delivery
from libs.common.messaging.places import Places
from libs.common.messaging.store import Partition

log = structlog.get_logger(__name__)

POLL_MS = 50


async def catch_up(
    delivery: Delivery, topics: Sequence[str], *, bootstrap: str, client_id: str, batch_records: int,
    until: Callable[[Partition], int | None] = lambda _: None,
) -> int:  # fmt: skip
    """Have `delivery` handle what is on `topics` from where its database stands to their end as of now.

    Answers how many records were read. Any number of processes may do so at once: the fence lets each record be
    handled by one. `until` gives the offset at which the reading of a partition ends early, None for its end as of now.
    Raises `LookupError` when a topic is absent, and what Kafka raises when it is away.
    """
    consumer: Any = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    records_read = 0
    await consumer.start()
    try:
        # Without a group, a consumer is given all partitions of its topics.
        partitions = consumer.assignment()
        absent = sorted(set(topics) - {partition.topic for partition in partitions})
        if absent:
            raise LookupError(f"expected the topics {tuple(topics)}, found no {absent}")
        places = Places(delivery.database, lambda: consumer)
        await places.take(partitions)
        ends: dict[Partition, int] = await consumer.end_offsets(partitions)
        limits = {place: limit for place in partitions if (limit := until(place)) is not None}
        ends = {place: min(end, limits.get(place, end)) for place, end in ends.items()}
        while [partition for partition in partitions if await consumer.position(partition) < ends[partition]]:
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=batch_records)
            batch = [record for records in found.values() for record in records if _lies_before(record, limits)]
            if batch:
                await delivery.handle(batch)
                records_read += len(batch)
        await _pass_by(delivery, {place: ends[place] for place in limits})
    finally:
        await consumer.stop()
    log.info("caught up", topics=tuple(topics), records=records_read)
    return records_read


def _lies_before(record: Any, limits: Mapping[Partition, int]) -> bool:
    limit = limits.get((record.topic, record.partition))
    return limit is None or record.offset < limit


async def _pass_by(delivery: Delivery, limits: Mapping[Partition, int]) -> None:
    """What was read up to its limit is known up to there, though compaction may have left no record just before it."""
    if not limits:
        return
    async with delivery.database.transaction() as connection:
        known = await store.lock_partitions(connection, sorted(limits))
        await store.advance_partitions(connection, {place: max(known[place], end) for place, end in limits.items()})

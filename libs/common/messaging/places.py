"""Where a consumer stands in its partitions: always where PostgreSQL says (B2)."""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from libs.common.messaging import store
from libs.common.messaging.faults import backoff_seconds, name_of
from libs.common.messaging.store import Partition

if TYPE_CHECKING:
    from libs.common.postgres.database import Database

log = structlog.get_logger(__name__)


class Places(ConsumerRebalanceListener):
    """Seeks the partitions that a consumer is given to the offsets in PostgreSQL.

    Kafka's own group offsets mean nothing: a database that lost its last commits, or was restored, reads again
    what it does not know of. `consumer` gives the `AIOKafkaConsumer`, which is made after its listener.
    """

    def __init__(self, database: Database, consumer: Callable[[], Any]) -> None:
        self._database = database
        self._consumer = consumer
        self._taken: set[Partition] = set()
        self._taking = asyncio.Lock()  # the consumer's loop and its watch may both find that a place is missing
        self._handled: dict[Partition, int] = {}

    # aiokafka awaits what these return, though it declares them as plain functions.
    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        """Called by the consumer before a rebalance."""
        self._taken.difference_update(revoked)

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Collection[TopicPartition]
    ) -> None:
        """Called by the consumer after a rebalance. When PostgreSQL is away, the first batch has to wait for it."""
        self._taken.difference_update(assigned)
        if assigned:
            try:
                await self._take(assigned)
            except Exception as fault:
                log.warning("partitions not placed yet", fault=name_of(fault))

    async def take_missing(self) -> None:
        """Seek whatever is assigned and not placed yet: once, raising what PostgreSQL or Kafka says against it.

        A partition whose records Kafka believes to be read delivers none, so no batch would ever come and place it.
        """
        async with self._taking:
            if missing := self._consumer().assignment() - self._taken:
                await self._place(missing)

    def are_taken(self, partitions: Collection[Partition]) -> bool:
        """Whether the consumer's position in all of these partitions comes from PostgreSQL."""
        return self._taken.issuperset(partitions)

    async def take(self, partitions: Collection[Partition]) -> None:
        """Seek to the offsets in PostgreSQL; waits as long as PostgreSQL or Kafka is away."""
        for wait_seconds in backoff_seconds():
            try:
                return await self._take([TopicPartition(*partition) for partition in partitions])
            except Exception as fault:
                log.warning("partitions not placed yet", fault=name_of(fault))
                await asyncio.sleep(wait_seconds)
        raise AssertionError("unreachable")

    async def _take(self, partitions: Collection[TopicPartition]) -> None:
        async with self._taking:
            await self._place(partitions)

    async def _place(self, partitions: Collection[TopicPartition]) -> None:
        consumer = self._consumer()
        first = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
        async with self._database.transaction() as connection:
            stored = await store.next_offsets(connection, list(partitions))
            for partition in partitions:
                offset = stored.get(partition, 0)
                if offset > end[partition]:
                    # The topic was made anew, or its broker lost data. The inbox drops what was seen before.
                    log.error("topic is shorter than what was handled: reading it again from its beginning",
                              topic=partition.topic, partition=partition.partition, expected=offset,
                              found=end[partition])  # fmt: skip
                    await store.rewind_partition(connection, *partition, first[partition])
                    stored[partition] = first[partition]
                elif partition in stored and offset < first[partition]:
                    log.error("records were deleted before they were handled", topic=partition.topic,
                              partition=partition.partition, expected=offset, found=first[partition])  # fmt: skip
        for partition in consumer.assignment().intersection(partitions):
            consumer.seek(partition, max(stored.get(partition, 0), first[partition]))
            self._taken.add(partition)

    def note_handled(self, next_offsets: dict[Partition, int]) -> None:
        """Remember what to tell Kafka at the next `tell_kafka`."""
        self._handled.update(next_offsets)

    async def tell_kafka(self) -> None:
        """Commit the offsets to Kafka too, for tools that watch the lag."""
        consumer = self._consumer()
        own = consumer.assignment().intersection(self._handled)
        # `own` may hold plain pairs, which aiokafka refuses.
        offsets = {TopicPartition(*partition): OffsetAndMetadata(self._handled[partition], "") for partition in own}
        self._handled.clear()
        if offsets:
            await consumer.commit(offsets)

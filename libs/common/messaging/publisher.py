"""Batches of outbox rows as Kafka transactions, each with its number as the relay's committed position."""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from libs.common.contracts.envelope import Envelope, headers_of
from libs.common.messaging.partition import partition_of

if TYPE_CHECKING:
    from asyncpg import Record as Row

LARGEST_BATCH_BYTES = 1_000_000  # brokers take 1,048,588 by default
REQUEST_TIMEOUT_SECONDS = 15
PUBLISH_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 5
_LOADING_SECONDS = 0.1

_Headers = list[tuple[str, bytes | None]]
_Message = tuple[int, bytes | None, bytes | None, _Headers]


class Publisher:
    """A transactional producer. `name` is its transactional id and the group under which its position is kept.

    `marker` is the partition whose offset is the position; any partition that exists will do, nothing is read
    from it. Starting a second publisher of the same name fences the first off for ever.
    """

    def __init__(self, bootstrap: str, *, name: str, marker: str) -> None:
        self._bootstrap = bootstrap
        self._name = name
        self._marker = TopicPartition(marker, 0)
        self._producer: Any = AIOKafkaProducer(  # aiokafka has no types of its own
            bootstrap_servers=bootstrap,
            client_id=name,
            transactional_id=name,
            enable_idempotence=True,
            acks="all",
            max_batch_size=LARGEST_BATCH_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_SECONDS * 1000,
            transaction_timeout_ms=PUBLISH_TIMEOUT_SECONDS * 1000,
        )

    async def start(self) -> None:
        """Connect, fence off an older publisher of this name, and have its open transaction ended."""
        async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
            await self._producer.start()

    async def stop(self) -> None:
        """Close the connections; what is still open is aborted by the broker."""
        try:
            async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                await self._producer.stop()
        except Exception:  # noqa: S110 - it is being thrown away, whatever is wrong with it
            pass

    async def committed_position(self) -> int | None:
        """The number of the last batch that Kafka committed; None when Kafka knows of none."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, client_id=self._name)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                await admin.start()
                # A coordinator that is still loading the group answers with an error that aiokafka does not look
                # at, and with no partitions.
                while self._marker not in (offsets := await self._offsets(admin)):  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(_LOADING_SECONDS)
        finally:
            await admin.close()
        position: int = offsets[self._marker].offset
        return None if position < 0 else position

    async def _offsets(self, admin: Any) -> dict[TopicPartition, OffsetAndMetadata]:
        return await admin.list_consumer_group_offsets(self._name, partitions=[self._marker])

    async def publish(self, rows: Sequence[Row], position: int) -> None:
        """Publish `rows` in order and commit `position`, all or nothing.

        After any exception the outcome is unknown and this publisher is of no more use: ask a new one for the
        committed position.
        """
        async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
            await self._producer.begin_transaction()
            await self._send(rows)
            await self._producer.send_offsets_to_transaction(
                {self._marker: OffsetAndMetadata(position, "")}, self._name
            )
            await self._producer.commit_transaction()

    async def _send(self, rows: Sequence[Row]) -> None:
        by_partition: defaultdict[tuple[str, int], list[_Message]] = defaultdict(list)
        counts: dict[str, int] = {}
        for row in rows:
            topic, key = row["topic"], row["key"]
            if topic not in counts:
                counts[topic] = len(await self._producer.partitions_for(topic))
            count = counts[topic]
            partition = random.randrange(count) if key is None else partition_of(key, count)  # noqa: S311
            by_partition[topic, partition].append(_message_of(row))
        sent = [
            future
            for (topic, partition), messages in by_partition.items()
            for future in await self._send_to(topic, partition, messages)
        ]
        for result in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _send_to(self, topic: str, partition: int, messages: Sequence[_Message]) -> list[asyncio.Future[Any]]:
        # Whole batches are built here: a future and a lock for each message would cost more than the message.
        sent: list[asyncio.Future[Any]] = []
        builder = self._producer.create_batch()
        for timestamp, key, value, headers in messages:
            if builder.append(timestamp=timestamp, key=key, value=value, headers=headers) is None:
                sent.append(await self._producer.send_batch(builder, topic, partition=partition))
                builder = self._producer.create_batch()
                builder.append(timestamp=timestamp, key=key, value=value, headers=headers)
        sent.append(await self._producer.send_batch(builder, topic, partition=partition))
        return sent


def _message_of(row: Row) -> _Message:
    (_, _, key, value, event_id, type_, source, subject, time, traceparent, names, contents, created_at) = row
    headers: _Headers
    if names is not None:
        headers = list(zip(names, contents, strict=True))
    else:
        headers = [*headers_of(Envelope(str(event_id), source, type_, time, "", subject, traceparent))]
    return int(created_at.timestamp() * 1000), key, value, headers

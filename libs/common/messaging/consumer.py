"""The door of a worker towards Kafka: one batch subscriber for all of its topics, every policy explicit.

FastStream's defaults acknowledge first and skip what they cannot parse; here PostgreSQL keeps the offsets, and
records reach `delivery` untouched.
"""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage

from libs.common.messaging.catching_up import catch_up
from libs.common.messaging.delivery import Delivery
from libs.common.messaging.faults import backoff_seconds, name_of
from libs.common.messaging.membership import is_member
from libs.common.messaging.places import Places
from libs.common.telemetry import LAG_RECORDS

log = structlog.get_logger(__name__)

BATCH_TIMEOUT_MS = 50  # FastStream also sleeps as long after an empty poll
SESSION_TIMEOUT_MS = 10_000
GRACEFUL_SECONDS = 15.0
STOP_TIMEOUT_SECONDS = GRACEFUL_SECONDS + 5
WATCH_SECONDS = 1.0
STALLED_SECONDS = 60.0
_QUIET = logging.getLogger("libs.common.messaging.faststream")
_QUIET.setLevel(logging.ERROR)


class StalledError(Exception):
    """Records wait and none is handled, or Kafka has forgotten this consumer: the process should be started anew."""


class Consumer:
    """Feeds `delivery` with what is on its topics.

    `first` names compacted topics, read to their present end before anything else is taken, so that a fresh
    database learns the catalogue before the facts. `instance` is this replica's lasting name: restarts under the
    same name cost no rebalance. `stalled_seconds` is how long it may stand still before `StalledError`.
    """

    def __init__(
        self, delivery: Delivery, *, bootstrap: str, instance: str, batch_records: int, first: Sequence[str] = (),
        stalled_seconds: float = STALLED_SECONDS,
    ) -> None:  # fmt: skip
        self._delivery = delivery
        self._bootstrap = bootstrap
        self._group = f"cairn-{delivery.service}"
        self._instance = f"{self._group}-{instance}"
        self._batch_records = batch_records
        self._stalled_seconds = stalled_seconds
        self._first = tuple(topic for topic in first if topic in delivery.hearing.topics)
        self._subscriber: Any = None
        # Records that wait, those in hand included; None while it is not known.
        self.lag_records: int | None = None
        self._in_hand = 0
        self._places = Places(delivery.database, lambda: self._subscriber.consumer)

    async def run(self) -> None:
        """Consume until cancelled, waiting as long as Kafka is away. Raises `StalledError` when stuck."""
        for wait_seconds in backoff_seconds(first=0.2):
            try:
                if self._first:
                    await catch_up(
                        self._delivery, self._first, bootstrap=self._bootstrap, client_id=self._instance,
                        batch_records=self._batch_records,
                    )  # fmt: skip
                await self._consume()
            except StalledError:
                raise
            except Exception as fault:
                log.warning("consumer interrupted", fault=name_of(fault))
                await asyncio.sleep(wait_seconds)

    async def _consume(self) -> None:
        broker = self._subscribe()
        self.lag_records = None
        try:
            await broker.start()
            log.info("consuming", topics=self._delivery.hearing.topics, group=self._group)
            await self._watch(self._subscriber.consumer)
        finally:
            try:
                async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                    await broker.stop()
            except TimeoutError:
                log.warning("consumer did not stop in time")

    def _subscribe(self) -> KafkaBroker:
        broker = KafkaBroker(
            self._bootstrap,
            client_id=self._instance,
            consumer_only=True,  # what is told goes through the outbox
            allow_auto_create_topics=False,  # a misspelt topic must not come to life
            graceful_timeout=GRACEFUL_SECONDS,
            metadata_max_age_ms=30_000,
            apply_types=False,
            logger=_QUIET,
        )
        self._subscriber = broker.subscriber(
            *self._delivery.hearing.topics,
            batch=True,
            max_records=self._batch_records,
            batch_timeout_ms=BATCH_TIMEOUT_MS,
            group_id=self._group,
            group_instance_id=self._instance,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            ack_policy=AckPolicy.MANUAL,
            listener=self._places,
            parser=_unparsed,
            decoder=_undecoded,
            no_reply=True,
        )
        self._subscriber(self._on_batch)
        return broker

    async def _on_batch(self, records: Any) -> None:  # FastStream makes a pydantic model of what is named here
        partitions = {(record.topic, record.partition) for record in records}
        if not self._places.are_taken(partitions):
            await self._places.take(partitions)
            return
        self._in_hand = len(records)
        try:
            outcome = await self._delivery.handle(records)
        except Exception:
            # FastStream would go on with the next batch, and this one would be lost until the next restart.
            log.exception("batch not handled; reading it again")
            await self._places.take(partitions)
            await asyncio.sleep(1)
        else:
            self._places.note_handled(outcome.next_offsets)
        finally:
            self._in_hand = 0

    async def _watch(self, consumer: Any) -> None:
        """Measure the lag, tell Kafka the offsets, and see to it that there is progress while records wait."""
        moved_at = placed_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self._places.take_missing()
                lag = self.lag_records = await self._measure_lag(consumer)
                await self._places.tell_kafka()
                if consumer.assignment() or time.monotonic() - placed_at > self._stalled_seconds:
                    await self._check_membership(consumer)
                    placed_at = time.monotonic()
            except StalledError:
                raise
            except Exception as fault:
                log.warning("kafka or the database away", fault=name_of(fault))
                self.lag_records = None
                moved_at = placed_at = time.monotonic()
                continue
            moved_at = time.monotonic() if not lag else max(moved_at, self._delivery.progressed_at)
            if time.monotonic() - moved_at > self._stalled_seconds:
                raise StalledError(f"{self._group}: {lag} records wait, none handled for {self._stalled_seconds:.0f} s")

    async def _check_membership(self, consumer: Any) -> None:
        # A replica on standby holds no partitions either; after a broker's restart, aiokafka may not join again.
        if not consumer.assignment() and not await is_member(
            bootstrap=self._bootstrap, group=self._group, client_id=self._instance
        ):
            raise StalledError(f"{self._group}: no partitions, and Kafka does not know of this consumer")

    async def _measure_lag(self, consumer: Any) -> int | None:
        partitions = consumer.assignment()
        if not partitions or not self._places.are_taken(partitions):
            return None
        lags = Counter[str]()
        for partition, end in (await consumer.end_offsets(partitions)).items():
            lags[partition.topic] += max(0, end - await consumer.position(partition))
        for topic in self._delivery.hearing.topics:
            LAG_RECORDS.labels(self._delivery.service, topic).set(lags[topic])
        return lags.total() + self._in_hand


async def _unparsed(records: tuple[Any, ...]) -> KafkaMessage:
    """In place of FastStream's parser, which raises on a header that is null or not UTF-8, losing the batch."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _undecoded(message: KafkaMessage) -> Any:
    return message.raw_message

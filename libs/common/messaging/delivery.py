"""Delivery: one batch of records is one transaction. Nothing is lost, and nothing happens twice (B2, B9).

In one PostgreSQL transaction: fence off what this service has handled before, bury what cannot be read, drop the
events seen before, let wait what stands behind a dead letter, run the handlers, write the outbox, move the
offsets. Kafka's own offsets are told afterwards and mean nothing here.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from opentelemetry.trace import SpanKind

from libs.common.messaging.batch import Batch
from libs.common.messaging.faults import SLOW, TooSlow, backoff_seconds, is_passing, name_of
from libs.common.messaging.hearing import Entry, Hearing, Hears, Received, Record
from libs.common.messaging.store import Partition
from libs.common.messaging.work import begin
from libs.common.telemetry import BATCH_SECONDS, EVENTS, LAG_SECONDS, links_to, parent_context, tracer

if TYPE_CHECKING:
    from libs.common.postgres.database import Database

__all__ = ["Delivery", "Hears", "Outcome", "Received", "Record"]

log = structlog.get_logger(__name__)


# As often as a whole batch may take too long before it is halved: a server may just be slow for a while.
_SLOW_ATTEMPTS = 2
# As often as an event alone may take too long before it becomes a dead letter, so that its partition goes on.
_SLOW_ATTEMPTS_ALONE = 5
_ANSWERS_WITHIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: how many records of each fate, and the next offset of each partition."""

    handled: int
    duplicates: int
    fenced: int
    dead_lettered: int
    parked: int
    next_offsets: dict[Partition, int]

    def and_then(self, later: Outcome) -> Outcome:
        """This outcome and that of the records behind."""
        return Outcome(
            self.handled + later.handled,
            self.duplicates + later.duplicates,
            self.fenced + later.fenced,
            self.dead_lettered + later.dead_lettered,
            self.parked + later.parked,
            self.next_offsets | later.next_offsets,
        )


class Delivery:
    """The inside of the batch loop of one service, for its table of what it hears."""

    def __init__(self, database: Database, *, service: str, hears: Sequence[Hears]) -> None:
        self.database = database
        self.service = service
        self.hearing = Hearing(hears)
        # The last sign of life, by the monotonic clock: a batch that ended, or that waits for the database.
        self.progressed_at = time.monotonic()

    async def handle(self, records: Sequence[Record]) -> Outcome:
        """Handle a batch: returns once it is committed, however long the database is away.

        A passing fault has the whole batch tried again, for ever, with a jittered back-off. Any other fault has
        it settled event by event, so that only the culprits become dead letters. A batch whose statements take too
        long again and again is halved: each half is a transaction of its own. An event that takes too long alone, while
        the server answers others, becomes a dead letter too.
        """
        return await self._handle([self.hearing.read(record) for record in records])

    async def _handle(self, entries: Sequence[Entry]) -> Outcome:
        careful, slow = False, 0
        for wait_seconds in backoff_seconds():
            try:
                batch = await self._try(entries, careful=careful)
            except Exception as fault:
                self.progressed_at = time.monotonic()
                passing = is_passing(fault)
                log.warning("batch failed", fault=name_of(fault), passing=passing, careful=careful,
                            records=len(entries))  # fmt: skip
                if not passing and not careful:
                    careful = True
                    continue
                slow += isinstance(fault, TooSlow)
                if slow >= _SLOW_ATTEMPTS and len(entries) > 1:
                    half = len(entries) // 2
                    first = await self._handle(entries[:half])
                    return first.and_then(await self._handle(entries[half:]))
                if slow >= _SLOW_ATTEMPTS_ALONE and await self._answers():
                    entries[0].give_up(SLOW)
                    careful = True
                    continue
                await asyncio.sleep(wait_seconds)
            else:
                self.progressed_at = time.monotonic()
                return self._measure(batch, entries)
        raise AssertionError("unreachable")

    async def _try(self, entries: Sequence[Entry], *, careful: bool) -> Batch:
        traceparents = [entry.received.event.traceparent for entry in entries if entry.received is not None]
        # OpenTelemetry messaging conventions: a batch links to its messages; a single message is the parent.
        alone = traceparents[0] if len(entries) == 1 and traceparents else None
        batch = Batch(self.service, self.hearing)
        with (
            BATCH_SECONDS.labels(self.service).time(),
            tracer.start_as_current_span(
                "process",
                parent_context(alone),
                SpanKind.CONSUMER,
                {"messaging.system": "kafka", "messaging.batch.message_count": len(entries)},
                [] if alone else links_to(traceparents),
            ),
        ):
            async with begin(self.database) as work:
                try:
                    await batch.take(work, entries, careful=careful)
                except TimeoutError as fault:  # of a statement: connecting is over
                    raise TooSlow from fault
        return batch

    async def _answers(self) -> bool:
        """Whether the database answers at once: then what is slow is the event, not the server."""
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS):
                await self.database.ping()
        except Exception:  # whatever keeps it from answering
            return False
        return True

    def _measure(self, batch: Batch, entries: Sequence[Entry]) -> Outcome:
        dead = [entry for entry, _ in batch.dead]
        fates = {"handled": batch.handled, "duplicate": batch.duplicates, "fenced": batch.fenced,
                 "dead-lettered": dead, "parked": batch.parked}  # fmt: skip
        for fate, sharers in fates.items():
            for topic, count in Counter(entry.record.topic for entry in sharers).items():
                EVENTS.labels(self.service, topic, fate).inc(count)
        for entry, why in batch.dead:
            record = entry.record
            log.warning("dead letter", topic=record.topic, partition=record.partition, offset=record.offset,
                        event_id=str(entry.received.event_id) if entry.received else None, stage=why.stage)  # fmt: skip
        if entries:
            LAG_SECONDS.labels(self.service).set(max(0.0, time.time() - entries[-1].record.timestamp / 1000))
        return Outcome(len(batch.handled), len(batch.duplicates), len(batch.fenced), len(dead), len(batch.parked),
                       batch.next_offsets)  # fmt: skip

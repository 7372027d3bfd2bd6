"""The worker's side of dead letters: resend or discard what operators asked for, then release what waits behind.

A message goes through the same path as the first time: contract, handler, outbox, one transaction.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from libs.common.messaging import store
from libs.common.messaging.dead_letters import SQL, add_audit
from libs.common.messaging.delivery import Delivery
from libs.common.messaging.faults import SLOW, backoff_seconds, name_of
from libs.common.messaging.hearing import Entry, Unusable
from libs.common.messaging.settlement import Settlement
from libs.common.messaging.store import Place
from libs.common.messaging.work import Work, begin
from libs.common.telemetry import parent_context, tracer

if TYPE_CHECKING:
    from asyncpg import Record as Row

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
RELEASED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it was kept, with all that a Kafka record has."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Replay:
    """Does what operators asked for, one message at a time."""

    def __init__(self, delivery: Delivery) -> None:
        self._database = delivery.database
        self._hearing = delivery.hearing
        self._service = delivery.service
        # Fewer while so many take too long; 0 when even the first alone does.
        self._at_once = RELEASED_AT_ONCE

    async def run(self) -> None:
        """Do what is asked until cancelled, waiting as long as the database is away."""
        waits = backoff_seconds()
        while True:
            try:
                while await self.step():
                    pass
                waits = backoff_seconds()
                await asyncio.sleep(POLL_SECONDS)
            except Exception as fault:
                log.warning("replay interrupted", fault=name_of(fault))
                await asyncio.sleep(next(waits))

    async def step(self) -> bool:
        """Settle one dead letter, or release some events of one key. False when there is nothing to do."""
        return await self._settle_next() or await self._release_next()

    async def _settle_next(self) -> bool:
        row: Row | None = None
        try:
            async with self._database.transaction() as connection:
                row = await connection.fetchrow(SQL["next_requested"])
                if row is not None:
                    with tracer.start_as_current_span("resend", parent_context(row["traceparent"])):
                        work = Work(connection)
                        await self._settle_letter(work, row)
                        await work.flush()
        except TimeoutError:  # of a statement: other letters must not wait behind this one
            if row is None:
                raise
            async with begin(self._database) as work:
                await self._note_failure(work, row["id"], "handler", SLOW, attempts=1)
        return row is not None

    async def _release_next(self) -> bool:
        try:
            async with begin(self._database) as work:
                row = await work.connection.fetchrow(SQL["next_released_key"])
                if row is not None:
                    await self._release(work, (row["topic"], row["key"]))
        except TimeoutError:
            self._at_once //= 2
            raise
        self._at_once = RELEASED_AT_ONCE
        return row is not None

    async def _settle_letter(self, work: Work, row: Row) -> None:
        dead_letter_id, connection = row["id"], work.connection
        if row["state"] == "discard":
            await connection.execute(SQL["close_dead_letter"], dead_letter_id, "discarded")
            return
        entry = self._hearing.read(_record_of(row))
        why, seen_before = await self._handle(work, entry, is_counted=row["was_seen"])
        if why is not None:
            await self._note_failure(work, dead_letter_id, why.stage, why.reason, attempts=max(1, entry.attempts))
            return
        await connection.execute(SQL["close_dead_letter"], dead_letter_id, "handled")
        reason = "another message with this event id was handled before" if seen_before else "handled"
        await self._audit(work, dead_letter_id, "handled", reason)

    async def _note_failure(self, work: Work, dead_letter_id: int, stage: str, reason: str, *, attempts: int) -> None:
        reason = store.clean(reason)[: store.LONGEST_REASON]
        await work.connection.execute(SQL["note_failed_again"], dead_letter_id, stage, reason, attempts)
        await self._audit(work, dead_letter_id, "failed again", reason)

    async def _handle(self, work: Work, entry: Entry, *, is_counted: bool) -> tuple[Unusable | None, bool]:
        """Why the entry cannot be handled (or None), and whether its event was handled before.

        An event that failed in its handler, or was parked, is in the inbox already (`is_counted`); any other was never
        counted as seen.
        """
        if entry.received is None:
            return entry.unusable, False
        is_counted = is_counted or self._hearing.rows[entry.row].knows_seen
        if not is_counted and not await store.note_seen(work.connection, [entry.received.event_id]):
            return None, True
        settlement = Settlement(self._hearing)
        await settlement.settle(work, [entry])
        return (settlement.culprits[0][1] if settlement.culprits else None), False

    async def _release(self, work: Work, place: Place) -> None:
        """Handle the next events that wait at `place`; the first that fails is the new reason to wait."""
        connection = work.connection
        rows = await connection.fetch(SQL["parked_events"], *place, max(1, self._at_once))
        if not rows:
            await connection.execute(SQL["release_key"], *place)
            log.info("key released", topic=place[0])
            return
        entries = {self._hearing.read(_record_of(row)): row["id"] for row in rows}
        if self._at_once == 0:
            for entry in entries:
                entry.give_up(SLOW)
        settlement = Settlement(self._hearing)
        await settlement.settle(work, [entry for entry in entries if entry.received is not None])
        for entry in entries:
            if entry.unusable is not None:
                await store.add_dead_letter(connection, self._service, entry, entry.unusable, was_parked=True)
        for entry, why in settlement.culprits:
            dead_letter_id = await store.add_dead_letter(connection, self._service, entry, why, was_parked=True)
            await connection.execute(SQL["hold_key"], *place, dead_letter_id)
        waiting = set(settlement.waiting)
        await connection.execute(
            SQL["remove_parked"], [row_id for entry, row_id in entries.items() if entry not in waiting]
        )

    async def _audit(self, work: Work, dead_letter_id: int, action: str, reason: str) -> None:
        await add_audit(work.connection, dead_letter_id, action, f"worker of {self._service}", reason)


def _record_of(row: Row) -> StoredRecord:
    return StoredRecord(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["record_offset"],
        timestamp=int(row["sent_at"].timestamp() * 1000),
        key=row["key"],
        value=row["value"],
        headers=tuple(zip(row["header_names"], row["header_values"], strict=True)),
    )

"""One unit of work is one transaction: what a handler changes and what it tells are committed together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.telemetry import current_traceparent

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Database

LARGEST_VALUE_BYTES = 1_000_000  # a broker takes 1,048,588 bytes a batch; the rest is for key and headers
_OUTBOX_COLUMNS = ["topic", "key", "event_id", "type", "source", "subject", "time", "traceparent", "value"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to tell.

    `key` decides the partition (learner id, achievement id, badge id); `event_id` is the CloudEvents `id` and
    must be derived from what is told, so that a replay tells the same event; `type` is the contract's `TYPE`;
    `source` names the teller (`/cairn/awarding`); `time` (aware) is when the fact happened; `value` is the JSON
    of the contract, None for a tombstone; `traceparent` is that of the cause, None for the current span.
    """

    topic: str
    key: str
    event_id: UUID
    type: str
    source: str
    subject: str | None
    time: datetime
    value: bytes | None
    traceparent: str | None = None


class Work:
    """An open transaction and the events that it will tell."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.trace_context = current_traceparent()
        self._outgoing: list[Outgoing] = []

    def tell(self, event: Outgoing) -> None:
        """Tell `event` when, and only when, this transaction commits. Events leave in the order they were told.

        Raises `ValueError` when the value is too large for Kafka or the time has no offset.
        """
        if event.value is not None and len(event.value) > LARGEST_VALUE_BYTES:
            raise ValueError(f"{event.type}: expected at most {LARGEST_VALUE_BYTES} bytes, found {len(event.value)}")
        if event.time.tzinfo is None:
            raise ValueError(f"{event.type}: expected an aware time, found {event.time.isoformat()}")
        self._outgoing.append(event)

    def forget(self) -> None:
        """Drop the events that were told since the last flush (their savepoint was rolled back)."""
        self._outgoing.clear()

    async def flush(self) -> None:
        """Write the events into the outbox. `begin` does it just before the commit, so that row ids follow the
        order in which transactions that share a locked row commit."""
        events, self._outgoing = self._outgoing, []
        if not events:
            return
        context = self.trace_context
        # COPY costs half of what an INSERT from arrays costs, and keeps the order as well.
        await self.connection.copy_records_to_table(
            "outbox",
            columns=_OUTBOX_COLUMNS,
            records=[
                (
                    event.topic, event.key.encode(), event.event_id, event.type, event.source, event.subject,
                    event.time, event.traceparent or context, event.value,
                )
                for event in events
            ],
        )  # fmt: skip


@asynccontextmanager
async def begin(database: Database) -> AsyncGenerator[Work]:
    """One unit of work: flushed and committed on a clean exit, rolled back when the body raises."""
    async with database.transaction() as connection:
        work = Work(connection)
        yield work
        await work.flush()

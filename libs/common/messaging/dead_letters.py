"""What operators see and ask: dead letters, and how delivery is doing. The worker does what is asked (`replay`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from libs.common.messaging import store
from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

SQL = load_queries(Path(__file__).parent / "sql" / "dead_letters.sql")

State = Literal["waiting", "resend", "discard", "handled", "discarded"]
OPEN: Final[tuple[State, ...]] = ("waiting", "resend", "discard")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be used: where it came from, at which `stage` and why it failed.

    `state` is `waiting` for an operator, asked to `resend` or `discard`, or settled (`handled`, `discarded`).
    """

    id: int
    topic: str
    partition: int
    record_offset: int
    recorded_at: datetime
    event_id: UUID | None
    type: str | None
    stage: str
    reason: str
    attempts: int
    state: State


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to a dead letter, and why."""

    happened_at: datetime
    action: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetterContent:
    """A dead letter with the message as it came; `text` never fails: what is no UTF-8 is shown as escapes."""

    letter: DeadLetter
    sent_at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    traceparent: str | None
    audit: tuple[AuditEntry, ...]


async def list_dead_letters(
    connection: Connection, *, states: Sequence[State] | None = OPEN, after_id: int = 0, limit: int = 100
) -> list[DeadLetter]:
    """The dead letters in `states` (None for all) with an id above `after_id`, by id, `limit` at most."""
    rows = await connection.fetch(SQL["list_dead_letters"], states, after_id, limit)
    return [DeadLetter(**row) for row in rows]


async def show_dead_letter(connection: Connection, dead_letter_id: int) -> DeadLetterContent | None:
    """One dead letter with its message and audit trail; None when there is no such."""
    row = await connection.fetchrow(SQL["dead_letter"], dead_letter_id)
    if row is None:
        return None
    audit = await connection.fetch(SQL["audit_of"], dead_letter_id)
    return DeadLetterContent(
        letter=DeadLetter(**{name: row[name] for name in DeadLetter.__slots__}),
        sent_at=row["sent_at"],
        key=row["key"],
        value=row["value"],
        headers=tuple(zip(row["header_names"], row["header_values"], strict=True)),
        traceparent=row["traceparent"],
        audit=tuple(AuditEntry(**entry) for entry in audit),
    )


async def request_resend(connection: Connection, dead_letter_id: int, *, by: str, reason: str) -> bool:
    """Ask the worker to handle the message again, through the same path. False when it does not wait.

    `by` names the person who asks, `reason` says why; both are kept.
    """
    return await _request(connection, dead_letter_id, "resend", by, reason)


async def request_discard(connection: Connection, dead_letter_id: int, *, by: str, reason: str) -> bool:
    """Ask the worker to give the message up and to release what waits behind it. False when it does not wait."""
    return await _request(connection, dead_letter_id, "discard", by, reason)


async def _request(connection: Connection, dead_letter_id: int, state: State, by: str, reason: str) -> bool:
    async with connection.transaction():
        if await connection.fetchval(SQL["request"], dead_letter_id, state) is None:
            return False
        await add_audit(connection, dead_letter_id, f"{state} requested", by, reason)
        return True


async def add_audit(connection: Connection, dead_letter_id: int, action: str, by: str, reason: str) -> None:
    """Write down who did what to a dead letter, and why."""
    told = [store.clean(text)[: store.LONGEST_REASON] for text in (action, by, reason)]
    await connection.execute(SQL["add_audit"], dead_letter_id, *told)


@dataclass(frozen=True, slots=True)
class Position:
    """How far this service has handled one partition."""

    topic: str
    partition: int
    next_offset: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: rows to tell, dead letters to settle, keys and events behind them. Counts stop at 100,000."""

    outbox_rows: int
    oldest_unsent_seconds: float
    open_dead_letters: int
    parked_keys: int
    parked_events: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker's last sign of life; `state` is `started`, `running` or `stopped`.

    `lag_records` counts the records that wait for it, those in hand included; None while it does not know.
    """

    worker: str
    state: str
    started_at: datetime
    beat_at: datetime
    lag_records: int | None
    age_seconds: float


async def delivery_positions(connection: Connection) -> list[Position]:
    """How far each partition was handled."""
    return [Position(**row) for row in await connection.fetch(SQL["delivery_positions"])]


async def delivery_backlog(connection: Connection) -> Backlog:
    """What waits in this service."""
    row = await connection.fetchrow(SQL["delivery_backlog"])
    assert row is not None
    return Backlog(**row)


async def heartbeats(connection: Connection) -> list[Heartbeat]:
    """The workers seen within the last day."""
    return [Heartbeat(**row) for row in await connection.fetch(SQL["heartbeats"])]


async def beat(
    connection: Connection,
    worker: str,
    state: Literal["started", "running", "stopped"],
    lag_records: int | None = None,
) -> None:
    """Give a sign of life. `lag_records` is how many records wait for the worker, None where it does not know."""
    await connection.execute(SQL["beat"], worker, state, lag_records)

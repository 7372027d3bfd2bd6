"""The delivery tables: one function per named query, and the few that go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from libs.common.contracts.topics import PRIVATE, dead_letters
from libs.common.messaging.hearing import Entry, Record, Unusable, event_uuid
from libs.common.messaging.work import LARGEST_VALUE_BYTES
from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

SQL = load_queries(Path(__file__).parent / "sql" / "messaging.sql")

Partition = tuple[str, int]
Place = tuple[str, bytes]
LONGEST_REASON: Final = 2000
_ROOM_FOR_HEADERS: Final = 20_000


async def lock_partitions(connection: Connection, partitions: Sequence[Partition]) -> dict[Partition, int]:
    """Lock the given partitions for this transaction; the next offset to handle of each (0 for a new one)."""
    topics, numbers = [topic for topic, _ in partitions], [number for _, number in partitions]
    rows = await connection.fetch(SQL["lock_partitions"], topics, numbers)
    if len(rows) < len(partitions):
        await connection.execute(SQL["add_partitions"], topics, numbers)
        rows = await connection.fetch(SQL["lock_partitions"], topics, numbers)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def next_offsets(connection: Connection, partitions: Sequence[Partition]) -> dict[Partition, int]:
    """The next offset to handle of each of the given partitions that this service has ever handled."""
    topics, numbers = [topic for topic, _ in partitions], [number for _, number in partitions]
    rows = await connection.fetch(SQL["next_offsets"], topics, numbers)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def advance_partitions(connection: Connection, offsets: Mapping[Partition, int]) -> None:
    """Write the next offset to handle of each partition."""
    topics, numbers = [topic for topic, _ in offsets], [number for _, number in offsets]
    await connection.execute(SQL["advance_partitions"], topics, numbers, list(offsets.values()))


async def rewind_partition(connection: Connection, topic: str, partition: int, next_offset: int) -> None:
    """Move a partition back: its topic was made anew. The inbox drops what was handled before."""
    await connection.execute(SQL["rewind_partition"], topic, partition, next_offset)


async def note_seen(connection: Connection, event_ids: Sequence[UUID]) -> list[UUID]:
    """Add the ids to the inbox; those that were new, each once."""
    return [row[0] for row in await connection.fetch(SQL["note_seen"], event_ids)]


async def forget_seen(connection: Connection, *, after_days: int, most: int) -> int:
    """Drop up to `most` ids seen more than `after_days` days ago; answers how many there were."""
    return await connection.fetchval(SQL["forget_seen"], after_days, most)


async def lock_parked_keys(connection: Connection, places: Sequence[Place]) -> set[Place]:
    """Those of the given topics with keys whose events wait behind a dead letter; a release of one is waited for."""
    if not await connection.fetchval(SQL["is_any_key_parked"]):
        return set()
    distinct = list(dict.fromkeys(places))
    topics, keys = [topic for topic, _ in distinct], [key for _, key in distinct]
    return {(row["topic"], row["key"]) for row in await connection.fetch(SQL["lock_parked_keys"], topics, keys)}


async def park_events(connection: Connection, entries: Sequence[Entry]) -> None:
    """Let the events wait behind the dead letter of their key, in the given order."""
    await connection.executemany(
        SQL["park_event"],
        [
            (record.topic, record.key, record.partition, record.offset, sent_at(record), record.value,
             *_stored_headers(record))
            for record in (entry.record for entry in entries)
        ],
    )  # fmt: skip


async def park_key(connection: Connection, place: Place, dead_letter_id: int) -> None:
    """Hold back the later events of a topic and key until the dead letter is resent or discarded."""
    await connection.execute(SQL["park_key"], *place, dead_letter_id)


async def add_dead_letter(
    connection: Connection, service: str, entry: Entry, why: Unusable, *, was_parked: bool = False
) -> int:
    """Keep a record as a dead letter and tell it on the service's dead-letter topic; the dead letter's id.

    An event that failed in its handler, or that was parked, is in the inbox already: that is kept with it.
    """
    record, event, reason = entry.record, why.event, clean(why.reason)[:LONGEST_REASON]
    attempts = max(entry.attempts, 1)
    names, values = _stored_headers(record)
    # Without a key no erasure finds it.
    kept = None if record.topic in PRIVATE and not record.key else record.value
    dead_letter_id = await connection.fetchval(
        SQL["add_dead_letter"],
        record.topic, record.partition, record.offset, sent_at(record), record.key, kept, names, values,
        event_uuid(event) if event else None, clean(event.type) if event else None,
        event.traceparent if event else None, why.stage, reason, attempts, f"worker of {service}",
        was_parked or why.stage == "handler",
    )  # fmt: skip
    told = {
        "dead_letter_id": str(dead_letter_id), "dead_letter_stage": why.stage, "dead_letter_reason": reason,
        "dead_letter_attempts": str(attempts), "dead_letter_topic": record.topic,
        "dead_letter_partition": str(record.partition), "dead_letter_offset": str(record.offset),
    }  # fmt: skip
    await _tell_dead_letter(connection, service, record, told)
    return dead_letter_id


async def erase_parked(connection: Connection, keys: Sequence[bytes]) -> None:
    """Forget what waits behind dead letters about learners (by their keys) who are erased."""
    await connection.execute(SQL["erase_parked"], list(PRIVATE), list(keys))


async def erase_dead_letters(connection: Connection, keys: Sequence[bytes]) -> None:
    """Give up the dead letters about learners (by their keys) who are erased: value, headers and reason go."""
    await connection.execute(SQL["erase_dead_letters"], list(PRIVATE), list(keys))


async def _tell_dead_letter(connection: Connection, service: str, record: Record, told: dict[str, str]) -> None:
    names, values = _stored_headers(record)
    value, room = record.value, LARGEST_VALUE_BYTES - _ROOM_FOR_HEADERS - len(record.key or b"")
    headers_bytes = sum(len(name) + len(content or b"") for name, content in zip(names, values, strict=True))
    if headers_bytes > room:
        names, values, headers_bytes = [], [], 0
        told["dead_letter_headers"] = "too large to pass on; kept in the table dead_letter"
    if record.topic in PRIVATE:
        # Nothing on Kafka can be erased but by a tombstone of its own topic (B7).
        names, values, value = [], [], None
        told["dead_letter_value"] = "personal data, not passed on; kept in the table dead_letter until it is erased"
    elif len(value or b"") + headers_bytes > room:
        value = None
        told["dead_letter_value"] = "too large to pass on; kept in the table dead_letter"
    await connection.execute(
        SQL["tell_dead_letter"], dead_letters(service), record.key, value,
        [*names, *told], [*values, *(text.encode() for text in told.values())],
    )  # fmt: skip


def _stored_headers(record: Record) -> tuple[list[str], list[bytes | None]]:
    return [clean(name) for name, _ in record.headers], [content for _, content in record.headers]


def sent_at(record: Record) -> datetime:
    """When the record was sent, by its sender's clock; the start of the epoch when that is nonsense."""
    try:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def clean(text: str) -> str:
    """Text that PostgreSQL can hold: without NUL and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()

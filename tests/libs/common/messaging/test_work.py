"""What a unit of work changes and tells is committed together, or not at all (taste 6)."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest

from libs.common.messaging.work import LARGEST_VALUE_BYTES, Outgoing, begin
from libs.common.postgres.database import Database
from libs.common.telemetry import current_traceparent, start_telemetry, tracer
from tests.libs.common.messaging.records import NOON, TRACEPARENT


def outgoing(value: bytes | None = b"{}", time: datetime = NOON, traceparent: str | None = None) -> Outgoing:
    return Outgoing("told", "ada", uuid4(), "cairn.told.v1", "/tests", "subject", time, value, traceparent)


async def test_events_leave_in_the_order_they_were_told(database: Database) -> None:
    told = [outgoing(f"{number}".encode(), traceparent=TRACEPARENT) for number in range(50)] + [outgoing(None)]
    async with begin(database) as work:
        for event in told:
            work.tell(event)
        assert await work.connection.fetchval("select count(*) from outbox") == 0
    rows = await database.pool.fetch("select * from outbox order by id")
    assert [row["event_id"] for row in rows] == [event.event_id for event in told]
    assert [row["value"] for row in rows] == [event.value for event in told]
    first = rows[0]
    assert (first["topic"], first["key"], first["type"], first["source"], first["subject"], first["time"]) == (
        "told", b"ada", "cairn.told.v1", "/tests", "subject", NOON,
    )  # fmt: skip
    assert first["traceparent"] == TRACEPARENT


async def test_an_exception_takes_back_changes_and_events(database: Database) -> None:
    async def fail() -> None:
        async with begin(database) as work:
            await work.connection.execute("insert into learner values ('ada')")
            work.tell(outgoing())
            await work.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await database.pool.fetchval("select count(*) from outbox") == 0
    assert await database.pool.fetchval("select count(*) from learner") == 0


async def test_an_event_without_a_cause_carries_the_current_span(database: Database) -> None:
    start_telemetry("tests", "worker", trace_file=None, log_level="error")
    with tracer.start_as_current_span("request"):
        async with begin(database) as work:
            work.tell(outgoing())
            work.tell(outgoing(traceparent=TRACEPARENT))
        expected = [current_traceparent(), TRACEPARENT]
    rows = await database.pool.fetch("select traceparent from outbox order by id")
    assert [row["traceparent"] for row in rows] == expected


async def test_what_kafka_would_refuse_is_refused_at_once(database: Database) -> None:
    async with begin(database) as work:
        work.tell(outgoing(b"x" * LARGEST_VALUE_BYTES))
        with pytest.raises(ValueError, match="expected at most 1000000 bytes, found 1000001"):
            work.tell(outgoing(b"x" * (LARGEST_VALUE_BYTES + 1)))
        with pytest.raises(ValueError, match="expected an aware time"):
            work.tell(outgoing(time=NOON.replace(tzinfo=None)))
    assert await database.pool.fetchval("select count(*) from outbox") == 1

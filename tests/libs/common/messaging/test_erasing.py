"""Dead letters keep no personal data beyond a learner's erasure, and tell none on Kafka (B7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from libs.common.contracts import LearnerRegistered
from libs.common.contracts.topics import LEARNERS
from libs.common.messaging import dead_letters
from libs.common.messaging.delivery import Delivery, Hears, Received
from libs.common.messaging.replay import Replay
from libs.common.messaging.work import Work
from libs.common.postgres.database import Database
from tests.libs.common.messaging.records import record

NAME = "Ada Lovelace"
BROKEN = b'{"learner_id": "ada", "name": "Ada Lovelace", "registered_at": "yesterday"}'
GOOD = b'{"learner_id": "ada", "name": "Ada Lovelace", "registered_at": "2026-01-01T00:00:00Z"}'


async def note_learners(work: Work, received: Sequence[Received[LearnerRegistered]]) -> None:
    """A handler with a fault that quotes what it was given."""
    for one in received:
        if one.content is not None and one.content.name:
            await work.connection.execute("select $1::text::integer", one.content.name)
        await work.connection.execute("insert into learner (id) values ($1)", f"{one.event.key} {one.offset}")


HEARS = [Hears(LEARNERS, LearnerRegistered, note_learners, ordered=True)]


@pytest.fixture
def delivery(database: Database) -> Delivery:
    return Delivery(database, service="tests", hears=HEARS)


def about(offset: int, value: bytes | None, **more: Any) -> Any:
    """A message about Ada."""
    return record(offset, topic=LEARNERS, type_=LearnerRegistered.TYPE, value=value, **more)


async def kept(database: Database) -> str:
    """All that the tables of messaging hold, as one text."""
    tables = ("dead_letter", "dead_letter_audit", "parked", "parked_key", "outbox")
    rows = [row for table in tables for row in await database.pool.fetch(f"select * from {table}")]
    return "\n".join(repr(dict(row)) for row in rows)


@pytest.mark.parametrize("value", [BROKEN, GOOD], ids=["contract", "handler"])
async def test_what_could_not_be_used_is_kept_until_the_learner_is_erased(
    database: Database, delivery: Delivery, value: bytes
) -> None:
    assert (await delivery.handle([about(0, value)])).dead_lettered == 1
    row = await database.pool.fetchrow("select * from dead_letter")
    assert row is not None
    assert row["value"] == value
    assert "Lovelace" not in row["reason"]
    # Nothing of it is told on a topic from which nothing can be erased.
    told = await database.pool.fetchrow("select * from outbox")
    assert told is not None
    assert "Lovelace" not in repr(dict(told))
    await delivery.handle([about(1, None)])
    assert "Lovelace" not in await kept(database)
    assert await database.pool.fetchval("select state from dead_letter") == "discarded"
    async with database.pool.acquire() as connection:
        assert not await dead_letters.request_resend(connection, row["id"], by="op", reason="again")
    # What waited behind it, the tombstone itself, is handled.
    replay = Replay(delivery)
    while await replay.step():
        pass
    assert await database.pool.fetchval("select id from learner") == "ada 1"


async def test_what_waits_behind_it_goes_too_and_so_does_what_fails_in_the_same_batch(
    database: Database, delivery: Delivery
) -> None:
    await delivery.handle([about(0, GOOD)])
    assert (await delivery.handle([about(1, GOOD)])).parked == 1
    await delivery.handle([about(2, BROKEN), about(3, None)])
    assert "Lovelace" not in await kept(database)


async def test_without_a_key_no_value_is_kept(database: Database, delivery: Delivery) -> None:
    await delivery.handle([about(0, BROKEN, key=None)])
    assert "Lovelace" not in await kept(database)

"""A worker killed at any moment loses nothing and does nothing twice: handler, outbox and relay together (B2)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from libs.common.messaging.replay import StoredRecord
from libs.common.postgres.database import Database
from tests.conftest import FreshTopic
from tests.libs.common.messaging.records import record, told_id
from tests.libs.common.messaging.test_consumer import produce, until_tallied
from tests.libs.common.messaging.test_relay import until_empty

KILLS = 12
LEARNERS = 25
EVENTS_A_KILL = 1000
EVENTS = EVENTS_A_KILL * (KILLS + 1)


async def start(dsn: str, bootstrap: str, *arguments: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "CAIRN_DATABASE_DSN": dsn, "CAIRN_KAFKA_BOOTSTRAP": bootstrap,
                   "CAIRN_BATCH_RECORDS": "40"}  # fmt: skip
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.libs.common.messaging.tally_worker", *arguments,
        env=environment, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def tallied(database: Database) -> int:
    return await database.pool.fetchval("select count(*) from tally")


def is_poison(number: int) -> bool:
    return number % 500 == 499


def sent(number: int, event_id: str) -> list[StoredRecord]:
    """What the sender sends of one event: sometimes it sends it twice."""
    learner = number % LEARNERS
    one = record(
        0,
        "poison" if is_poison(number) else f"{number}",
        event_id=event_id,
        partition=learner % 3,
        learner_id=f"poisoned-{number}" if is_poison(number) else f"learner-{learner}",
    )
    return [one, one] if number % 20 == 0 else [one]


async def test_kills_at_random_lose_and_double_nothing(
    dsn: str, database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic,
    committed: Callable[[str], Awaitable[list[Any]]],
) -> None:  # fmt: skip
    heard, told = await fresh_topic(partitions=3), await fresh_topic(partitions=3)
    ids = [str(uuid4()) for _ in range(EVENTS)]
    wholesome = {event_id for n, event_id in enumerate(ids) if not is_poison(n)}
    choose = random.Random(20261122)
    for kill in range(KILLS + 1):
        # Each worker finds a backlog, and what the one before it left half done.
        numbers = range(EVENTS_A_KILL * kill, EVENTS_A_KILL * (kill + 1))
        await produce(kafka_bootstrap, heard, [one for n in numbers for one in sent(n, ids[n])])
        worker, before = await start(dsn, kafka_bootstrap, service, heard, told), await tallied(database)
        await until_tallied(database, before + 1)
        if kill < KILLS:
            await asyncio.sleep(choose.uniform(0, 0.4))
            worker.kill()
            await worker.wait()
    await until_tallied(database, len(wholesome))
    await until_empty(database)
    worker.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0

    rows = await database.pool.fetch("select event_id::text, learner_id, activity_id from tally order by number")
    assert Counter(row["event_id"] for row in rows) == Counter(wholesome)
    for learner in {row["learner_id"] for row in rows}:
        numbers = [int(row["activity_id"]) for row in rows if row["learner_id"] == learner]
        assert numbers == sorted(numbers)
    letters = await database.pool.fetch("select event_id::text from dead_letter")
    assert Counter(row["event_id"] for row in letters) == Counter(set(ids) - wholesome)
    messages = await committed(told)
    assert Counter(dict(one.headers)["ce_id"].decode() for one in messages) == Counter(
        str(told_id(row["event_id"])) for row in await database.pool.fetch("select event_id from tally")
    )


async def test_a_worker_told_to_stop_stops_cleanly_and_says_so(
    dsn: str, database: Database, service: str, kafka_bootstrap: str, fresh_topic: FreshTopic
) -> None:
    heard, told = await fresh_topic(), await fresh_topic()
    await produce(kafka_bootstrap, heard, [record(0, "a")])
    worker = await start(dsn, kafka_bootstrap, service, heard, told)
    await until_tallied(database, 1)
    worker.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0
    beat = await database.pool.fetchrow("select worker, state from worker_heartbeat")
    assert beat is not None
    assert tuple(beat) == (f"cairn-{service}-0", "stopped")

"""A migrated database with a tally, topics of the test's own, and what was committed to a topic."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from libs.common.contracts.topics import dead_letters
from libs.common.postgres.database import Database
from libs.common.postgres.migrate import migrate
from libs.common.process import MESSAGING_MIGRATIONS
from tests.libs.common.messaging.records import TALLY


@pytest.fixture
async def dsn(database_dsn: str) -> str:
    """The dsn of a migrated database with the table `tally`."""
    await migrate(database_dsn, [MESSAGING_MIGRATIONS])
    database = await Database.connect(database_dsn, application_name="test")
    await database.pool.execute(TALLY)
    await database.close()
    return database_dsn


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A pool to the migrated database."""
    database = await Database.connect(dsn, application_name="test", max_size=6)
    yield database
    await database.close()


@pytest.fixture
async def service(kafka_bootstrap: str) -> str:
    """The name of a service of the test's own, whose dead-letter topic exists."""
    name = f"test-{uuid4().hex[:12]}"
    await create_topic(kafka_bootstrap, dead_letters(name), 1)
    return name


@pytest.fixture
def committed(kafka_bootstrap: str) -> Callable[[str], Awaitable[list[Any]]]:
    """Every committed record of a topic, partition by partition: `await committed(topic)`."""

    async def read(topic: str) -> list[Any]:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=kafka_bootstrap, group_id=None, isolation_level="read_committed",
            auto_offset_reset="earliest",
        )  # fmt: skip
        await consumer.start()
        try:
            partitions = sorted(consumer.assignment())
            ends = await consumer.end_offsets(partitions)
            found: dict[Any, list[Any]] = {partition: [] for partition in partitions}
            while [place for place in partitions if await consumer.position(place) < ends[place]]:
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    found[place] += records
            return [record for place in partitions for record in found[place]]
        finally:
            await consumer.stop()

    return read


async def create_topic(bootstrap: str, name: str, partitions: int) -> None:
    """Create a topic with a name of one's own choice."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()

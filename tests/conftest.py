"""Fixtures of every test: a real PostgreSQL and a real Kafka, started when the first test asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests import infrastructure
from tests.softhsm import hsm_token, softhsm

__all__ = ["hsm_token", "softhsm"]

FreshTopic = Callable[..., Awaitable[str]]


def pytest_report_header() -> str:
    """Say which PostgreSQL and Kafka the tests will use."""
    return f"PostgreSQL and Kafka: {infrastructure.source()}"


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """The superuser's dsn of the session's PostgreSQL server."""
    with infrastructure.postgres() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """The address of the session's Kafka broker, `host:port`."""
    with infrastructure.kafka() as bootstrap:
        yield bootstrap


@pytest.fixture
async def database_dsn(postgres_dsn: str) -> AsyncIterator[str]:
    """The superuser's dsn of an empty database of the test's own, dropped after it."""
    name = f"test_{uuid4().hex}"
    await _execute(postgres_dsn, f"CREATE DATABASE {name} TEMPLATE template0")
    yield urlsplit(postgres_dsn)._replace(path=f"/{name}").geturl()
    # FORCE ends the connections that the test left open.
    await _execute(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def fresh_topic(kafka_bootstrap: str) -> FreshTopic:
    """Create a topic that no other test uses: `await fresh_topic(partitions=3, compacted=True)` is its name."""

    async def create(partitions: int = 1, *, compacted: bool = False, name: str = "test") -> str:
        topic = f"{name}-{uuid4().hex[:12]}"
        configs = {"cleanup.policy": "compact"} if compacted else {}
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
        finally:
            await admin.close()
        return topic

    return create


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()

"""The fixtures give what they promise."""

from __future__ import annotations

import asyncio

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.conftest import FreshTopic


async def test_each_test_has_a_database_of_its_own(database_dsn: str, postgres_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("CREATE TABLE mine (x int)")
    name = await connection.fetchval("SELECT current_database()")
    await connection.close()
    assert name.startswith("test_")
    assert database_dsn != postgres_dsn


async def test_a_fresh_topic_carries_messages(fresh_topic: FreshTopic, kafka_bootstrap: str) -> None:
    topic = await fresh_topic(partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        await producer.send_and_wait(topic, b"hello", partition=1)
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest") as consumer:
        message = await asyncio.wait_for(consumer.getone(), 20)
        assert consumer.partitions_for_topic(topic) == {0, 1}
    assert message.value == b"hello"

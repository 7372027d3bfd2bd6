"""The embedded Kafka: starts, keeps messages through SIGKILL, makes the topics once (issue 3: 1)."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.local.kafka import LocalKafka
from deploy.local.server import CannotStart, free_port
from deploy.local.topics import create_topics
from libs.common.contracts.topics import TOPICS


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    broker = LocalKafka(tmp_path_factory.mktemp("kafka"), free_port())
    broker.start()
    yield broker
    broker.stop()


async def test_topics_are_made_once_as_the_contracts_say(broker: LocalKafka) -> None:
    created = await create_topics(broker.bootstrap)
    assert set(created) == {topic.name for topic in TOPICS}
    assert await create_topics(broker.bootstrap) == ()
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        found = await admin.describe_topics([topic.name for topic in TOPICS])
        partitions = {topic["topic"]: len(topic["partitions"]) for topic in found}
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "catalogue")])
    finally:
        await admin.close()
    assert partitions == {topic.name: topic.partitions for topic in TOPICS}
    settings = answers[0].to_object()["resources"][0]["config_entries"]
    assert ("cleanup.policy", "compact") in [tuple(setting.values())[:2] for setting in settings]


async def test_a_killed_broker_keeps_what_it_acknowledged(broker: LocalKafka) -> None:
    await create_topics(broker.bootstrap)
    place = TopicPartition("enrolled", 0)
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        sent = await producer.send_and_wait(place.topic, b"hello", partition=place.partition)
    os.kill(broker.pid, signal.SIGKILL)
    broker.stop()
    broker.start()
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap) as consumer:
        consumer.assign([place])
        consumer.seek(place, sent.offset)
        message = await asyncio.wait_for(consumer.getone(), 20)
    assert message.value == b"hello"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Kafka: port {port} is taken"):
            LocalKafka(tmp_path / "kafka", port).start()


async def test_topics_without_a_broker_are_refused_in_a_line() -> None:
    with pytest.raises(CannotStart, match="no answer from Kafka") as refusal:
        await create_topics(f"127.0.0.1:{free_port()}")
    assert "\n" not in str(refusal.value)

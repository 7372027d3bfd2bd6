"""What the journeys share: a whole system on free ports, a quiet replay, and looks behind the doors to check."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from rich.console import Console

from deploy.doors import Doors
from deploy.local.home import REPOSITORY
from deploy.local.identity import SCOPES
from deploy.local.system import Shape, System, free_ports, running_system
from deploy.replay.cohort import Cohort
from deploy.replay.replaying import Outcome, replay
from deploy.replay.sending import Disorder, Pace


@asynccontextmanager
async def whole_system(
    directory: Path, *, settings: Mapping[str, str] | None = None, trace_file: Path | None = None
) -> AsyncGenerator[tuple[System, Doors]]:
    """A system of eight processes over its own PostgreSQL and Kafka, and a way in with every scope."""
    shape = Shape(ports=free_ports(), durable=False, trace_file=trace_file, settings=settings or {})
    async with running_system(directory, shape, say=print) as system, Doors(system.access(SCOPES)) as doors:
        yield system, doors


async def send(cohort: Cohort, doors: Doors, *, pace: Pace | None = None, disorder: Disorder | None = None) -> Outcome:
    """Replay a cohort without a screen."""
    return await replay(
        cohort, doors, Console(file=io.StringIO()), pace=pace or Pace(), disorder=disorder or Disorder()
    )


async def records_of(system: System, topic: str) -> list[ConsumerRecord]:
    """Every committed record of a topic."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=system.kafka.bootstrap, isolation_level="read_committed",
        auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    try:
        found: list[ConsumerRecord] = []
        ends = await consumer.end_offsets(consumer.assignment())
        while [partition for partition, end in ends.items() if await consumer.position(partition) < end]:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
        return found
    finally:
        await consumer.stop()


def event_id(record: ConsumerRecord) -> str:
    """The CloudEvents id of a record in binary mode."""
    return dict(record.headers)["ce_id"].decode()


async def rows(system: System, service: str, query: str) -> list[asyncpg.Record]:
    """What a service's database answers, for checks only."""
    connection = await asyncpg.connect(system.dsn(service))
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def do(dsn: str, *statements: str) -> None:
    """Run statements on a database."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def rebuild(system: System, service: str) -> str:
    """Run the command as an operator does; what it said."""
    command = [str(Path(sys.executable).with_name("cairn")), "rebuild", service, "--state", str(system.directory)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    print(said.decode().splitlines()[-1])
    return said.decode()


async def badges_of(doors: Doors, learner_id: str) -> dict[str, dict[str, Any]]:
    """A learner's badges as verification tells them, by achievement id."""
    answer = await doors.get("verification", f"/learners/{learner_id}/badges")
    return {badge["achievement_id"]: badge for badge in answer["badges"]}

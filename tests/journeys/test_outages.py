"""The broker and the database go away and come back: the doors say so, the workers wait, nothing is lost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import httpx

from deploy.demo.cohort import example_cohort
from deploy.doors import Doors
from deploy.local.identity import SCOPES
from deploy.local.system import System
from deploy.replay.oulad import read_oulad
from deploy.replay.sending import Disorder
from tests.deploy.oulad import expected_badges, write_oulad
from tests.journeys.stage import send, whole_system


async def test_outages_lose_nothing(tmp_path: Path) -> None:
    directory = write_oulad(tmp_path / "oulad", learners=120, seed=5)
    cohort, expected = read_oulad(directory), expected_badges(directory)
    async with whole_system(tmp_path / "system") as (system, doors):
        workers = {name: pid for name, pid in system.pids.items() if name.endswith("-worker")}
        await send(replace(cohort, events=lambda: iter(()), event_count=0), doors)
        # Without Kafka, events are taken all the same: the outbox keeps them. The public pages stay up.
        await asyncio.to_thread(system.kafka.stop)
        replaying = asyncio.create_task(send(cohort, doors, disorder=Disorder(shuffle_seed=1)))
        await _until(doors, events=cohort.event_count)
        assert await _status(system, "verification", "/readyz") == 200
        assert await _status(system, "progress", "/readyz") == 200
        await asyncio.to_thread(system.kafka.start)
        assert (await replaying).badges == expected

        # Without PostgreSQL, every door says 503 and when to come back.
        await asyncio.to_thread(system.postgres.stop)
        for service in system.urls:
            answer = await _ask(system, service, "/readyz")
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True), service
        answer = await _ask(system, "progress", "/events", list(example_cohort().events())[:1])
        assert answer.status_code == 503
        assert answer.headers["retry-after"].isdecimal()
        assert answer.headers["content-type"] == "application/problem+json"
        # What is sent now waits at the door and goes through when the database is back.
        replaying = asyncio.create_task(send(example_cohort(), doors, disorder=Disorder(shuffle_seed=2)))
        await asyncio.sleep(2)
        await asyncio.to_thread(system.postgres.start)
        badges = (await replaying).badges
        assert badges["Data literacy"] == 8
        # The workers waited; none had to be started again.
        assert {name: system.pids[name] for name in workers} == workers


async def _until(doors: Doors, *, events: int) -> None:
    """Wait until progress has taken this many events, which then wait to be told."""
    deadline = time.monotonic() + 30
    while (found := (await doors.get("progress", "/operations/delivery"))["backlog"]["outbox_rows"]) < events:
        assert time.monotonic() < deadline, f"expected {events} events in the outbox, found {found}"
        await asyncio.sleep(0.1)


async def _status(system: System, service: str, path: str) -> int:
    return (await _ask(system, service, path)).status_code


async def _ask(system: System, service: str, path: str, events: list[dict] | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {system.access(SCOPES).token}"}
    async with httpx.AsyncClient(base_url=system.urls[service], headers=headers, timeout=20) as client:
        if events is None:
            return await client.get(path)
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        return await client.post(path, json=events, headers=headers)

"""The whole path beside the bare floor, in one run, on the same Kafka and PostgreSQL.

Whole path: events enter by HTTP in batches, pass progress (contract, inbox, outbox, relay), Kafka, awarding
(inbox, facts, rules, signing) until every fact is recorded and every badge is signed, committed and servable.
Most events yield no badge: one learner in twenty finishes. Then, on the quiet system, one score at a time:
from the score sent to the badge served.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from benchmarks.floor import floor_rate
from deploy.doors import Doors
from deploy.local.identity import SCOPES
from deploy.local.system import Shape, System, free_ports, running_system
from deploy.replay.sending import CLOUDEVENTS_BATCH
from deploy.replay.watching import settle
from libs.common.credentials.identifiers import badge_id

ASSESSMENTS = 12
FINISHERS_ONE_IN = 20
LATENCY_LEARNERS = 200
_ISSUER = {"name": "Benchmark example issuer", "url": "https://example.org"}


@dataclass(frozen=True, slots=True)
class PipelineFigures:
    """Events a second of both sides, and the seconds from a score sent to its badge served."""

    events: int
    badges: int
    whole_path: float
    floor: float
    latencies_seconds: list[float]


def run(*, quick: bool) -> None:
    """Measure and print."""
    print(report(asyncio.run(measure(500 if quick else 10_000))))


async def measure(learners: int) -> PipelineFigures:
    """Run both sides with `learners` × 12 events; the floor first, while the services idle."""
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as directory:
        async with running_system(Path(directory), Shape(ports=free_ports())) as system:
            events = learners * ASSESSMENTS
            floor = await floor_rate(await _floor_database(system), system.kafka.bootstrap, events)
            async with Doors(system.access(SCOPES)) as doors:
                await _publish(doors)
                await _register(doors, learners)
                await _record_until(system, 0)
                seconds = await _whole_path(system, doors, learners)
                latencies = await _latencies(system, doors, learners)
            return PipelineFigures(events, learners // FINISHERS_ONE_IN, events / seconds, floor, latencies)


async def _floor_database(system: System) -> str:
    connection = await asyncpg.connect(system.postgres.dsn())
    await connection.execute("create database floor")
    await connection.close()
    return system.postgres.dsn("floor")


async def _publish(doors: Doors) -> None:
    await doors.put("enrollment", "/issuers/bench", _ISSUER)
    tree = [
        {"kind": "assessment", "assessment_id": f"bench:{number}", "at_least": "0.4"} for number in range(ASSESSMENTS)
    ]
    body = {
        "kind": "micro-credential",
        "issuer_id": "bench",
        "name": "Benchmark example",
        "description": "Twelve assessments, each passed.",
        "criteria": "A score of 40 % or more in each of twelve assessments.",
        "requirement": {"kind": "all", "of": tree},
    }
    await doors.put("enrollment", "/achievements/bench", body)


async def _register(doors: Doors, learners: int) -> None:
    names = [f"learner-{number}" for number in range(learners)]
    names += [f"latency-{number}" for number in range(LATENCY_LEARNERS)]
    for first in range(0, len(names), 1000):
        rows = [{"learner_id": name} for name in names[first : first + 1000]]
        await doors.post("enrollment", "/learners", {"learners": rows})
    await settle(doors, lambda _: None, patience_seconds=60)


def _score(learner: str, number: int, raw: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{learner}:{number}",
        "source": "urn:example:benchmark",
        "type": "cairn.assessment-scored.v1",
        "time": f"2026-01-{number + 1:02d}T12:00:00Z",
        "data": {
            "learner_id": learner,
            "assessment_id": f"bench:{number}",
            "score": {"raw": raw, "max": 100},
        },
    }


def _batches(learners: int) -> Iterator[list[dict[str, Any]]]:
    """Learner after learner within an assessment, as a cohort hands in: the last assessment decides."""
    batch: list[dict[str, Any]] = []
    for number in range(ASSESSMENTS):
        for learner in range(learners):
            finishes = learner % FINISHERS_ONE_IN == 0
            batch.append(_score(f"learner-{learner}", number, 78 if finishes or number % 2 else 30))
            if len(batch) == 1000:
                yield batch
                batch = []
    if batch:
        yield batch


async def _whole_path(system: System, doors: Doors, learners: int) -> float:
    batches = list(_batches(learners))
    waiting = iter(batches)
    started = time.perf_counter()

    async def sender() -> None:
        for batch in waiting:
            await doors.post("progress", "/events", batch, CLOUDEVENTS_BATCH)

    await asyncio.gather(sender(), sender(), sender())
    await _record_until(system, learners * ASSESSMENTS)
    expected = learners // FINISHERS_ONE_IN
    while await _count(system.dsn("verification"), "select count(*) from badge") < expected:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return time.perf_counter() - started


async def _record_until(system: System, events: int) -> None:
    deadline = time.monotonic() + 300
    while await _count(system.dsn("awarding"), "select count(*) from fact") < events:
        if time.monotonic() > deadline:
            raise TimeoutError("the events did not come through in 300 s")
        await asyncio.sleep(0.1)


async def _count(dsn: str, query: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def _latencies(system: System, doors: Doors, learners: int) -> list[float]:
    """Seconds from sending the last missing score to the first 200 for the badge, one learner at a time."""
    for number in range(ASSESSMENTS - 1):
        batch = [_score(f"latency-{learner}", number, 90) for learner in range(LATENCY_LEARNERS)]
        await doors.post("progress", "/events", batch, CLOUDEVENTS_BATCH)
    await _record_until(system, learners * ASSESSMENTS + LATENCY_LEARNERS * (ASSESSMENTS - 1))
    namespace = UUID((system.identity.secrets_directory / "cairn_badge_namespace").read_text().strip())
    latencies: list[float] = []
    async with httpx.AsyncClient(trust_env=False) as client:
        for learner in range(LATENCY_LEARNERS):
            name = f"latency-{learner}"
            url = f"{system.urls['verification']}/badges/{badge_id(namespace, name, 'bench', '1', 0)}.json"
            started = time.perf_counter()
            await doors.post("progress", "/events", [_score(name, ASSESSMENTS - 1, 90)], CLOUDEVENTS_BATCH)
            while (await client.get(url)).status_code != 200:
                if time.perf_counter() - started > 30:
                    raise TimeoutError(f"{url} was not served within 30 s")
                await asyncio.sleep(0.005)
            latencies.append(time.perf_counter() - started)
    return latencies


def report(figures: PipelineFigures) -> str:
    """The figures as lines for people."""
    cuts = statistics.quantiles(figures.latencies_seconds, n=100)
    return "\n".join(
        [
            f"whole path: ingest → signed badge committed   {figures.whole_path:>9,.0f} events/s"
            f"   ({figures.events:,} events, {figures.badges:,} badges)",
            f"bare floor: consume → upsert → produce        {figures.floor:>9,.0f} events/s",
            f"ratio                                         {figures.whole_path / figures.floor:>9.2f}",
            f"score sent → badge served, one at a time      p50 {cuts[49] * 1000:,.0f} ms,"
            f" p99 {cuts[98] * 1000:,.0f} ms   ({len(figures.latencies_seconds)} badges)",
        ]
    )

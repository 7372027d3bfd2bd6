"""Many awards at once, as one job, with the real worker killed in the middle (issue 4, "Speed"; B10).

    python -m benchmarks bulk [--quick]

A whole system (durable PostgreSQL, Kafka, eight processes). A file of 100,000 lines, one learner each, goes to the
door of awarding as one job; its worker signs, keeps and tells the badges in bounded transactions. When half of it is
done the worker gets SIGKILL, and is started again by its supervisor. Printed are the rate before and after, the pause,
the most memory that worker and api took, and what was lost or doubled: in awarding's table, on the topic, and in what
verification serves. The floor is signing alone, in one process, of badges of the same kind.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer

from benchmarks import signing
from deploy.doors import Doors
from deploy.local.identity import SCOPES
from deploy.local.system import Shape, System, free_ports, running_system
from deploy.replay.watching import settle
from libs.common.contracts import BadgeIssued
from libs.common.credentials.issue import Template

_WORKER, _API = "awarding-worker", "awarding-api"
_PATIENCE_SECONDS = 600
_ACHIEVEMENT = {
    "kind": "micro-credential",
    "issuer_id": "bench",
    "name": "Attendance of a day of courses",
    "description": "Attended a day of courses.",
    "criteria": "Named on the list of those who were there.",
    "requirement": {"kind": "activity", "activity_id": "bench:day"},
}


@dataclass
class Figures:
    """What was seen: lines done by seconds since the start, the kill, the most memory (bytes), and the outcome."""

    lines: int
    accepted_seconds: float = 0.0
    done: list[tuple[float, int]] = field(default_factory=list)
    killed_at: float = 0.0
    memory: Counter[str] = field(default_factory=Counter)
    signing_alone: float = 0.0
    kept: int = 0
    told: int = 0
    doubled: int = 0
    served: int = 0


def run(*, quick: bool) -> None:
    """Measure and print. Raises `RuntimeError` when an award was lost or doubled."""
    figures = asyncio.run(measure(3_000 if quick else 100_000))
    print(report(figures))
    if (figures.kept, figures.told, figures.served, figures.doubled) != (figures.lines,) * 3 + (0,):
        raise RuntimeError("awards were lost or doubled")


async def measure(lines: int) -> Figures:
    """Run one job of `lines` awards."""
    figures = Figures(lines, signing_alone=_signing_alone(1.0))
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as directory:
        async with (
            running_system(Path(directory), Shape(ports=free_ports())) as system,
            Doors(system.access(SCOPES)) as doors,
        ):
            await prepare(doors, lines)
            print(f"   {lines:,} learners registered", flush=True)
            await run_job(system, doors, figures)
            await _count(system, figures)
    return figures


def _signing_alone(seconds: float) -> float:
    template = Template(signing.ISSUER, signing.TERMS)
    done, took = signing.here(lambda claim: template.issue(claim, signing.SIGNER))(seconds)
    return done / took


async def prepare(doors: Doors, lines: int) -> None:
    """Publish an achievement and register a learner for each line."""
    await doors.put("enrollment", "/issuers/bench", {"name": "Benchmark example", "url": "https://example.org"})
    await doors.put("enrollment", "/achievements/bench", _ACHIEVEMENT)
    for first in range(0, lines, 1_000):
        rows = [{"learner_id": f"learner-{number}"} for number in range(first, min(first + 1_000, lines))]
        await doors.post("enrollment", "/learners", {"learners": rows})
    await settle(doors, lambda _: None, patience_seconds=_PATIENCE_SECONDS)


async def run_job(system: System, doors: Doors, figures: Figures) -> None:
    """Award to all of them, and note in `figures` what is seen; without a kill where one is noted already."""
    text = "learner_id,achievement_id\n" + "".join(f"learner-{number},bench\n" for number in range(figures.lines))
    started = time.perf_counter()
    job = (
        await doors.post_content(
            "awarding", "/awards/bulk", text.encode(), "text/csv", reason="Attended", evidence="The list of the day"
        )
    ).json()
    figures.accepted_seconds = time.perf_counter() - started
    shown = time.monotonic()
    while job["state"] != "finished":
        now = time.perf_counter() - started
        done = job["lines"] - job["waiting"]
        figures.done.append((now, done))
        _note_memory(system, figures)
        if not figures.killed_at and done >= figures.lines / 2:
            system.kill(_WORKER)
            figures.killed_at = now
            print(f"   worker killed after {done:,} awards", flush=True)
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"   {done:,} of {figures.lines:,}", flush=True)
        if now > _PATIENCE_SECONDS:
            raise TimeoutError(f"expected the job to end within {_PATIENCE_SECONDS} s")
        await asyncio.sleep(0.25)
        job = await doors.get("awarding", f"/awards/bulk/{job['job_id']}")
    figures.done.append((time.perf_counter() - started, job["lines"] - job["waiting"]))
    await settle(doors, lambda _: None, patience_seconds=_PATIENCE_SECONDS)


def _note_memory(system: System, figures: Figures) -> None:
    for name in (_WORKER, _API):
        pid = system.pids.get(name)
        if pid is not None:
            try:
                figures.memory[name] = max(figures.memory[name], psutil.Process(pid).memory_info().rss)
            except psutil.NoSuchProcess:
                continue


async def _count(system: System, figures: Figures) -> None:
    """What awarding kept, what the topic tells, and what verification has."""
    figures.kept = await _answer(system.dsn("awarding"), "select count(distinct learner_id) from badge")
    figures.served = await _answer(system.dsn("verification"), "select count(*) from badge")
    ids = await _told(system)
    figures.told, figures.doubled = len(ids), ids.total() - len(ids)
    figures.doubled += await _answer(system.dsn("awarding"), "select count(*) - count(distinct learner_id) from badge")


async def _answer(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def _told(system: System) -> Counter[str]:
    """How often each badge is told on the topic."""
    found = Counter[str]()
    consumer = AIOKafkaConsumer(
        BadgeIssued.TOPIC, bootstrap_servers=system.kafka.bootstrap, isolation_level="read_committed",
        auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while [partition for partition, end in ends.items() if await consumer.position(partition) < end]:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found.update(
                    record.key.decode()
                    for record in records
                    if dict(record.headers).get("ce_type") == BadgeIssued.TYPE.encode()
                )
    finally:
        await consumer.stop()
    return found


def report(figures: Figures) -> str:
    """The figures as lines for people."""
    before = [entry for entry in figures.done if entry[0] <= figures.killed_at] or figures.done[:1]
    after = [entry for entry in figures.done if entry[0] > figures.killed_at]
    resumed = next((at for at, done in after if done > before[-1][1]), figures.done[-1][0])
    rate = _rate(before) or _rate(figures.done)
    later = _rate([entry for entry in after if entry[0] >= resumed])
    total, alone = figures.done[-1][0], figures.signing_alone
    lost = figures.lines - min(figures.kept, figures.told, figures.served)
    return "\n".join(
        [
            f"   signing alone, one process          {alone:>9,.0f} badges/s",
            f"   bulk awards, before the kill        {rate:>9,.0f} awards/s     ratio {rate / alone:.2f}",
            f"   bulk awards, after the kill         {later:>9,.0f} awards/s     ratio {later / alone:.2f}",
            f"   file of {figures.lines:,} lines accepted in {figures.accepted_seconds:.1f} s, all awarded after"
            f" {total:.1f} s; the kill cost {resumed - figures.killed_at:.1f} s",
            f"   most memory: worker {figures.memory[_WORKER] / 2**20:,.0f} MiB, api"
            f" {figures.memory[_API] / 2**20:,.0f} MiB",
            f"   kept {figures.kept:,}, told {figures.told:,}, served {figures.served:,}: {lost} lost,"
            f" {figures.doubled} doubled",
        ]
    )


def _rate(entries: list[tuple[float, int]]) -> float:
    if len(entries) < 2 or entries[-1][0] <= entries[0][0]:
        return 0.0
    return (entries[-1][1] - entries[0][1]) / (entries[-1][0] - entries[0][0])

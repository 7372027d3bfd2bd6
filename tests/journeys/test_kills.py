"""Awards are right whatever dies: 24 kills at random during a replay, then a rebuild of awarding from the topics."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from deploy.doors import Doors
from deploy.local.system import System
from deploy.replay.cohort import Body, Cohort
from deploy.replay.oulad import read_oulad
from deploy.replay.sending import CLOUDEVENTS_BATCH, Disorder
from tests.deploy.oulad import expected_badges, write_oulad
from tests.journeys.stage import do, event_id, records_of, rows, send, whole_system

KILLS = 24
BADGES = "select badge_id, credential, open_badge_2, digest from badge order by badge_id"
KEPT = "select * from badge order by badge_id"


async def test_nothing_is_lost_or_doubled_by_kills_and_a_rebuild_gives_the_same_bytes(tmp_path: Path) -> None:
    """Issue 3, item 3; B2: shuffled rows, 5 % sent twice, SIGKILL at random; equal bytes on a replay of all topics."""
    directory = write_oulad(tmp_path / "oulad", learners=500, seed=3)
    cohort, expected = read_oulad(directory), expected_badges(directory)
    disorder = Disorder(shuffle_seed=7, duplicates=0.05)
    # Small batches: more places to be killed in.
    async with whole_system(tmp_path / "system", settings={"CAIRN_BATCH_RECORDS": "50"}) as (system, doors):
        # The catalogue, learners and enrolments first, without events; then events between kills.
        await send(replace(cohort, events=lambda: iter(()), event_count=0), doors, disorder=disorder)
        kills = await _send_between_kills(system, doors, cohort, disorder)
        # Sending all of it once more changes nothing; it ends when everything is through.
        outcome = await send(cohort, doors, disorder=disorder)
        assert outcome.badges == expected
        assert kills.total() == KILLS

        told = await records_of(system, "badge-issued")
        ids = Counter(event_id(record) for record in told if _is_badge(record))
        lost = sum(expected.values()) - len(ids)
        doubled = sum(times - 1 for times in ids.values())
        print(f"kills {dict(kills)}: {len(ids)} badges told, {lost} lost, {doubled} doubled")
        assert (lost, doubled, outcome.dead_letters) == (0, 0, 0)
        await _all_events_told_once(system, cohort)

        signed, kept = await rows(system, "awarding", BADGES), await rows(system, "verification", KEPT)
        await _rebuild_awarding(system)
        outcome = await send(cohort, doors)
        assert outcome.badges == expected
        assert await rows(system, "awarding", BADGES) == signed
        assert await rows(system, "verification", KEPT) == kept
        print(f"rebuilt from the topics: {len(signed)} badges, equal bytes")


async def _send_between_kills(system: System, doors: Doors, cohort: Cohort, disorder: Disorder) -> Counter[str]:
    """Send the events in as many parts as there are kills, and kill a process at random while each is sent."""
    draw = random.Random(11)
    events = disorder.applied(cohort.events())
    part = cohort.event_count // KILLS + 1
    kills: Counter[str] = Counter()
    async with asyncio.TaskGroup() as sending:
        while batch := list(islice(events, part)):
            sent = sending.create_task(_post(doors, batch))
            if kills.total() < KILLS:
                await asyncio.sleep(draw.uniform(0, 0.6))
                victim = await _somebody_at_work(system, draw)
                system.kill(victim)
                kills[victim] += 1
            await sent
    return kills


async def _somebody_at_work(system: System, draw: random.Random) -> str:
    """A process at random, workers first of all, out of those that have been up for long enough to be working."""
    while True:
        ripe = datetime.now(UTC) - timedelta(seconds=2.5)
        names = [name for name in system.pids if system.processes[name].started_at < ripe]
        names = [name for name in names if name.endswith("-worker") or name == "progress-api"]
        if names:
            # Awarding, where badges are made, twice as often.
            return draw.choice([*names, *(name for name in names if name == "awarding-worker")])
        await asyncio.sleep(0.05)


async def _post(doors: Doors, batch: list[Body]) -> None:
    for start in range(0, len(batch), 20):
        await doors.post("progress", "/events", batch[start : start + 20], CLOUDEVENTS_BATCH)


async def _all_events_told_once(system: System, cohort: Cohort) -> None:
    told = Counter[str]()
    for topic in ("assessment-scored", "activity-completed"):
        told.update(event_id(record) for record in await records_of(system, topic))
    assert len(told) == cohort.event_count
    assert set(told.values()) == {1}


async def _rebuild_awarding(system: System) -> None:
    """Throw awarding's database away: its worker reads its topics from the beginning into a new one."""
    await system.stop_process("awarding-worker")
    await system.stop_process("awarding-api")
    [before] = await rows(system, "awarding", "select position from relay_batch")
    await do(system.postgres.dsn(), "drop database cairn_awarding with (force)")
    await system.migrate("awarding")
    # Kafka has committed this position: an operator's word that telling again is meant.
    await do(system.dsn("awarding"), f"update relay_batch set position = {before['position']}")
    await system.start_process("awarding-api")
    await system.start_process("awarding-worker")


def _is_badge(record: object) -> bool:
    return dict(record.headers)["ce_type"] == b"cairn.badge-issued.v1"  # type: ignore[attr-defined]

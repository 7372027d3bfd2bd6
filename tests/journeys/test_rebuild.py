"""Services are rebuilt from the topics while they serve, and after their database is lost (B2, B6, B8; issue 5)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from deploy.demo.cohort import example_cohort, learner_id
from deploy.doors import Doors
from deploy.local.system import System
from deploy.replay.cohort import Cohort
from tests.journeys.stage import badges_of, do, event_id, records_of, rows, send, whole_system
from tests.journeys.stage import rebuild as _rebuild

BADGES = "select badge_id, credential, open_badge_2, digest, awarded_at, state, by_hand from badge order by badge_id"
CHANGES = "select event_id, badge_id, state, reason, cause_id from badge_change order by event_id"
ACTS = "select act_id, kind, actor, reason, evidence, done_at from act order by act_id"
KEPT = "select * from badge order by badge_id"
WHY = {"reason": "Reviewed by the board.", "evidence": "Minutes of 3 March"}


async def test_services_are_rebuilt_while_they_serve(tmp_path: Path) -> None:
    async with whole_system(tmp_path / "system") as (system, doors):
        cohort = example_cohort()
        events = list(cohort.events())
        half = len(events) // 2
        await send(replace(cohort, events=lambda: iter(events[:half]), event_count=half), doors)
        await _acts(doors)
        kept, oids = await rows(system, "verification", KEPT), await _oid(system, "verification")
        async with _asked_without_end(system, doors) as answers:
            said = await _rebuild(system, "verification")
            assert "Rebuilt from" in said
        _all_answered(answers)
        assert await rows(system, "verification", KEPT) == kept
        assert await _oid(system, "verification") != oids

        # Awarding is rebuilt while events come in; what people did by hand goes along with who did it.
        acts = await rows(system, "awarding", ACTS)
        async with _asked_without_end(system, doors) as answers:
            sending = asyncio.create_task(send(cohort, doors))
            assert "act" in await _rebuild(system, "awarding")
            outcome = await sending
        _all_answered(answers)
        assert await rows(system, "awarding", ACTS) == acts
        assert outcome.badges["Data ethics"] == 12 + 1
        await _told_once(system)
        await _agree(system)

        await _restored_when_lost(system, doors, cohort, outcome.badges)


async def _restored_when_lost(system: System, doors: Doors, cohort: Cohort, badges: Mapping[str, int]) -> None:
    """The database is lost with all in it: the topics give the badges back, and what was decided by hand."""
    acts = await rows(system, "awarding", ACTS)
    before = [await rows(system, "awarding", query) for query in (BADGES, CHANGES)]
    await _lose(system, "awarding")
    await _rebuild(system, "awarding")
    await system.start_process("awarding-api")
    await system.start_process("awarding-worker")
    assert [await rows(system, "awarding", query) for query in (BADGES, CHANGES)] == before
    assert [row["act_id"] for row in await rows(system, "awarding", ACTS)] == [row["act_id"] for row in acts]
    # It is at work again, and tells nothing of it anew.
    assert (await send(cohort, doors)).badges == badges
    await doors.post("awarding", "/badges", {"learner_id": learner_id(6), "achievement_id": "reading-data", **WHY})
    await _until_held(doors, learner_id(6), "reading-data")
    await _told_once(system)
    await _agree(system)


async def test_a_rebuild_undoes_no_erasure_that_its_worker_had_not_heard(tmp_path: Path) -> None:
    """What no topic tells goes along in a rebuild; the tombstone of its learner still takes it out (B7)."""
    async with whole_system(tmp_path / "system") as (system, doors):
        await send(example_cohort(), doors)
        learner, kept = learner_id(1), "select learner_id from pushed_badge"
        push = "00000000-0000-4000-8000-000000000001"
        await do(
            system.dsn("verification"),
            "insert into pushed_badge"
            " (learner_id, credential_id, content, is_token, issued_at, kept_at, push_id, digest)"
            f" values ('{learner}', 'urn:x:1', 'x', false, now(), now(), '{push}', 'sha256:00')",
        )
        await system.stop_process("verification-worker")
        await doors.delete("enrollment", f"/learners/{learner}")
        await _until_erased(system, "learners", learner)
        await _rebuild(system, "verification")
        assert len(await rows(system, "verification", kept)) == 1
        await system.start_process("verification-worker")
        await _until_erased(system, "pushed-badges", push)
        assert await rows(system, "verification", kept) == []
        assert await rows(system, "verification", f"select from badge where learner_id = '{learner}'") == []


async def _until_erased(system: System, topic: str, key: str) -> None:
    """Wait for a tombstone of this key."""
    for _ in range(300):
        if any(record.key == key.encode() and record.value is None for record in await records_of(system, topic)):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"expected a tombstone of {key} on {topic}")


async def test_verification_outlives_the_others(tmp_path: Path) -> None:
    """Kafka and the other services are gone, and everything public is answered; later it catches up."""
    async with whole_system(tmp_path / "system") as (system, doors):
        cohort = example_cohort()
        await send(cohort, doors)
        asked = await _questions(doors)
        expected = {name: answer.content for name, answer in (await _ask(system, asked)).items() if name != "verify"}
        others = [name for name in system.processes if not name.startswith("verification-")]
        for name in others:
            await system.stop_process(name)
        await asyncio.to_thread(system.kafka.stop)
        for _ in range(3):
            found = await _ask(system, asked)
            assert {name: answer.status_code for name, answer in found.items()} == dict.fromkeys(found, 200)
            assert {name: answer.content for name, answer in found.items() if name != "verify"} == expected
            assert b"Genuine" in found["verify"].content
            await asyncio.sleep(0.5)
        await asyncio.to_thread(system.kafka.start)
        await asyncio.gather(*(system.start_process(name) for name in others))
        [badge] = [entry for name, entry in (await badges_of(doors, learner_id(1))).items() if name == "data-steward"]
        await doors.post("awarding", f"/badges/{_id(badge)}/suspend", WHY)
        await _until_state(doors, "data-steward", "suspended")


async def _acts(doors: Doors) -> None:
    """What people decide: an award, a revocation, a suspension."""
    held = await badges_of(doors, learner_id(1))
    await doors.post("awarding", "/badges", {"learner_id": learner_id(6), "achievement_id": "data-ethics", **WHY})
    await doors.post("awarding", f"/badges/{_id(held['first-steps'])}/revoke", WHY)
    await doors.post("awarding", f"/badges/{_id(held['reading-data'])}/suspend", WHY)
    await _until_held(doors, learner_id(6), "data-ethics")
    await _until_state(doors, "first-steps", "revoked")
    await _until_state(doors, "reading-data", "suspended")


async def _until_held(doors: Doors, learner: str, achievement: str) -> None:
    for _ in range(300):
        if achievement in await badges_of(doors, learner):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"expected {learner} to hold {achievement}")


async def _until_state(doors: Doors, achievement: str, state: str) -> None:
    """Wait until the first learner's badge is told to be so."""
    for _ in range(300):
        found = (await badges_of(doors, learner_id(1)))[achievement]["state"]
        if found == state:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"expected {achievement} to be {state}, found {found}")


def _id(badge: dict[str, Any]) -> str:
    return badge["id"].rpartition("/")[2]


async def _lose(system: System, service: str) -> None:
    await system.stop_process(f"{service}-worker")
    await system.stop_process(f"{service}-api")
    await do(system.postgres.dsn(), f"drop database cairn_{service} with (force)")


async def _oid(system: System, service: str) -> int:
    """Which table serves."""
    [row] = await rows(system, service, "select 'badge'::regclass::oid::bigint as oid")
    return row["oid"]


@asynccontextmanager
async def _asked_without_end(system: System, doors: Doors) -> AsyncGenerator[list[tuple[str, int, bytes]]]:
    """Ask for public documents all the while; the answers as (path, status, content)."""
    badge = (await badges_of(doors, learner_id(1)))["charts-that-tell"]
    paths = [f"/badges/{_id(badge)}.json", f"/ob2/assertions/{_id(badge)}", "/issuers/example-institute/did.json"]
    answers: list[tuple[str, int, bytes]] = []

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=system.urls["verification"], timeout=20) as client:
            while True:
                for path in paths:
                    answer = await client.get(path)
                    answers.append((path, answer.status_code, answer.content))
                await asyncio.sleep(0.005)

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    try:
        yield answers
    finally:
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)


def _all_answered(answers: list[tuple[str, int, bytes]]) -> None:
    """Every answer was 200, and of each document there was one."""
    print(f"{len(answers)} answers meanwhile")
    assert len(answers) > 50
    assert {status for _, status, _ in answers} == {200}
    assert len({(path, content) for path, _, content in answers}) == len({path for path, _, _ in answers})


async def _told_once(system: System) -> None:
    """No event was told twice, whatever was rebuilt."""
    ids = Counter(event_id(record) for record in await records_of(system, "badge-issued"))
    assert [name for name, times in ids.items() if times > 1] == []


async def _agree(system: System) -> None:
    """Awarding and verification hold the same badges."""
    digests = "select badge_id, digest from badge order by badge_id"
    assert await rows(system, "awarding", digests) == await rows(system, "verification", digests)


async def _questions(doors: Doors) -> dict[str, tuple[str, str, str | None]]:
    """The public requests about a badge: (method, path, Accept or the badge to verify)."""
    badge = (await badges_of(doors, learner_id(1)))["data-steward"]
    path = f"/badges/{_id(badge)}"
    return {
        "page": ("GET", path, "text/html"),
        "json": ("GET", f"{path}.json", None),
        "assertion": ("GET", f"/ob2/assertions/{_id(badge)}", None),
        "issuer": ("GET", "/issuers/example-institute/did.json", None),
        "picture": ("GET", "/achievements/data-steward/versions/1/image.svg", None),
        "verify": ("POST", "/verifications", badge["id"]),
    }


async def _ask(system: System, questions: dict[str, tuple[str, str, str | None]]) -> dict[str, httpx.Response]:
    found: dict[str, httpx.Response] = {}
    async with httpx.AsyncClient(base_url=system.urls["verification"], timeout=30) as client:
        for name, (method, path, more) in questions.items():
            if method == "GET":
                found[name] = await client.get(path, headers={"Accept": more} if more else None)
            else:
                found[name] = await client.post(path, json={"url": more})
    return found

"""A badge that its learner hid stays hidden, whatever becomes of verification's database (M1.3, B7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson

from deploy.demo.cohort import example_cohort, learner_id
from deploy.doors import Doors
from deploy.local.system import System
from services.verification.rules.codes import code_of
from tests.journeys.stage import badges_of, do, rebuild, records_of, rows, send, whole_system
from tests.libs.common.messaging.waiting import until

ERASED = learner_id(2)
SHARES = (
    "select badge_id, learner_id, audience, until, shows_name, shows_evidence, changed_at from badge_share"
    " order by badge_id"
)
COUNT = "select (select count(*) from badge) as badges"
# The very transaction that keeps a badge must know what was decided about it, and who is erased: an empty table says so
# if one does not.
WATCH = """
create table shown_too_early (badge_id uuid);
create function watch() returns trigger language plpgsql as $$
begin
    if new.learner_id = '{erased}' or new.badge_id = '{badge}' and not exists (
        select from badge_share where badge_id = new.badge_id and audience = 'private'
    ) then insert into shown_too_early values (new.badge_id); end if;
    return new;
end $$;
create trigger watch before insert on badge for each row execute function watch();
"""


async def test_what_was_hidden_stays_hidden(tmp_path: Path) -> None:
    # In small batches, so that it is not by chance that what belongs together comes together.
    few = {"CAIRN_BATCH_RECORDS": "3"}
    async with whole_system(tmp_path / "system", settings=few) as (system, doors):
        await send(example_cohort(), doors)
        held = await badges_of(doors, learner_id(1))
        hidden, shown, earlier = (_id(held[name]) for name in ("data-steward", "charts-that-tell", "reading-data"))
        for badge_id, audience in ((shown, "private"), (shown, "public"), (hidden, "public"), (hidden, "private")):
            await _decide(system, badge_id, audience)
        await _upgraded(system, earlier)
        expected = {hidden: "private", shown: "public", earlier: "private"}
        await until(lambda: _told(system, expected))
        assert await _faces(system, hidden) == await _faces(system, earlier) == {404}
        assert await _faces(system, shown) == {200, 302}

        assert await _rebuilt_meanwhile(system, hidden, decided=shown) == {404}
        await until(lambda: _told(system, expected))
        kept = await rows(system, "verification", SHARES)
        assert {str(row["badge_id"]): row["audience"] for row in kept} == expected

        assert await badges_of(doors, ERASED)
        await doors.delete("enrollment", f"/learners/{ERASED}")
        await until(lambda: _are_gone(system, ERASED))
        badges = await rows(system, "verification", COUNT)
        await _start_on_an_empty_database(system, hidden, badges)
        assert await rows(system, "verification", "select * from shown_too_early") == []
        assert await rows(system, "verification", SHARES) == kept
        assert await _faces(system, earlier) == {404}
        assert await _faces(system, shown) == {200, 302}

        await _lose(system)
        await rebuild(system, "verification")
        await asyncio.gather(*(system.start_process(f"verification-{role}") for role in ("api", "worker")))
        assert await rows(system, "verification", SHARES) == kept
        assert await _faces(system, hidden) == {404}
        await _erased_for_good(system, doors)


async def _upgraded(system: System, badge_id: str) -> None:
    """A version that told nothing hid this badge: a rebuild takes that along, and then the worker tells it."""
    await until(lambda: _nothing_waits(system))
    await system.stop_process("verification-worker")
    await do(
        system.dsn("verification"),
        "insert into badge_share (badge_id, audience, shows_name, shows_evidence, changed_at)"
        f" values ('{badge_id}', 'private', true, true, now())",
    )
    await rebuild(system, "verification")
    assert await _faces(system, badge_id) == {404}
    await system.start_process("verification-worker")


async def _rebuilt_meanwhile(system: System, hidden: str, *, decided: str) -> set[int]:
    """Rebuild while one badge is asked for and another is decided on, at last for everybody; what was answered."""
    async with _asked_without_end(system, hidden) as found:
        rebuilding = asyncio.create_task(rebuild(system, "verification"))
        while not rebuilding.done():
            for audience in ("private", "public"):
                await _decide(system, decided, audience)
        await rebuilding
    return found


async def _start_on_an_empty_database(system: System, hidden: str, badges: list[Any]) -> None:
    """Api first, then the worker; as an operator does who means it (the relay's refusal says how)."""
    await system.stop_process("verification-worker")
    [relay] = await rows(system, "verification", "select position from relay_batch")
    await _lose(system)
    await system.migrate("verification")
    await do(
        system.dsn("verification"), f"update relay_batch set position = {relay['position']}",
        WATCH.format(badge=hidden, erased=ERASED),
    )  # fmt: skip
    await system.start_process("verification-api")
    async with _asked_without_end(system, hidden) as found:
        await system.start_process("verification-worker")

        async def read() -> bool:
            return await rows(system, "verification", COUNT) == badges

        await until(read)
        assert await _faces(system, hidden) == {404}
    assert found == {404}


async def _erased_for_good(system: System, doors: Doors) -> None:
    """She is erased while verification has no database: what she decided goes from the topic too, and stays away."""
    await _lose(system)
    await doors.delete("enrollment", f"/learners/{learner_id(1)}")
    await rebuild(system, "verification")
    assert await rows(system, "verification", SHARES) == []
    await asyncio.gather(*(system.start_process(f"verification-{role}") for role in ("api", "worker")))
    await until(lambda: _told(system, {}))
    await _lose(system)
    await rebuild(system, "verification")
    assert await rows(system, "verification", SHARES) == []


async def _decide(system: System, badge_id: str, audience: str) -> None:
    token = system.identity.mint_token(learner_id(1), [], learner_id=learner_id(1))
    async with _client(system) as client:
        answer = await client.put(
            f"/badges/{badge_id}/sharing", json={"audience": audience}, headers={"authorization": f"Bearer {token}"}
        )
    assert answer.status_code == 200, answer.text


async def _told(system: System, expected: dict[str, str]) -> bool:
    """Whether these are the last words on the topic, tombstones left out."""
    found: dict[str, str | None] = {}
    for record in await records_of(system, "sharing"):
        found[record.key.decode()] = None if record.value is None else orjson.loads(record.value)["audience"]
    return {key: audience for key, audience in found.items() if audience is not None} == expected


async def _are_gone(system: System, learner: str) -> bool:
    return not await rows(system, "verification", f"select from badge where learner_id = '{learner}'")


async def _nothing_waits(system: System) -> bool:
    return not await rows(system, "verification", "select from outbox")


async def _faces(system: System, badge_id: str) -> set[int]:
    """What the public gets of a badge."""
    path = f"/badges/{badge_id}"
    faces = (
        path, f"{path}.json", f"{path}.png", f"{path}.svg", f"{path}.pdf", f"{path}/card.png", f"{path}/qr.svg",
        f"/ob2/assertions/{badge_id}", f"/c/{code_of(UUID(badge_id))}",
    )  # fmt: skip
    async with _client(system) as client:
        return {(await client.get(face)).status_code for face in faces}


@asynccontextmanager
async def _asked_without_end(system: System, badge_id: str) -> AsyncGenerator[set[int]]:
    """Ask for a badge all the while: what was answered."""
    found: set[int] = set()

    async def ask() -> None:
        async with _client(system) as client:
            while True:
                for path in (f"/badges/{badge_id}", f"/badges/{badge_id}.json", f"/ob2/assertions/{badge_id}"):
                    found.add((await client.get(path)).status_code)
                await asyncio.sleep(0.005)

    asking = asyncio.create_task(ask())
    try:
        yield found
    finally:
        asking.cancel()
        await asyncio.wait([asking])


def _client(system: System) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=system.urls["verification"], trust_env=False, timeout=30)


def _id(badge: dict[str, Any]) -> str:
    return badge["id"].rpartition("/")[2]


async def _lose(system: System) -> None:
    await system.stop_process("verification-worker")
    await system.stop_process("verification-api")
    await do(system.postgres.dsn(), "drop database cairn_verification with (force)")

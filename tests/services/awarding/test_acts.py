"""What authorised people do to badges by hand: with reason and evidence, audited, and what follows (M1.37)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.messaging.work import begin
from services.awarding import api, handlers
from services.awarding.settings import AwardingSettings
from services.awarding.worker import work_off_acts
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    badge,
    done,
    event_id,
    passed,
    published,
    registered,
    scored,
    voided,
)
from tests.services.awarding.test_states import changes, holding
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

WHY = {"reason": "Marked on paper.", "evidence": "Minutes of the board, 3 March"}
GOOD = scored("ada", "x", "80", 1)


@pytest.fixture
def mint(tmp_path: Path) -> TokenMint:
    """Mints the tokens that the doors accept."""
    return TokenMint(tmp_path)


@pytest.fixture
async def doors(service: Service, database_dsn: str, mint: TokenMint) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app, who may change badges; Ada holds `part`."""
    await service.hear(
        *published(
            ISSUER,
            achievement("part", passed("x")),
            achievement("other", done("y")),
            achievement("stack", all_of(badge("part"), badge("other"))),
        ),
        *registered("ada"),
        GOOD,
    )
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers.update(mint.headers("badges.write", "records.read"))
        yield client


async def carried_out(service: Service) -> int:
    """Carry out all acts that wait; answers how many."""
    total = 0
    while True:
        async with begin(service.database) as work:
            done_now = await handlers.complete_acts(service.office, work, most=2)
        total += done_now
        if not done_now:
            return total


async def asked(doors: httpx.AsyncClient, path: str, **more: Any) -> dict[str, Any]:
    """What a person asked for, as it was accepted."""
    answer = await doors.post(path, json={**WHY, **more})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/acts/{answer.json()['act_id']}"
    assert answer.json()["state"] == "waiting"
    return answer.json()


async def became(doors: httpx.AsyncClient, act: dict[str, Any]) -> dict[str, Any]:
    """What became of an act."""
    return (await doors.get(f"/acts/{act['act_id']}")).json()


async def settled(doors: httpx.AsyncClient, act: dict[str, Any]) -> None:
    """Wait until an act waits no more."""
    for _ in range(2_000):
        if (await became(doors, act))["state"] != "waiting":
            return
        await asyncio.sleep(0.02)


async def badge_of(service: Service, name: str) -> UUID:
    """Ada's last badge of an achievement."""
    return await service.database.pool.fetchval(
        "select badge_id from badge where achievement_id = $1 order by cycle desc limit 1", name
    )


async def test_a_badge_awarded_by_hand_is_signed_told_and_earns_the_stack(
    doors: httpx.AsyncClient, service: Service
) -> None:
    act = await asked(doors, "/badges", learner_id="ada", achievement_id="other")
    assert await carried_out(service) == 1
    assert await holding(service) == {"part", "other", "stack"}
    told = {issued.achievement_id: issued for issued in await service.told()}
    assert "person" in told["other"].credential
    assert WHY["evidence"] not in told["other"].credential
    done_act = await became(doors, act)
    assert (done_act["state"], done_act["badge_id"]) == ("done", str(told["other"].badge_id))
    # No fact is behind it, so none can shake it.
    await service.hear(voided(GOOD, 5))
    assert await holding(service) == {"other"}


async def test_a_suspension_by_hand_cascades_and_is_undone_by_hand_alone(
    doors: httpx.AsyncClient, service: Service
) -> None:
    await asked(doors, "/badges", learner_id="ada", achievement_id="other")
    await carried_out(service)
    part = await badge_of(service, "part")
    await asked(doors, f"/badges/{part}/suspend")
    await carried_out(service)
    assert await holding(service) == {"other"}
    await service.hear(scored("ada", "x", "95", 7))
    assert await holding(service) == {"other"}
    await asked(doors, f"/badges/{part}/reinstate")
    await carried_out(service)
    assert await holding(service) == {"part", "other", "stack"}
    assert await changes(service) == [
        ("part", "suspended"), ("stack", "suspended"), ("part", "reinstated"), ("stack", "reinstated"),
    ]  # fmt: skip
    history = (await doors.get(f"/badges/{part}/history")).json()
    assert [(change["state"], change["reason"]) for change in history["changes"]] == [
        ("suspended", WHY["reason"]), ("holds", WHY["reason"]),
    ]  # fmt: skip
    assert [(act["kind"], act["actor"], act["evidence"]) for act in history["acts"]] == [
        (kind, "tester", WHY["evidence"]) for kind in ("suspend", "reinstate")
    ]


async def test_what_is_revoked_by_hand_stays_so_until_it_is_awarded_by_hand(
    doors: httpx.AsyncClient, service: Service
) -> None:
    part = await badge_of(service, "part")
    await asked(doors, f"/badges/{part}/revoke")
    await carried_out(service)
    await service.hear(scored("ada", "x", "95", 7))
    assert await holding(service) == set()
    again = await asked(doors, f"/badges/{part}/reinstate")
    await asked(doors, "/badges", learner_id="ada", achievement_id="part")
    assert await carried_out(service) == 2
    assert (await became(doors, again))["refusal"] == "expected a badge that is not revoked: revocation is for good"
    assert await holding(service) == {"part"}
    assert [(issued.achievement_id, issued.cycle) for issued in await service.told()] == [("part", 0), ("part", 1)]


async def test_the_same_act_twice_is_one(doors: httpx.AsyncClient, service: Service) -> None:
    body = {**WHY, "act_id": str(event_id("act")), "learner_id": "ada", "achievement_id": "other"}
    for _ in range(2):
        assert (await doors.post("/badges", json=body)).status_code == 202
    other = await doors.post("/badges", json={**body, "reason": "Another reason."})
    assert other.status_code == 409
    await carried_out(service)
    second = await asked(doors, "/badges", learner_id="ada", achievement_id="other")
    await carried_out(service)
    assert (await became(doors, second))["state"] == "refused"
    assert len(await service.told()) == 3


async def test_the_door_refuses_what_cannot_be(doors: httpx.AsyncClient, mint: TokenMint, service: Service) -> None:
    part = await badge_of(service, "part")
    nobody = {**WHY, "learner_id": "nobody", "achievement_id": "part"}
    assert (await doors.post("/badges", json=nobody)).status_code == 404
    assert (await doors.post("/badges", json={**nobody, "learner_id": "ada", "achievement_id": "q"})).status_code == 404
    assert (await doors.post(f"/badges/{event_id('none')}/revoke", json=WHY)).status_code == 404
    assert (await doors.post(f"/badges/{part}/revoke", json={"reason": "Because."})).status_code == 422
    assert (await doors.post(f"/badges/{part}/revoke", json={**WHY, "reason": "a\0b"})).status_code == 422
    assert (await doors.get(f"/acts/{event_id('none')}")).status_code == 404
    assert (await doors.get(f"/badges/{event_id('none')}/history")).status_code == 404
    readers = mint.headers("records.read")
    assert (await doors.post(f"/badges/{part}/revoke", json=WHY, headers=readers)).status_code == 403


async def test_the_worker_carries_acts_out_and_gives_up_only_what_fails(
    doors: httpx.AsyncClient, service: Service
) -> None:
    await service.hear(*registered("ben"))
    broken = await asked(doors, "/badges", learner_id="ada", achievement_id="other")
    fine = await asked(doors, "/badges", learner_id="ben", achievement_id="other")
    # A rule that no code of ours knows, so that awarding to Ada fails each time.
    await service.database.pool.execute("alter table badge add check (learner_id <> 'ada' or cycle > 0) not valid")
    task = asyncio.create_task(work_off_acts(service.office, service.database, most=10))
    try:
        async with asyncio.timeout(60):
            for act in (broken, fine):
                await settled(doors, act)
    finally:
        task.cancel()
    assert (await became(doors, broken))["refusal"] == handlers.FAILED
    assert (await became(doors, fine))["state"] == "done"


async def test_an_act_that_fails_is_given_up_and_no_other(doors: httpx.AsyncClient, service: Service) -> None:
    """By the time it is given up another worker may have the learner, so that the first act that waits is another's."""
    await service.hear(*registered("ben"))
    broken = await asked(doors, "/badges", learner_id="ada", achievement_id="other")
    fine = await asked(doors, "/badges", learner_id="ben", achievement_id="other")
    tried: list[UUID] = []
    with pytest.raises(ZeroDivisionError):
        async with begin(service.database) as work:
            await handlers.complete_acts(service.office, work, most=1, tried=tried)
            _ = 1 // 0
    assert [str(act_id) for act_id in tried] == [broken["act_id"]]
    async with begin(service.database) as other:
        await other.connection.execute("select from learner where learner_id = 'ada' for no key update")
        async with begin(service.database) as work:
            await handlers.cancel_act(work, tried[0])
    assert (await became(doors, broken))["refusal"] == handlers.FAILED
    assert (await became(doors, fine))["state"] == "waiting"
    assert await carried_out(service) == 1
    # What was done meanwhile stays done.
    async with begin(service.database) as work:
        await handlers.cancel_act(work, UUID(fine["act_id"]))
    assert (await became(doors, fine))["state"] == "done"

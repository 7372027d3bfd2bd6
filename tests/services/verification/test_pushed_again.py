"""A badge pushed again is told once; once more where its learner took it back in between, in either order (B12)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid5

import pytest

from libs.common.contracts.importing import BadgeImported, ImportedBadgeWithdrawn, ImportRefused
from libs.common.contracts.verification import BadgePushed
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work, begin
from services.verification.handlers.backpack import keep_pushed_badge
from services.verification.store.backpack import Held
from tests.services.verification.support import HANDLERS, Service, at, event
from tests.services.verification.test_programs import shown, told
from tests.services.verification.test_remembering import let_program_in

CONTENT = b'{"name": "A badge"}'
LEARNER, CREDENTIAL = "learner-1", "urn:x:1"


async def keep(work: Work, minutes: float, content: bytes = CONTENT) -> None:
    """A program pushes it."""
    held = Held(content, is_token=False)
    kept = keep_pushed_badge(work, LEARNER, CREDENTIAL, held, issued_at=at(0), at=at(minutes), most=9)
    assert await kept is not None


async def push(service: Service, minutes: float, content: bytes = CONTENT) -> None:
    async with begin(service.database) as work:
        await keep(work, minutes, content)


async def pushes(service: Service) -> list[BadgePushed]:
    """What was told of it."""
    return [one for _, one in await told(service) if one is not None]


async def state(service: Service) -> tuple[str, str | None]:
    """What its learner is told of it."""
    (one,) = (await shown(service))["pushed_badges"]
    return one["state"], one["cause"]


@pytest.fixture
async def push_id(service: Service) -> UUID:
    """The id of the push, which was told and counts."""
    await let_program_in(service, LEARNER)
    await push(service, 1)
    (first,) = await pushes(service)
    await service.hear(imported(first.push_id, 2))
    return first.push_id


def imported(push_id: UUID, minutes: float) -> Received[Any]:
    """Awarding says that it counts."""
    digest = "sha256:" + "0" * 64
    word = BadgeImported(
        import_id=push_id, learner_id=LEARNER, issuer="did:web:x.example", name="X", standard="Open Badges 3.0",
        digest=digest,
    )  # fmt: skip
    return event(word, minutes=minutes)


def taken_back(push_id: UUID, minutes: float, *, counted: bool = True) -> Received[Any]:
    """Awarding says that its learner took it back, while it `counted` or before."""
    shared: dict[str, Any] = {"import_id": push_id, "learner_id": LEARNER, "cause": "taken-back"}
    if counted:
        return event(ImportedBadgeWithdrawn(**shared, supersedes=uuid5(push_id, "counts")), minutes=minutes)
    return event(ImportRefused(**shared, digest="sha256:" + "0" * 64, detail="The learner did."), minutes=minutes)


@pytest.mark.parametrize("counted", [True, False])
async def test_what_was_taken_back_is_told_when_it_is_pushed_again(
    service: Service, push_id: UUID, counted: bool
) -> None:
    await push(service, 3)
    assert len(await pushes(service)) == 1
    await service.hear(taken_back(push_id, 4, counted=counted))
    assert len(await pushes(service)) == 1  # of itself nothing comes back
    assert (await state(service))[1] in ("taken-back", None)
    for minutes in (5, 6):
        await push(service, minutes)
        first, second = await pushes(service)
        assert (second.content, second.digest, second.pushed_at) == (first.content, first.digest, at(5))
        assert await state(service) == ("waiting", None)
    await service.hear(
        taken_back(push_id, 4, counted=counted), imported(push_id, 7)
    )  # what was heard, and that it counts
    await push(service, 8)
    assert len(await pushes(service)) == 2
    assert await state(service) == ("counting", None)
    await service.hear(taken_back(push_id, 9, counted=counted))
    await push(service, 10)
    assert len({one.pushed_at for one in await pushes(service)}) == 3
    rows = await service.database.pool.fetch("select event_id from outbox where key = $1", str(push_id).encode())
    assert len({row["event_id"] for row in rows}) == 3


@pytest.mark.parametrize("counted", [True, False])
async def test_what_was_pushed_again_before_that_was_heard_is_told_then(
    service: Service, push_id: UUID, counted: bool
) -> None:
    await push(service, 5)
    assert len(await pushes(service)) == 1
    for _ in range(2):  # once, though it is heard again
        await service.hear(taken_back(push_id, 4, counted=counted))
        assert [one.pushed_at for one in await pushes(service)] == [at(1), at(5)]
    await push(service, 6)
    assert len(await pushes(service)) == 2
    assert await state(service) == ("waiting", None)


async def test_what_was_taken_back_after_it_was_pushed_again_stays_so(service: Service, push_id: UUID) -> None:
    await push(service, 3)
    await service.hear(taken_back(push_id, 4))
    assert len(await pushes(service)) == 1
    assert await state(service) == ("lost", "taken-back")
    # A word that is older than the last says nothing.
    await service.hear(imported(push_id, 6), taken_back(push_id, 5))
    await push(service, 7)
    assert len(await pushes(service)) == 1


async def test_another_in_its_place_goes_with_it_too(service: Service, push_id: UUID) -> None:
    """What waited for the one that counts was taken back with it: pushed again, it is told again."""
    other = b'{"name": "Another"}'
    await push(service, 3, other)
    await service.hear(taken_back(push_id, 4))
    await push(service, 5, other)
    assert [one.content.encode() for one in await pushes(service)] == [CONTENT, other, other]


async def test_a_push_and_the_word_at_one_time_make_one_message(service: Service, push_id: UUID) -> None:
    """Whichever commits first, the other sees it."""
    heard = taken_back(push_id, 4)
    async with begin(service.database) as work:
        await keep(work, 5)
        hearing = asyncio.create_task(service.hear(heard))
        await asyncio.sleep(0.2)
        assert not hearing.done()
    await hearing
    assert [one.pushed_at for one in await pushes(service)] == [at(1), at(5)]
    again = taken_back(push_id, 6)
    async with begin(service.database) as work:
        await HANDLERS[ImportedBadgeWithdrawn](work, [again])
        pushing = asyncio.create_task(push(service, 7))
        await asyncio.sleep(0.2)
        assert not pushing.done()
    await pushing
    assert [one.pushed_at for one in await pushes(service)] == [at(1), at(5), at(7)]

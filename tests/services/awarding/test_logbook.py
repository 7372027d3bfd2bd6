"""Every badge gets one place in the log of issuance, whose heads are signed and told (B8, SR-20)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from libs.common.contracts import BadgesLogged
from libs.common.credentials.checkpoint import read_checkpoint
from libs.common.credentials.keys import LocalSigner
from libs.common.credentials.log import Frontier, append, commitment, leaf_hash
from libs.common.messaging.work import begin
from services.awarding import handlers
from services.awarding.handlers import Logbook, logbook
from services.awarding.worker import work_off_log
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    at,
    completed,
    done,
    heard,
    published,
    registered,
)

ORIGIN = "badges.example/log"
KEY = LocalSigner(bytes(range(2, 34)), ORIGIN)
LEARNERS = tuple(f"learner-{number}" for number in range(5))


def book(key: LocalSigner = KEY) -> Logbook:
    """The log of the tests' deployment."""
    return Logbook(ORIGIN, key, b"a pepper for tests only")


async def earn(service: Service, *learners: str) -> None:
    """The learners earn a badge each."""
    await service.hear(*published(ISSUER, achievement("a", done("x"))), *registered(*learners))
    await service.hear(*(completed(learner, "x", 1) for learner in learners))


async def record(service: Service, most: int = 100, minutes: float = 5) -> int:
    """Give out places once."""
    async with begin(service.database) as work:
        return await handlers.record_logged(book(), work, most=most, now=at(minutes))


async def told(service: Service) -> list[BadgesLogged]:
    """What was told of the log."""
    rows = await service.database.pool.fetch("select value from outbox where type = $1 order by id", BadgesLogged.TYPE)
    return [BadgesLogged.model_validate_json(row["value"]) for row in rows]


def root_of(events: list[BadgesLogged]) -> bytes:
    """The head of the tree of all that was told."""
    entries = [base64.b64decode(badge.entry) for event in events for badge in event.badges]
    return append(Frontier(), [leaf_hash(entry) for entry in entries]).frontier.root


async def test_each_badge_has_a_place_and_each_head_is_signed(service: Service) -> None:
    await earn(service, *LEARNERS)
    assert [await record(service, most=2, minutes=n) for n in range(4)] == [2, 2, 1, 0]
    events = await told(service)
    assert [event.first_index for event in events] == [0, 2, 4]
    assert [event.logged_at for event in events] == [at(0), at(1), at(2)]
    for number, event in enumerate(events, 1):
        checkpoint = read_checkpoint(event.checkpoint, ORIGIN, KEY.public_key)
        assert checkpoint.root == root_of(events[:number])
        assert checkpoint.extensions == (f"time {int(event.logged_at.timestamp())}",)
    badges = {badge.badge_id: badge for event in events for badge in event.badges}
    assert len(badges) == len(LEARNERS)
    for issued in await service.told():
        place = badges[issued.badge_id]
        digest = hashlib.sha256(issued.credential.encode()).digest()
        assert base64.b64decode(place.entry) == commitment(digest, base64.b64decode(place.salt))


async def test_the_log_goes_on_under_a_new_key(service: Service) -> None:
    """What was logged stays; each head names the key that it is signed with."""
    await earn(service, *LEARNERS)
    await record(service, most=3)
    newer = LocalSigner(bytes(range(3, 35)), ORIGIN)
    async with begin(service.database) as work:
        await handlers.record_logged(book(newer), work, most=100, now=at(6))
    before, after = await told(service)
    assert [before.verifier_key, after.verifier_key] == [book().verifier_key, book(newer).verifier_key]
    assert (after.first_index, len(after.badges)) == (3, 2)
    assert read_checkpoint(after.checkpoint, ORIGIN, newer.public_key).root == root_of([before, after])


async def test_two_workers_give_out_no_place_twice(service: Service) -> None:
    await earn(service, *LEARNERS)
    while await service.database.pool.fetchval("select count(*) from unlogged"):
        await asyncio.gather(*(record(service, most=1) for _ in range(3)))
    events = await told(service)
    assert [event.first_index for event in events] == list(range(len(LEARNERS)))
    assert read_checkpoint(events[-1].checkpoint, ORIGIN, KEY.public_key).root == root_of(events)


async def test_the_worker_logs_what_waits(service: Service) -> None:
    await earn(service, *LEARNERS)
    working = asyncio.create_task(work_off_log(book(), service.database, seconds=0.05))
    async with asyncio.timeout(10):
        while not await told(service):  # noqa: ASYNC110 - the worker's doing
            await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.wait([working])
    assert sum(len(event.badges) for event in await told(service)) == len(LEARNERS)


@dataclass
class AwayKey:
    """A key that cannot be reached."""

    public_key: bytes = KEY.public_key
    verification_method: str = field(default=ORIGIN)

    def sign(self, content: bytes) -> bytes:
        raise OSError(content[:1])


async def test_without_its_key_the_log_waits(service: Service) -> None:
    await earn(service, "ada")
    away = Logbook(ORIGIN, AwayKey(), b"a pepper for tests only")
    with pytest.raises(OSError, match="b"):
        async with begin(service.database) as work:
            await handlers.record_logged(away, work, most=5, now=at(1))
    assert await told(service) == []
    assert await record(service) == 1


@pytest.fixture
async def fresh(service: Service, database_dsn: str) -> AsyncIterator[Service]:
    """Awarding on a database that is empty."""
    started = await Service.start(f"{database_dsn}_fresh")
    yield started
    await started.database.close()
    await service.database.pool.execute(f'drop database "{database_dsn.rpartition("/")[2]}_fresh" with (force)')


async def test_the_log_is_restored_and_goes_on(service: Service, fresh: Service) -> None:
    await earn(service, *LEARNERS[:3])
    await record(service, most=2)
    await record(service)
    events = [heard(event, "log", f"log {event.first_index}", event.logged_at) for event in await told(service)]
    for again in (events, events, events[1:]):  # once more changes nothing
        async with begin(fresh.database) as work:
            await logbook.on_badges_logged(work, again)
    await earn(fresh, *LEARNERS)
    async with begin(fresh.database) as work:
        await handlers.complete_restoring(fresh.office, work)
    assert await record(fresh) == 2
    [more] = await told(fresh)
    assert more.first_index == 3
    root = read_checkpoint(more.checkpoint, ORIGIN, KEY.public_key).root
    assert root == root_of([*await told(service), more])


async def test_a_gap_is_refused(service: Service, fresh: Service) -> None:
    await earn(service, *LEARNERS)
    await record(service, most=2)
    await record(service, most=2)
    late = (await told(service))[1]
    with pytest.raises(logbook.NotAsLogged, match="expected to go on at 0, found 2"):
        async with begin(fresh.database) as work:
            await logbook.on_badges_logged(work, [heard(late, "log", "late", late.logged_at)])

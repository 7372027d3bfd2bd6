"""Several workers at once, and the races that a crash or a publication can make (B2)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from libs.common.contracts import BadgeIssued, KeyPublished
from libs.common.messaging.faults import is_passing
from libs.common.messaging.work import begin
from services.awarding import handlers
from services.awarding.rules import slots
from services.awarding.worker import hears, work_off_backlog
from tests.services.awarding.support import (
    ISSUER,
    Event,
    Service,
    achievement,
    all_of,
    badge,
    completed,
    done,
    n_of,
    office,
    passed,
    published,
    registered,
    scored,
)

CATALOGUE = (
    ISSUER,
    achievement("both", all_of(passed("x"), done("y"))),
    achievement("a", passed("x")),
    achievement("b", done("y")),
    achievement("pair", n_of(2, badge("a"), badge("b"))),
)
EARNED = ("both", "a", "b", "pair")


@pytest.fixture
async def second(service: Service) -> Service:
    """Another worker on the same database, with a memory of its own."""
    return Service(service.database, office())


async def retried(service: Service, *events: Event) -> None:
    """One batch, tried again after a deadlock, as delivery does."""
    while True:
        try:
            await service.hear(*events)
        except Exception as fault:
            if not is_passing(fault):
                raise
        else:
            return


async def until(task: asyncio.Task[None], ask: Callable[[], Awaitable[object]], expected: object) -> None:
    """Wait until a question is answered as expected; the task must go on meanwhile."""
    async with asyncio.timeout(60):
        for _ in range(10_000):
            if await ask() == expected:
                return
            assert not task.done()
            await asyncio.sleep(0.02)


async def test_two_halves_of_a_badge_in_two_workers_make_one_badge(service: Service, second: Service) -> None:
    """Neither transaction sees the other's fact before it commits: the learner's lock puts one behind the other."""
    learners = [f"l{number}" for number in range(40)]
    await service.hear(*published(*CATALOGUE), *registered(*learners))
    order = random.Random(1)
    scores = [scored(name, "x", "50", 1) for name in learners]
    activities = [completed(name, "y", 2) for name in learners]
    order.shuffle(scores)
    order.shuffle(activities)
    for start in range(0, len(learners), 10):
        await asyncio.gather(
            retried(service, *scores[start : start + 10]), retried(second, *activities[start : start + 10])
        )
    expected = {(name, earned) for name in learners for earned in EARNED}
    assert await service.badges() == expected
    assert len(await service.told()) == len(expected)


async def test_a_publication_waits_for_facts_that_are_being_decided_on(service: Service, second: Service) -> None:
    """A fact decided on with the old catalogue is committed before the new one looks for whom to look at again."""
    await service.hear(*published(ISSUER), *registered("ada"))
    async with begin(service.database) as work:
        await service.handle(work, [scored("ada", "x", "50", 1)])
        publication = asyncio.create_task(second.hear(*published(achievement("a", passed("x")))))
        await asyncio.sleep(0.2)
        assert not publication.done()
    await publication
    assert await service.badges() == set()
    assert await service.recheck() == 1
    assert await service.badges() == {("ada", "a")}


async def test_facts_wait_for_a_publication_and_are_decided_on_with_it(service: Service, second: Service) -> None:
    await service.hear(*published(ISSUER), *registered("ada"))
    async with begin(service.database) as work:
        await service.handle(work, published(achievement("a", passed("x"))))
        fact = asyncio.create_task(second.hear(scored("ada", "x", "50", 1)))
        await asyncio.sleep(0.2)
        assert not fact.done()
    await fact
    assert await service.badges() == {("ada", "a")}


async def test_a_fact_and_its_learner_at_the_same_time_lose_nothing(service: Service, second: Service) -> None:
    await service.hear(*published(*CATALOGUE))
    async with begin(service.database) as work:
        await service.handle(work, [scored("ada", "x", "50", 1)])
        registration = asyncio.create_task(second.hear(*registered("ada")))
        await asyncio.sleep(0.2)
        assert not registration.done()
    await registration
    await service.recheck()
    assert await service.badges() == {("ada", "a")}


async def test_workers_share_the_backlog_and_leave_alone_whom_another_has(service: Service, second: Service) -> None:
    learners = [f"l{number}" for number in range(6)]
    events = [scored(name, "x", "50", 1) for name in learners]
    await service.hear(*registered(*learners), *events)
    await service.hear(*published(*CATALOGUE))
    async with begin(service.database) as work:
        assert await handlers.recheck_waiting(service.office, work, most=4) == 4
        async with begin(second.database) as other:
            assert await handlers.recheck_waiting(second.office, other, most=4) == 2
    assert await service.badges() == {(name, "a") for name in learners}
    assert await service.recheck() == 0


async def test_a_storm_of_everything_ends_in_the_right_badges(service: Service, second: Service) -> None:
    learners = [f"l{number}" for number in range(30)]
    events: list[Event] = [
        *published(*CATALOGUE),
        *registered(*learners),
        *(scored(name, "x", "50", 1) for name in learners),
        *(completed(name, "y", 2) for name in learners),
    ]
    order = random.Random(7)
    order.shuffle(events)
    queues = (events[::2], events[1::2])

    async def run(worker: Service, queue: list[Event]) -> None:
        while queue:
            await retried(worker, *queue[:7])
            del queue[:7]
            await worker.recheck(most=3)

    await asyncio.gather(run(service, queues[0]), run(second, queues[1]))
    await service.recheck()
    assert await service.badges() == {(name, earned) for name in learners for earned in EARNED}


async def test_the_backlog_is_worked_off_and_keys_are_told(service: Service) -> None:
    await service.hear(*registered("ada"), scored("ada", "x", "50", 1))
    await service.hear(*published(*CATALOGUE))
    changed = office(private_key=bytes(32))
    task = asyncio.create_task(work_off_backlog(changed, service.database, most=10))
    await until(task, service.badges, {("ada", "a")})
    task.cancel()
    rows = await service.database.pool.fetch("select value from outbox where type = $1", KeyPublished.TYPE)
    keys = {KeyPublished.model_validate_json(row["value"]).public_key_multibase for row in rows}
    assert keys == {key.key_id for worker in (service.office, changed) for key in worker.free_keys}


async def test_one_learner_who_cannot_be_looked_at_holds_nobody_up(service: Service) -> None:
    """A fault that does not pass is narrowed down to one learner, who is put off."""
    learners = [f"l{number}" for number in range(5)]
    await service.hear(*registered(*learners), *(scored(name, "x", "50", 1) for name in learners))
    await service.hear(*published(*CATALOGUE))
    # The stored event that no code of ours can have written.
    await service.database.pool.execute("update fact set out_of = 'NaN' where learner_id = 'l2'")
    task = asyncio.create_task(work_off_backlog(service.office, service.database, most=10))
    others = {(name, "a") for name in learners if name != "l2"}
    await until(task, service.badges, others)
    put_off = "select learner_id from recheck where due_at > now()"
    await until(task, lambda: service.database.pool.fetchval(put_off), "l2")
    task.cancel()


def test_the_table_hears_scores_before_what_voids_them() -> None:
    rows = [row.contract.__name__ for row in hears(office())]
    assert rows.index("AchievementPublished") < rows.index("LearnerRegistered") < rows.index("AssessmentScored")
    assert rows.index("AssessmentScored") < rows.index("ScoreVoided")
    assert rows.index("ActivityCompleted") < rows.index("CompletionRetracted")
    assert slots.FIRST_CYCLE == 0
    assert BadgeIssued.TOPIC == "badge-issued"

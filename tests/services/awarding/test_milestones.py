"""Milestones inside a pathway are told when they are reached, once, and kept (M2.5)."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts import AchievementPublished, MilestoneReached
from libs.common.messaging.work import begin
from services.awarding import api, handlers
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    at,
    badge,
    completed,
    day,
    done,
    erased,
    heard,
    passed,
    published,
    registered,
    scored,
    step,
    steps,
    voided,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

WAY = steps(
    step("half", passed("x"), milestone=True),
    step("more", done("y"), "half"),
    step("stack", badge("below"), "half", milestone=True, optional=True),
)
CATALOGUE = (
    ISSUER,
    achievement("way", WAY, kind="pathway"),
    achievement("below", done("z")),
    achievement("plain", passed("x")),
)


async def told(service: Service) -> list[tuple[str, str, str]]:
    """The milestones in the outbox: learner, achievement and step."""
    rows = await service.database.pool.fetch(
        "select key, value, event_id from outbox where type = $1 order by id", MilestoneReached.TYPE
    )
    contents = [MilestoneReached.model_validate_json(row["value"]) for row in rows]
    assert [row["key"].decode() for row in rows] == [f"milestone:{one.learner_id}" for one in contents]
    assert len({row["event_id"] for row in rows}) == len(rows)
    return [(one.learner_id, one.achievement_id, one.step_id) for one in contents]


async def test_a_milestone_is_told_when_it_is_reached_and_once(service: Service) -> None:
    await service.hear(*published(*CATALOGUE), *registered("ada"))
    await service.hear(scored("ada", "x", "30", 1))
    assert await told(service) == []
    await service.hear(scored("ada", "x", "50", 2))
    assert await told(service) == [("ada", "way", "half")]
    await service.hear(scored("ada", "x", "90", 3), scored("ada", "x", "50", 2))
    assert await told(service) == [("ada", "way", "half")]
    row = await service.database.pool.fetchrow("select value from outbox where type = $1", MilestoneReached.TYPE)
    assert row is not None
    content = MilestoneReached.model_validate_json(row["value"])
    assert (content.name, content.version, content.reached_at) == ("Step half", 1, at(2))


async def test_a_badge_below_reaches_one_also_after_the_whole_is_awarded(service: Service) -> None:
    await service.hear(*published(*CATALOGUE), *registered("ada"))
    await service.hear(scored("ada", "x", "50", 1), completed("ada", "y", 2))
    assert ("ada", "way") in await service.badges()
    await service.hear(completed("ada", "z", 3))
    assert await told(service) == [("ada", "way", "half"), ("ada", "way", "stack")]


async def test_facts_that_came_before_the_pathway_or_the_learner_reach_it_too(service: Service) -> None:
    await service.hear(scored("ada", "x", "50", 1), scored("ben", "x", "50", 1))
    await service.hear(*registered("ada"))
    await service.hear(*published(*CATALOGUE))
    await service.recheck()
    assert await told(service) == [("ada", "way", "half")]
    await service.hear(*registered("ben"))
    await service.recheck()
    assert set(await told(service)) == {("ada", "way", "half"), ("ben", "way", "half")}


async def test_what_was_reached_stays_reached(service: Service) -> None:
    await service.hear(*published(*CATALOGUE), *registered("ada"))
    good = scored("ada", "x", "50", 1)
    await service.hear(good)
    await service.hear(voided(good, 2))
    await service.hear(scored("ada", "x", "60", 3))
    assert await told(service) == [("ada", "way", "half")]


async def test_any_order_and_any_cut_into_batches_reach_the_same(service: Service) -> None:
    events = [
        scored("who", "x", "30", 1), scored("who", "x", "70", 5), completed("who", "y", 2), completed("who", "z", 3),
    ]  # fmt: skip
    await service.hear(*published(*CATALOGUE))
    order = random.Random(7)
    for number in range(12):
        name = f"l{number}"
        own = [
            heard(one.content.model_copy(update={"learner_id": name}), name, f"{name} {one.event_id}", one.event.time)
            for one in events
        ]
        own = order.sample([*own, *own[:2]], 6)
        cut = order.randrange(6)
        await service.hear(*registered(name), *own[:cut])
        await service.hear(*own[cut:])
    reached = await told(service)
    assert len(reached) == len(set(reached))
    assert set(reached) == {(f"l{number}", "way", name) for number in range(12) for name in ("half", "stack")}


def way(number: int, minutes: float, policy: str, *of: str, **more: Any) -> AchievementPublished:
    """A version of the pathway `w`, published some minutes after the beginning: activities, each a milestone."""
    requirement = steps(*(step(name, done(name), milestone=True) for name in of))
    return achievement("w", requirement, version=number, published_at=at(minutes), on_new_version=policy, **more)


async def told_by(service: Service, learner: str) -> list[tuple[int, str]]:
    """The milestones that were told of a learner: version and step."""
    rows = await service.database.pool.fetch("select value from outbox where type = $1", MilestoneReached.TYPE)
    contents = [MilestoneReached.model_validate_json(row["value"]) for row in rows]
    return sorted((one.version, one.step_id) for one in contents if one.learner_id == learner)


async def test_a_learner_who_is_held_to_an_earlier_version_reaches_the_milestones_of_that(service: Service) -> None:
    await service.hear(
        *published(ISSUER, way(1, 0, "grandfather", "x", "y"), way(2, 10, "grandfather", "x", "z")),
        *registered("ada", "ben"),
    )
    await service.hear(completed("ada", "x", 5), completed("ben", "x", 15))
    await service.hear(completed("ada", "y", 20), completed("ada", "z", 20))
    await service.hear(completed("ben", "y", 20), completed("ben", "z", 20))
    assert await told_by(service, "ada") == [(1, "x"), (1, "y")]
    assert await told_by(service, "ben") == [(2, "x"), (2, "z")]


async def test_an_upgrade_takes_the_milestones_along_from_when_it_was_published(service: Service) -> None:
    await service.hear(*published(ISSUER, way(1, 0, "grandfather", "x", "y")), *registered("ada", "ben"))
    await service.hear(completed("ada", "x", 5))
    await service.hear(*published(way(2, 10, "upgrade", "x", "z")))
    await service.recheck()
    # What occurred before it and is heard later still counts for the version of then.
    await service.hear(completed("ada", "y", 15), completed("ben", "x", 6), completed("ben", "y", 7))
    assert await told_by(service, "ada") == [(1, "x"), (2, "x")]
    assert await told_by(service, "ben") == [(1, "x"), (1, "y"), (2, "x")]


async def test_a_publication_between_the_events_or_after_them_reaches_the_same(service: Service) -> None:
    versions = [way(1, 0, "grandfather", "x", "y"), way(2, 10, "upgrade", "x", "z"), way(3, 20, "grandfather", "y")]
    order = random.Random(3)
    await service.hear(*published(ISSUER, versions[0]), *registered("l0", "l1", "l2", "l3"))
    for number, version in enumerate([*versions[1:], None]):
        for learner in ("l0", "l1", "l2", "l3"):
            events = [completed(learner, name, minute) for name, minute in (("x", 5), ("y", 8), ("z", 25))]
            # Each learner's events come before, between and after the publications, in an order of their own.
            place = int(learner[1])
            await service.hear(*order.sample(events, 3)[: 3 if number == place % 3 else 1])
        if version is not None:
            await service.hear(*published(version))
            await service.recheck()
    for learner in ("l0", "l1", "l2", "l3"):
        await service.hear(*(completed(learner, name, minute) for name, minute in (("x", 5), ("y", 8), ("z", 25))))
        assert await told_by(service, learner) == [(1, "x"), (1, "y"), (2, "x"), (2, "z")], learner


async def test_a_renewal_reaches_what_the_cycle_before_did_not(service: Service) -> None:
    requirement = steps(step("x", done("x"), milestone=True), step("z", done("z"), optional=True, milestone=True))
    renewed = achievement("w", requirement, valid_for_days=10, renewal_opens_days=5)
    await service.hear(*published(ISSUER, renewed), *registered("ada"))
    await service.hear(completed("ada", "x", day(1)))
    assert await told_by(service, "ada") == [(1, "x")]
    await service.hear(completed("ada", "x", day(7)))
    await service.hear(completed("ada", "z", day(8)))
    assert await told_by(service, "ada") == [(1, "x"), (1, "z")]


async def test_no_milestone_lies_in_the_future(service: Service) -> None:
    """A badge that is valid for ever meets a step of the next cycle as soon as that opens, which nobody knows yet."""
    requirement = steps(step("x", done("x")), step("below", badge("below"), optional=True, milestone=True))
    first = achievement("w", steps(step("x", done("x"))), valid_for_days=10, renewal_opens_days=5)
    second = achievement("w", requirement, version=2, published_at=at(day(2)), valid_for_days=10, renewal_opens_days=5)
    await service.hear(*published(ISSUER, first, second, achievement("below", done("z"))), *registered("ada"))
    await service.hear(completed("ada", "x", day(1)))
    await service.hear(completed("ada", "z", day(3)))
    assert await told_by(service, "ada") == []
    await service.hear(completed("ada", "x", day(7)))
    assert await told_by(service, "ada") == [(2, "below")]


async def test_an_erased_learner_has_none(service: Service) -> None:
    await service.hear(*published(*CATALOGUE), *registered("ada"))
    await service.hear(scored("ada", "x", "50", 1))
    await service.hear(erased("ada"))
    assert await service.database.pool.fetchval("select count(*) from milestone") == 0


async def test_a_database_that_is_rebuilt_keeps_them_and_tells_none(service: Service) -> None:
    content = MilestoneReached(
        learner_id="ada", achievement_id="way", version=1, step_id="half", name="Step half", reached_at=at(1)
    )
    gone = content.model_copy(update={"learner_id": "ben"})
    again = [heard(one, f"milestone:{one.learner_id}", one.learner_id, at(1)) for one in (content, gone)]
    await service.hear(*registered("ada", "ben"), erased("ben"))
    async with begin(service.database) as work:
        await handlers.on_milestone_reached(work, again)
    await service.hear(*published(*CATALOGUE), scored("ada", "x", "50", 1))
    assert await told(service) == []
    assert await service.database.pool.fetchval("select array_agg(learner_id) from milestone") == ["ada"]


@pytest.fixture
async def doors(service: Service, database_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app."""
    mint = TokenMint(tmp_path)
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers.update(mint.headers("records.read"))
        yield client


async def test_the_explanation_and_the_mosaic_show_them(service: Service, doors: httpx.AsyncClient) -> None:
    await service.hear(*published(*CATALOGUE), *registered("ada"), scored("ada", "x", "50", 1))
    expected: dict[str, Any] = {
        "achievement_id": "way",
        "version": 1,
        "step_id": "half",
        "name": "Step half",
        "reached_at": "2026-01-05T09:01:00.000Z",
    }
    why = "/learners/ada/achievements/{}/explanation"
    assert (await doors.get(why.format("way"))).json()["milestones"] == [expected]
    assert (await doors.get(why.format("plain"))).json()["milestones"] == []
    assert (await doors.get("/learners/ada/mosaic")).json()["milestones"] == [expected]
    page = await doors.get(why.format("way"), headers={"accept": "text/html", "accept-language": "fr"})
    assert "Jalons atteints" in page.text

"""Every named query on a real database, and plans that hold however the tables grow."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.awarding.model import Award, Badge, Fact, KnownLearner, NewFact, NewVoid, Trigger
from services.awarding.store import (
    ACTS,
    ASSERTIONS,
    BULK,
    CHALLENGES,
    ENDORSEMENTS,
    EXPIRY,
    IMPORTS,
    KEYS,
    LOGBOOK,
    MILESTONES,
    RECORDS,
    REHEARSAL,
    RESTORING,
    SQL,
    badges,
    catalogue,
    expiry,
    facts,
    learners,
)
from tests.services.awarding.support import ISSUER, Service, achievement, at, badge, done, event_id, passed

STORE = Path("services/awarding/store")


def test_every_query_has_its_function_and_every_function_its_query() -> None:
    text = "".join(path.read_text() for path in STORE.glob("*.py"))
    used = set(re.findall(r'SQL\["(\w+)"\]', text)) | set(re.findall(r'"(erase_\w+)"', text))
    assert used - set(MILESTONES) == set(SQL)
    assert set(re.findall(r'MILESTONES\["(\w+)"\]', text)) == set(MILESTONES)
    assert set(re.findall(r'ASSERTIONS\["(\w+)"\]', text)) == set(ASSERTIONS)
    assert set(re.findall(r'\bKEYS\["(\w+)"\]', text)) == set(KEYS)
    assert set(re.findall(r'ACTS\["(\w+)"\]', text)) == set(ACTS)
    assert set(re.findall(r'ENDORSEMENTS\["(\w+)"\]', text)) == set(ENDORSEMENTS)
    assert set(re.findall(r'RECORDS\["(\w+)"\]', text)) == set(RECORDS)
    assert set(re.findall(r'IMPORTS\["(\w+)"\]', text)) == set(IMPORTS)
    assert set(re.findall(r'BULK\["(\w+)"\]', text)) == set(BULK)
    assert set(re.findall(r'REHEARSAL\["(\w+)"\]', text)) == set(REHEARSAL)
    assert set(re.findall(r'EXPIRY\["(\w+)"\]', text)) == set(EXPIRY)
    assert set(re.findall(r'CHALLENGES\["(\w+)"\]', text)) == set(CHALLENGES)
    assert set(re.findall(r'LOGBOOK\["(\w+)"\]', text)) == set(LOGBOOK)
    assert set(re.findall(r'RESTORING\["(\w+)"\]', text)) == set(RESTORING)


def new_fact(learner: str, name: str, points: str | None = "50", minutes: float = 1) -> NewFact:
    """A fact to keep."""
    score = (Decimal(points), Decimal(100)) if points else (None, None)
    return NewFact(learner, 2 if points else 1, name, event_id(f"{learner} {name} {points}"), at(minutes), *score)


def award(learner: str = "ada", name: str = "a", *, cycle: int = 0, until: datetime | None = None) -> Badge:
    """An issued badge."""
    trigger = Trigger(event_id("last"), 7, None)
    fact = Fact(learner, 1, "x", event_id("x"), 7, at(1))
    decided = Award(
        event_id(f"badge {learner} {name} {cycle or ''}"),
        learner,
        name,
        1,
        cycle,
        at(1),
        (fact,),
        (),
        trigger,
        None,
        until,
    )
    return Badge(decided, "uni", "{}", "{}", "sha256:00", None)


async def test_the_catalogue_is_read_by_revision(service: Service) -> None:
    async with service.database.transaction() as connection:
        await catalogue.lock_catalogue(connection)
        await catalogue.share_catalogue(connection)
        assert await catalogue.catalogue_revision(connection) == (0, False)
        assert await catalogue.next_revision(connection) == 1
        assert await catalogue.catalogue_revision(connection) == (1, True)
        await catalogue.keep_issuers(connection, 1, [ISSUER])
        first, second = achievement("a", done("x")), achievement("a", passed("x"), version=2)
        assert await catalogue.keep_achievements(connection, 1, [first]) == {("a", 1)}
        assert await catalogue.keep_achievements(connection, 2, [first, second]) == {("a", 2)}
        assert await catalogue.issuers_since(connection, 0) == [ISSUER]
        assert await catalogue.issuers_since(connection, 1) == []
        assert await catalogue.achievements_since(connection, 0) == [first, second]
        assert await catalogue.achievements_since(connection, 1) == [second]
        assert await catalogue.versions_of(connection, "a") == [first, second]
        assert await catalogue.versions_of(connection, "b") == []
        assert await catalogue.issuer_ids(connection) == ["uni"]
    async with service.database.transaction() as connection:
        assert await catalogue.catalogue_revision(connection) == (1, False)


async def test_learners_are_met_registered_locked_and_erased(service: Service) -> None:
    async with service.database.transaction() as connection:
        assert await learners.register_learners(connection, [KnownLearner("ada", at(0))]) == []
        assert await learners.locked_learners(connection, {"ben", "ada", "cleo"}) == ({"ada"}, set(), set())
        assert await learners.register_learners(
            connection, [KnownLearner("ben", at(0)), KnownLearner("ada", at(1))]
        ) == ["ben"]
        assert await learners.registered_of(connection, ["ada", "ben", "cleo"]) == {"ada": False, "ben": False}
        await facts.keep_facts(connection, [new_fact("ben", "x")])
        await learners.erase_learners(connection, dict.fromkeys(["ben", "dan"], at(0)))
        assert await learners.locked_learners(connection, {"ben", "dan"}) == (set(), {"ben", "dan"}, set())
        assert not await learners.is_learner_known(connection, "ben")
        assert await learners.is_learner_known(connection, "cleo")
        assert await learners.mentioned_by(connection, ["ben"]) == []


async def test_the_backlog_is_filled_emptied_and_put_off(service: Service) -> None:
    async with service.database.transaction() as connection:
        await learners.locked_learners(connection, {"ada", "ben", "cleo", "dan"})
        await facts.keep_facts(connection, [new_fact("ada", "x"), new_fact("ben", "x", None), new_fact("cleo", "y")])
        await catalogue.keep_achievements(connection, 1, [achievement("a", done("x"))])
        await badges.keep_badges(connection, [award("dan")])
        await catalogue.recheck_mentioned(connection, {(2, "x")}, {"a"})
        await learners.recheck_learners(connection, ["ada", "cleo"])
        assert await learners.recheck_depth(connection) == 3
        assert set(await learners.waiting_learners(connection, 10)) == {"ada", "cleo", "dan"}
        assert len(await learners.waiting_learners(connection, 2)) == 2
        await learners.postpone_recheck(connection, ["ada"], 60)
        assert set(await learners.waiting_learners(connection, 10)) == {"cleo", "dan"}
        await learners.done_rechecking(connection, ["ada", "cleo"])
        assert await learners.recheck_depth(connection) == 1
        assert await learners.mentioned_by(connection, ["ben", "cleo"]) == [("ben", (1, "x")), ("cleo", (2, "y"))]
        assert await learners.achievements_held_by(connection, ["dan", "ada"]) == {("dan", "a")}


async def test_facts_are_kept_once_in_order_and_voided_before_or_after(service: Service) -> None:
    kept = [new_fact("ada", "x", "10"), new_fact("ada", "x", "20"), new_fact("ada", "y"), new_fact("ben", "x")]
    voids = [
        NewVoid("ada", 2, "x", kept[0].event_id, uuid4(), at(5)),
        NewVoid("ada", 2, "y", kept[2].event_id, uuid4(), at(5)),
    ]
    async with service.database.transaction() as connection:
        await facts.keep_voided(connection, voids[:1])
        await facts.keep_facts(connection, kept)
        await facts.keep_facts(connection, kept)
        found = await facts.facts_about(connection, [("ada", "x y"), ("ben", "x"), ("cleo", "x")])
        assert {learner: [fact.points for fact in about] for learner, about in found.items()} == {
            "ada": [20, 50],
            "ben": [50],
        }
        assert [fact.arrived for fact in found["ada"]] == sorted(fact.arrived for fact in found["ada"])
        await facts.keep_voided(connection, voids[1:])
        found = await facts.facts_about(connection, [("ada", "x y")])
        assert [fact.event_id for fact in found["ada"]] == [kept[1].event_id]


async def test_promising_facts_are_those_of_pairs_with_enough_and_without_a_badge(service: Service) -> None:
    async with service.database.transaction() as connection:
        await catalogue.keep_achievements(connection, 1, [achievement("a", done("x"))])
        await badges.keep_badges(connection, [award("ben")])
        mine = [new_fact(name, about) for name in ("ada", "ben", "cleo") for about in ("x", "y")]
        await facts.keep_facts(connection, mine[:5])
        pairs = [facts.Pair(name, "a", "x y", 2, 1, 90) for name in ("ada", "ben", "cleo", "dan")]
        found = await facts.promising_facts(connection, pairs)
        assert {pair: sorted(fact.object_id for fact in about) for pair, about in found.items()} == {
            ("ada", "a"): ["x", "y"]
        }


async def test_a_badge_that_ends_is_promising_again_from_when_renewal_opens(service: Service) -> None:
    async with service.database.transaction() as connection:
        await catalogue.keep_achievements(connection, 1, [achievement("a", done("x"))])
        await badges.keep_badges(connection, [award(until=at(10 * 1440))])
        for days, promising in ((3, False), (6, True)):
            await facts.keep_facts(connection, [new_fact("ada", "x", str(days), days * 1440)])
            for settled, opens, expected in ((1, 5, promising), (2, 5, True), (1, None, True)):
                pairs = [facts.Pair("ada", "a", "x", 1, settled, opens)]
                assert bool(await facts.promising_facts(connection, pairs)) is expected


async def test_badges_that_ended_are_found_once_the_first_of_each_learner(service: Service) -> None:
    async with service.database.transaction() as connection:
        await catalogue.keep_achievements(connection, 1, [achievement(name, done("x")) for name in "ab"])
        await learners.register_learners(connection, [KnownLearner(name, at(0)) for name in ("ada", "ben", "cleo")])
        ends = {("ada", "a"): 5, ("ada", "b"): 9, ("ben", "a"): 7, ("ben", "b"): 7, ("cleo", "a"): 20}
        await badges.keep_badges(connection, [award(*pair, until=at(end)) for pair, end in ends.items()])
        await badges.keep_badges(connection, [award("cleo", "b")])
        assert await expiry.ended_learners(connection, at(5), 10) == {}
        found = await expiry.ended_learners(connection, at(10), 10)
        assert found == {"ada": at(5), "ben": at(7)}
        assert await expiry.ended_learners(connection, at(10), 1) == {"ada": at(5)}
        await expiry.put_off_expiry(connection, ["ben"], 60)
        assert await expiry.ended_learners(connection, at(10), 10) == {"ada": at(5)}
        ended = await expiry.expire_badges(connection, found)
        assert {(badge.learner_id, badge.achievement_id) for badge in ended} == {
            ("ada", "a"), ("ben", "a"), ("ben", "b"),
        }  # fmt: skip
        assert not any(badge.revoked for badge in ended)
        assert await expiry.ended_learners(connection, at(10), 10) == {"ada": at(9)}
        (first, second) = (await badges.badges_of(connection, ["ada"]))["ada"]
        assert (first.held.is_expired, first.held.holds, first.held.stands) == (True, False, True)
        assert (second.held.is_expired, second.held.valid_until) == (False, at(9))


async def test_badges_are_kept_once_and_read_with_their_credits(service: Service) -> None:
    async with service.database.transaction() as connection:
        await catalogue.keep_achievements(connection, 1, [achievement("a", badge("b"), credits="2.5")])
        issued = award()
        assert (await badges.keep_badges(connection, [issued])).keys() == {issued.award.badge_id}
        assert await badges.keep_badges(connection, [issued]) == {}
        (held,) = (await badges.held_badges(connection, {("ada", "a"), ("ada", "b")}))["ada"]
        assert (held.credits, held.trigger, held.valid_from) == (Decimal("2.5"), issued.award.trigger, at(1))
        trail = await badges.badge_trail(connection, issued.award.badge_id)
        assert trail is not None
        assert trail.told
        assert trail.events == ()
        assert await badges.badge_trail(connection, uuid4()) is None


async def test_the_database_itself_refuses_a_second_badge(service: Service) -> None:
    """The promise is a constraint, not a habit of the code (B2)."""
    async with service.database.transaction() as connection:
        await catalogue.keep_achievements(connection, 1, [achievement("a", done("x"))])
        await badges.keep_badges(connection, [award()])
    columns = "learner_id, achievement_id, version, cycle, issuer_id, valid_from, credential, open_badge_2, digest,"
    columns += " evidence_events, evidence_badges, trigger_event_id, trigger_arrived"
    with pytest.raises(asyncpg.UniqueViolationError):
        await service.database.pool.execute(
            f"insert into badge (badge_id, {columns}) select gen_random_uuid(), {columns} from badge"
        )


HOT: dict[str, tuple[Any, ...]] = {
    "promising_facts": (["ada"], ["a"], ["x y"], [1], [1], [90], 128),
    "facts_about": (["ada"], ["x y"], 128),
    "badges_of": (["ada"],),
    "settle_learners": (["ada"], [True]),
    "change_badges": ([uuid4()], [1], [False], [at(1)]),
    "held_badges": (["ada"], ["a"]),
    "locked_learners": (["ada"],),
    "recheck_mentioned": ([2], ["x"], ["a"]),
    "void_facts": (["ada"], [2], ["x"], [uuid4()], [uuid4()]),
    "waiting_learners": (10,),
}


ENDED: dict[str, tuple[Any, ...]] = {
    "ended_learners": (at(1), 10),
    "expire_badges": (["ada"], [at(1)]),
    "put_off_expiry": (["ada"], 60.0),
}


@pytest.mark.parametrize("name", ENDED)
async def test_what_ended_is_looked_up(service: Service, name: str) -> None:
    await service.database.pool.execute("vacuum analyze")
    async with service.database.transaction() as connection:
        await catalogue.share_catalogue(connection)
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {EXPIRY[name]}", *ENDED[name]))
        assert "Seq Scan on" not in plan, plan


@pytest.mark.parametrize("name", HOT)
async def test_a_plan_made_on_empty_tables_looks_keys_up(service: Service, name: str) -> None:
    """Plans are kept while tables grow: one that scans would make each batch dearer than the one before (B2)."""
    await service.database.pool.execute("vacuum analyze")
    async with service.database.transaction() as connection:
        await catalogue.share_catalogue(connection)
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        statement = await connection.prepare(SQL[name])
        await statement.fetch(*HOT[name])
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {SQL[name]}", *HOT[name]))
        # A scan of an index without a condition reads all of it.
        lines = plan.splitlines()
        for place, line in enumerate(lines):
            assert "Seq Scan on" not in line, plan
            if "Index" in line and "Scan using" in line and "recheck" not in line:
                assert "Index Cond" in lines[place + 1], plan

"""Many attempts at one thing: what tells of them is found by indexes, and decides as all of them would."""

from __future__ import annotations

import random
from decimal import Decimal
from uuid import uuid4

import pytest

from services.awarding.model import BadgeState, FactKind, NewFact, NewVoid
from services.awarding.rules.windows import Window
from services.awarding.store import ATTEMPTS, SQL, attempts, catalogue, facts
from services.awarding.store.attempts import Span
from tests.services.awarding.support import (
    ISSUER,
    Event,
    Service,
    achievement,
    all_of,
    at,
    badge,
    completed,
    done,
    passed,
    published,
    registered,
    scored,
    step,
    steps,
    voided,
)
from tests.services.awarding.test_hopes import tell

EVER = Window()


def _made(order: random.Random, about: str, kind: FactKind) -> NewFact:
    points = Decimal(order.randrange(-2, 30)) / 3 if kind is FactKind.ASSESSMENT else None
    out_of = None if points is None else Decimal(order.choice((7, 10)))
    return NewFact("ada", int(kind), about, uuid4(), at(order.randrange(40)), points, out_of)


@pytest.mark.parametrize("seed", range(4))
async def test_what_tells_is_found_as_a_look_at_all_facts_would_find_it(service: Service, seed: int) -> None:
    order = random.Random(seed)
    kinds = (FactKind.ASSESSMENT, FactKind.ASSESSMENT, FactKind.ACTIVITY)
    made = [_made(order, order.choice("xy"), order.choice(kinds)) for _ in range(120)]
    voids = [
        NewVoid("ada", fact.kind, fact.object_id, fact.event_id, uuid4(), at(50)) for fact in order.sample(made, 50)
    ]
    abouts = [(int(kind), name) for kind in (FactKind.ASSESSMENT, FactKind.ACTIVITY) for name in "xyz"]
    windows = [EVER, Window(None, at(10)), Window(at(10), at(25)), Window(at(25), None)]
    asked = [(about, window) for about in abouts for window in windows]
    async with service.database.transaction() as connection:
        await catalogue.share_catalogue(connection)
        await facts.keep_voided(connection, voids[:25])
        first = await facts.keep_facts(connection, made[:80])
        later = await facts.keep_facts(connection, made)
        assert first is not None
        assert later is not None
        assert await facts.keep_facts(connection, made) is None
        await facts.keep_voided(connection, voids[25:])
        counting = (await facts.facts_about(connection, [("ada", "x y")]))["ada"]
        assert len(counting) == 70
        assert len((await facts.facts_about(connection, [("ada", "x y")], 20))["ada"]) == 20
        for before in (None, first, later):
            found = await attempts.telling_facts(
                connection, [Span("ada", about, window.since, window.until) for about, window in asked], before
            )
            expected = tell([fact for fact in counting if before is None or fact.arrived < before], asked)
            # Of several that are equally good any one will do.
            for (about, window), several in ((one, tell(found.get("ada", []), [one])) for one in asked):
                same = tell(expected, [(about, window)])
                assert [
                    (fact.occurred_at, fact.points and fact.out_of and fact.points / fact.out_of) for fact in several
                ] == [(fact.occurred_at, fact.points and fact.out_of and fact.points / fact.out_of) for fact in same]
        wanted = [fact.event_id for fact in made[:40]]
        named = await attempts.named_facts(connection, {("ada", about): wanted for about in abouts})
        assert named["ada"] == [fact for fact in counting if fact.event_id in set(wanted)]


async def test_what_tells_is_looked_up_in_order_and_never_sorted(service: Service) -> None:
    """A plan made while the table was empty is kept while it grows."""
    await service.database.pool.execute("vacuum analyze")
    async with service.database.transaction() as connection:
        await catalogue.share_catalogue(connection)
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        told = (["ada"], [2], ["x"], [None], [None], [None])
        rows = await connection.fetch(f"explain {ATTEMPTS['telling_facts']}", *told)
        plan = "\n".join(row[0] for row in rows)
        assert plan.count("fact_when") >= 2, plan
        assert "fact_best" in plan, plan
        assert "Sort" not in plan, plan
        assert "Seq Scan" not in plan, plan
        named = (["ada"], [2], ["x"], [str(uuid4())])
        voiding = (["ada"], [2], ["x"], [uuid4()], [uuid4()])
        for statement, given in ((ATTEMPTS["named_facts"], named), (SQL["void_facts"], voiding)):
            plan = "\n".join(row[0] for row in await connection.fetch(f"explain {statement}", *given))
            assert "fact_pkey" in plan, plan
            assert "fact_when" not in plan, plan


STORY = (
    ISSUER,
    achievement("a", all_of(passed("x", "0.5"), passed("y", "0.5", "latest"))),
    achievement("b", passed("x", "0.5", "latest"), on_loss="revoke"),
    achievement("c", all_of(done("z"), badge("a"))),
    achievement("d", steps(step("one", passed("y", "0.7"), milestone=True), step("two", passed("x", "0.9"))),
                valid_for_days=20, renewal_opens_days=10),
    achievement("e", all_of(passed("x", "0.6"), badge("b"))),
    achievement("e", all_of(passed("x", "0.6"), badge("b"), passed("y", "0.6")), version=2, published_at=at(90),
                on_new_version="upgrade"),
)  # fmt: skip


def _attempts(order: random.Random, learner: str) -> list[Event]:
    """Eighty attempts at each of two assessments, most of them in vain."""
    made: list[Event] = []
    for name in ("x", "y"):
        for number in range(80):
            points = order.choice((10, 20, 30, 40, 45)) if order.random() < 0.6 else order.choice((55, 65, 95))
            made.append(scored(learner, name, str(points), number, tag=name))
    return [*made, completed(learner, "z", 20)]


async def _holding(service: Service, learner: str) -> set[tuple[str, int, int]]:
    rows = await service.database.pool.fetch(
        "select achievement_id, version, cycle from badge where learner_id = $1 and state = $2",
        learner, int(BadgeState.HOLDS),
    )  # fmt: skip
    return {(row["achievement_id"], row["version"], row["cycle"]) for row in rows}


@pytest.mark.parametrize("seed", range(3))
async def test_many_attempts_decide_as_few_do(service: Service, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same events, heard by one learner while all is read, and by another while only what tells is."""
    order = random.Random(seed)
    await service.hear(*published(*STORY), *registered("all", "few"))
    drawn = random.Random(seed + 10)
    events = {name: _attempts(random.Random(seed + 20), name) for name in ("all", "few")}
    places = list(range(len(events["all"])))
    order.shuffle(places)
    gone = order.sample(places, 20)
    told: dict[str, list[tuple[str, int, int, object]]] = {}
    for learner, many in (("all", 10**6), ("few", 8)):
        monkeypatch.setattr(facts, "MANY", many)
        drawn.seed(seed)
        line = [events[learner][place] for place in places]
        line += [voided(events[learner][place], 300) for place in gone]
        start = 0
        while start < len(line):
            size = drawn.choice((1, 5, 40))
            await service.hear(*line[start : start + size])
            start += size
        rows = await service.database.pool.fetch(
            "select achievement_id, version, cycle, valid_from, valid_until, state from badge where learner_id = $1"
            " order by 1, 2, 3", learner,
        )  # fmt: skip
        told[learner] = [tuple(row) for row in rows]
    assert {name for name, *_ in told["all"]} >= {"b"}
    assert told["all"] == told["few"]
    assert await _holding(service, "all") == await _holding(service, "few")
    rows = await service.database.pool.fetch("select learner_id, achievement_id, step_id, reached_at from milestone")
    reached = {name: {tuple(row)[1:] for row in rows if row["learner_id"] == name} for name in ("all", "few")}
    assert reached["all"] == reached["few"]

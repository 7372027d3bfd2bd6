"""Whether awarding stays as fast while the catalogue and the learners' histories grow (issue 4, "Speed").

    python -m benchmarks flatness [--quick]

Events a second through awarding's worker: envelope and contract, inbox, facts, rules, signing, outbox, and the commit
to a real, durable PostgreSQL, in batches of 1,000. Kafka is left out on purpose: it sees neither catalogue nor
history, and what it costs would only make the differences smaller.

* catalogue: 1, 100 and 10,000 published achievements, each of twelve assessments; the events are spread over all of
  them, each event is about one, and one learner in twenty earns its badge;
* history: 10, 1,000 and 100,000 facts that a learner has already, of other courses, with 800 published achievements, a
  hundred for each round, so that no round finds what another left of its courses; the same learners and events;
* attempts: 10, 1,000 and 20,000 attempts that a learner has made at the very thing that the event is about, all of them
  in vain, with all else that its achievement asks for done; and again where only the latest attempt counts and the
  badge is held, so that each event may cost it.

The sides take turns in rounds, so that whatever else the machine does falls on all of them alike. Each side's figure
is the median of its rounds; the ratio is that to the smallest side of its kind.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from benchmarks.ground import BATCH, START, Awarding, Message, awarding, postgres_server
from libs.common.contracts import AchievementPublished
from libs.common.contracts.requirement import AssessmentRequired

ASSESSMENTS = 12
FINISHERS_ONE_IN = 20
COURSES_A_ROUND = 100
WORDS = {
    "catalogue": "published achievements",
    "history": "facts of history a learner",
    "attempts": "attempts in vain a learner",
    "latest": "attempts, the last counts",
}
WARM_UP_EVENTS = 2 * BATCH
SLOWEST_RATIO = 0.8
# What a server of an institution gives to tables of this size, where the embedded one is made for a laptop.
SERVER = {"shared_buffers": "2GB", "effective_cache_size": "6GB", "max_wal_size": "8GB"}

# A side: from the number of its round to the records of that round.
Round = Callable[[int], Awaitable[list[Message]]]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: `catalogues` in achievements, `histories` in facts a learner, `attempts` of a learner at
    one thing, events a round."""

    catalogues: tuple[int, ...] = (1, 100, 10_000)
    histories: tuple[int, ...] = (10, 1_000, 100_000)
    attempts: tuple[int, ...] = (10, 1_000, 20_000)
    learners: int = 20
    events: int = 6_000
    rounds: int = 7


QUICK = Extent(histories=(10, 1_000, 20_000), learners=10, events=2_000, rounds=3)


@dataclass(frozen=True, slots=True)
class Side:
    """One measured side: its name, its size, and events a second, round by round."""

    kind: str
    size: int
    rates: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Events a second: the median of the rounds."""
        return statistics.median(self.rates)


def run(*, quick: bool) -> None:
    """Measure and print."""
    print(report(asyncio.run(measure(QUICK if quick else Extent()))))


async def measure(extent: Extent) -> list[Side]:
    """All sides, measured in turns on one PostgreSQL."""
    with postgres_server(SERVER) as server:
        async with AsyncExitStack() as stack:
            sides: dict[tuple[str, int], tuple[Awarding, Round]] = {}
            for size in extent.catalogues:
                print(f"   preparing {size:,} achievements", flush=True)
                ground = await stack.enter_async_context(awarding(server, f"catalogue-{size}"))
                await publish(ground, size)
                sides["catalogue", size] = ground, _spread_over(ground, size, extent.events)
            for size in extent.histories:
                print(f"   preparing {extent.learners} learners with {size:,} facts each", flush=True)
                ground = await stack.enter_async_context(awarding(server, f"history-{size}"))
                await publish(ground, COURSES_A_ROUND * (extent.rounds + 1))
                sides["history", size] = ground, _on_top_of(ground, size, extent)
            for kind in ("attempts", "latest"):
                for size in extent.attempts:
                    print(f"   preparing {extent.learners} learners with {size:,} {WORDS[kind]}", flush=True)
                    ground = await stack.enter_async_context(awarding(server, f"{kind}-{size}"))
                    await publish(ground, 100)
                    await ground.publish([("course-latest@1", _latest())])
                    sides[kind, size] = ground, _once_more(ground, kind, size, extent)
            await _settle_down(sides)
            rates = await _in_turns(sides, extent.rounds)
    return [Side(kind, size, tuple(rates[kind, size])) for kind, size in sides]


async def _settle_down(sides: dict[tuple[str, int], tuple[Awarding, Round]]) -> None:
    """Let what the preparation wrote reach the disk, so that no side pays for it."""
    ground, _ = next(iter(sides.values()))
    await ground.database.pool.execute("checkpoint")


async def _in_turns(
    sides: dict[tuple[str, int], tuple[Awarding, Round]], rounds: int
) -> dict[tuple[str, int], list[float]]:
    rates: dict[tuple[str, int], list[float]] = {name: [] for name in sides}
    for number in range(-1, rounds):
        # There and back, so that no side always follows the same one, and pays for what that left to write.
        for name, (ground, messages_of) in list(sides.items()) if number % 2 else reversed(sides.items()):
            messages = await messages_of(number)
            started = time.perf_counter()
            await ground.handle(messages)
            seconds = time.perf_counter() - started
            if number >= 0:  # the round before warms up: plans, shapes of badges, the catalogue in memory
                rates[name].append(len(messages) / seconds)
        print(f"   round {number + 1} of {rounds}", flush=True)
    return rates


async def publish(ground: Awarding, count: int) -> None:
    """Publish `count` achievements of twelve assessments each."""
    await ground.publish((f"course-{number}@1", _achievement(number)) for number in range(count))


def _achievement(number: int) -> AchievementPublished:
    tree = [
        {"kind": "assessment", "assessment_id": f"course-{number}:{part}", "at_least": "0.4"}
        for part in range(ASSESSMENTS)
    ]
    return AchievementPublished.model_validate(
        {
            "achievement_id": f"course-{number}",
            "version": 1,
            "kind": "micro-credential",
            "issuer_id": "uni",
            "name": f"Course {number}",
            "description": f"Twelve assessments of course {number}.",
            "criteria": "A score of 40 % or more in each of twelve assessments.",
            "requirement": {"kind": "all", "of": tree},
            "published_at": START,
        }
    )


def _spread_over(ground: Awarding, achievements: int, events: int) -> Round:
    """New learners in each round, one achievement each, their scores assessment after assessment."""

    async def messages_of(number: int) -> list[Message]:
        learners = [f"round-{number}-{place}" for place in range(events // ASSESSMENTS)]
        await ground.register(learners)
        # A prime step: the learners of all rounds together meet every achievement.
        courses = [(number * len(learners) + place) * 7_919 % achievements for place in range(len(learners))]
        return [
            ground.score(learner, f"course-{course}:{part}", _raw(place, part))
            for part in range(ASSESSMENTS)
            for place, (learner, course) in enumerate(zip(learners, courses, strict=True))
        ]

    return messages_of


def _raw(place: int, part: int) -> int:
    return 78 if place % FINISHERS_ONE_IN == 0 or part % 2 else 30


def _latest() -> AchievementPublished:
    """One assessment of which the latest attempt counts."""
    tree = {"kind": "assessment", "assessment_id": "last", "at_least": "0.4", "attempt": "latest"}
    return _achievement(0).model_copy(
        update={"achievement_id": "course-latest", "requirement": AssessmentRequired.model_validate(tree)}
    )


def _once_more(ground: Awarding, kind: str, attempts: int, extent: Extent) -> Round:
    """Learners who have tried the same thing so often, and try again: in vain, or well. Few attempts are fresh
    learners' in each batch, for they would grow."""
    known = set[str]()
    name, points = ("course-0:0", 30) if kind == "attempts" else ("last", 78)

    async def messages_of(number: int) -> list[Message]:
        firsts = range(0, extent.events, BATCH)
        groups = [f"{kind}-{number}-{first}" if attempts < extent.events else kind for first in firsts]
        for group in groups:
            if group not in known:
                known.add(group)
                learners = [f"{group}-{place}" for place in range(extent.learners)]
                await ground.register(learners)
                others = range(1, ASSESSMENTS) if kind == "attempts" else ()
                await ground.handle([ground.score(who, f"course-0:{part}", 78) for who in learners for part in others])
                await _give_attempts(ground, learners, attempts, name, points)
        return [
            ground.score(f"{groups[place // BATCH]}-{place % extent.learners}", name, points,
                         attempt=number * extent.events + place)
            for place in range(extent.events)
        ]  # fmt: skip

    return messages_of


async def _give_attempts(ground: Awarding, learners: Sequence[str], attempts: int, name: str, points: int) -> None:
    """Past attempts at one assessment, and a first that is heard."""
    async with ground.database.transaction() as connection:
        await connection.execute(_ATTEMPTS, list(learners), attempts - 1, START, name, points)
    await ground.handle([ground.score(who, name, points, attempt=-2 * BATCH**2) for who in learners])
    await ground.database.pool.execute("vacuum analyze fact")


_ATTEMPTS = """
insert into fact (learner_id, kind, object_id, event_id, occurred_at, points, out_of)
select learner_id, 2, $4, gen_random_uuid(), $3::timestamptz - n * interval '1 minute', $5::integer, 100
from unnest($1::text[]) as learner_id, generate_series(2, $2::integer + 1) as n
"""


def _on_top_of(ground: Awarding, history: int, extent: Extent) -> Round:
    """Learners with a history; their new scores are about the published achievements. A short history is a fresh
    learner's in each round, for it would grow."""
    made: dict[int, list[str]] = {}

    async def messages_of(number: int) -> list[Message]:
        group = number if history < 10 * extent.events else 0
        if group not in made:
            made[group] = [f"learner-{group}-{place}" for place in range(extent.learners)]
            await ground.register(made[group])
            await _give_history(ground, made[group], history)
        learners = made[group]
        return [
            ground.score(
                learners[place % len(learners)],
                f"course-{COURSES_A_ROUND * (number + 1) + place % 97}:{place % 11}", 30 + place % 50,
                attempt=number * extent.events + place,
            )
            for place in range(extent.events)
        ]  # fmt: skip

    return messages_of


async def _give_history(ground: Awarding, learners: Sequence[str], facts: int) -> None:
    """Past scores in other courses, a dozen each."""
    async with ground.database.transaction() as connection:
        await connection.execute(_HISTORY, list(learners), facts, START)
    await ground.database.pool.execute("vacuum analyze fact")


_HISTORY = """
insert into fact (learner_id, kind, object_id, event_id, occurred_at, points, out_of)
select learner_id, 2, 'past-' || n / 12 || ':' || n % 12, gen_random_uuid(),
       $3::timestamptz - n * interval '1 minute', 30 + n % 60, 100
from unnest($1::text[]) as learner_id, generate_series(0, $2::integer - 1) as n
"""


def report(sides: Sequence[Side]) -> str:
    """The figures as lines for people."""
    lines = [f"   {'':36}{'events/s':>10}{'of the smallest':>17}   slowest … fastest round"]
    for side in sides:
        smallest = next(other for other in sides if other.kind == side.kind)
        ratio = side.rate / smallest.rate
        lines.append(
            f"   {side.size:>8,} {WORDS[side.kind]:27}{side.rate:>10,.0f}{ratio:>17.2f}"
            f"   {min(side.rates):,.0f} … {max(side.rates):,.0f}{'' if ratio >= SLOWEST_RATIO else '   NOT FLAT'}"
        )
    return "\n".join(lines)

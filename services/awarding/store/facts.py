"""What learners did: facts and what voids them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from services.awarding.model import About, Fact, NewFact, NewVoid
from services.awarding.store import SQL

if TYPE_CHECKING:
    import asyncpg

    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader

# A learner, an achievement, and a number of facts below which it cannot be earned.
Pair = tuple[str, str, int]


async def keep_facts(connection: Connection, facts: Sequence[NewFact]) -> None:
    """Keep facts in the order in which they came; one that was voided before it came is kept as voided."""
    await connection.execute(
        SQL["keep_facts"],
        [fact.learner_id for fact in facts],
        [fact.kind for fact in facts],
        [fact.object_id for fact in facts],
        [fact.event_id for fact in facts],
        [fact.occurred_at for fact in facts],
        [fact.points for fact in facts],
        [fact.out_of for fact in facts],
        [fact.assessor for fact in facts],
        [fact.digest for fact in facts],
        [fact.traceparent for fact in facts],
    )


async def keep_voided(connection: Connection, voids: Sequence[NewVoid]) -> None:
    """Note which facts do not count, whether they have come yet or not."""
    places = (
        [void.learner_id for void in voids],
        [void.kind for void in voids],
        [void.object_id for void in voids],
        [void.event_id for void in voids],
        [void.voided_by for void in voids],
    )
    await connection.execute(SQL["keep_voided"], *places, [void.occurred_at for void in voids])
    await connection.execute(SQL["void_facts"], *places)


async def promising_facts(
    connection: Connection, pairs: Sequence[Pair], mentions: Mapping[str, Collection[About]]
) -> dict[tuple[str, str], list[Fact]]:
    """The facts that may earn something: by (learner id, achievement id), for pairs not awarded yet that have
    enough facts about what the achievement mentions (`mentions`, by achievement id)."""
    numbers = {name: number for number, name in enumerate(mentions)}
    flat = [(numbers[name], object_id) for name, abouts in mentions.items() for object_id in _objects(abouts)]
    rows = await connection.fetch(
        SQL["promising_facts"],
        [learner for learner, _, _ in pairs],
        [numbers[name] for _, name, _ in pairs],
        [name for _, name, _ in pairs],
        [number for number, _ in flat],
        [object_id for _, object_id in flat],
        [fewest for _, _, fewest in pairs],
    )
    found: dict[tuple[str, str], list[Fact]] = {}
    for row in rows:
        pair = pairs[int(row["place"])]
        found.setdefault(pair[:2], []).append(_fact(pair[0], row))
    return found


def _objects(abouts: Collection[About]) -> list[str]:
    # Sorted: the index is then searched without sorting them for each pair again.
    return sorted({object_id for _, object_id in abouts})


async def facts_about(connection: Reader, wanted: Collection[tuple[str, About]]) -> dict[str, list[Fact]]:
    """All facts that count about these (learner id, object) pairs: by learner, in order of arrival."""
    rows = await connection.fetch(
        SQL["facts_about"],
        [learner for learner, _ in wanted],
        [kind for _, (kind, _) in wanted],
        [object_id for _, (_, object_id) in wanted],
    )
    found: dict[str, list[Fact]] = {}
    for row in rows:
        found.setdefault(row["learner_id"], []).append(_fact(row["learner_id"], row))
    return found


def _fact(learner_id: str, row: asyncpg.Record) -> Fact:
    return Fact(
        learner_id,
        row["kind"],
        row["object_id"],
        row["event_id"],
        row["arrived"],
        row["occurred_at"],
        row["points"],
        row["out_of"],
        row["traceparent"],
    )

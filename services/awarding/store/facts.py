"""What learners did: facts and what voids them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from services.awarding.model import About, Fact, NewFact, NewVoid
from services.awarding.store import SQL

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader

# The statements answer a fact's columns in the order of its fields, and what else there is after them.
_FACT_COLUMNS = len(Fact._fields)
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
    objects = {name: _object_ids(abouts) for name, abouts in mentions.items()}
    rows = await connection.fetch(
        SQL["promising_facts"],
        [learner for learner, _, _ in pairs],
        [name for _, name, _ in pairs],
        [objects[name] for _, name, _ in pairs],
        [fewest for _, _, fewest in pairs],
    )
    found: dict[tuple[str, str], list[Fact]] = {}
    for row in rows:
        found.setdefault((row[0], row["achievement_id"]), []).append(Fact._make(row[:_FACT_COLUMNS]))
    return found


async def facts_about(connection: Reader, wanted: Mapping[str, Collection[About]]) -> dict[str, list[Fact]]:
    """All facts that count of each learner about these objects, by learner, in order of arrival."""
    rows = await connection.fetch(SQL["facts_about"], list(wanted), [_object_ids(abouts) for abouts in wanted.values()])
    found: dict[str, list[Fact]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(Fact._make(row))
    return found


def _object_ids(abouts: Collection[About]) -> str:
    # Ids hold no space. Sorted, the index is searched without sorting them for each learner again.
    return " ".join(sorted({object_id for _, object_id in abouts}))

"""What learners did: facts and what voids them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from services.awarding.model import Fact, NewFact, NewVoid
from services.awarding.store import SQL

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader

# So many facts of a learner are read as they are. Where there are more, what there is to know of them is found by an
# index (see store/attempts.py), so that a thousandth attempt costs as much as the hundredth.
MANY = 128

# The statements answer a fact's columns in the order of its fields, and what else there is after them.
_FACT_COLUMNS = len(Fact._fields)


class Pair(NamedTuple):
    """A learner and an achievement that may be earned; the ids of the objects that it mentions (sorted, one text with
    spaces between, as ids hold none); a number of facts below which it cannot be earned; the version from which on a
    badge is settled; and how many days before its end a badge may be renewed (None: whenever)."""

    learner_id: str
    achievement_id: str
    object_ids: str
    fewest: int
    settled_version: int
    opens_days: int | None


async def keep_facts(connection: Connection, facts: Sequence[NewFact]) -> int | None:
    """Keep facts in the order in which they came; one that was voided before it came is kept as voided.

    Answers the place of arrival of the first that was not there yet, if any: all that was kept of these learners
    before, who must be locked, lies before it.
    """
    return await connection.fetchval(
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


async def promising_facts(connection: Connection, pairs: Sequence[Pair]) -> dict[tuple[str, str], list[Fact]]:
    """The facts that may earn something: by (learner id, achievement id), of the pairs that are not awarded yet and
    have enough facts about the objects that the achievement mentions. Of a pair that has `MANY` more than enough, so
    many are answered."""
    columns = [list(column) for column in zip(*pairs, strict=True)]
    rows = await connection.fetch(SQL["promising_facts"], *columns, MANY)
    found: dict[tuple[str, str], list[Fact]] = {}
    for row in rows:
        found.setdefault((row[0], row["achievement_id"]), []).append(Fact._make(row[:_FACT_COLUMNS]))
    return found


async def facts_about(
    connection: Reader, wanted: Sequence[tuple[str, str]], most: int | None = None
) -> dict[str, list[Fact]]:
    """The facts that count of these (learner id, object ids) pairs: by learner, in order of arrival; all of them, or
    `most` of each pair."""
    rows = await connection.fetch(
        SQL["facts_about"], [learner for learner, _ in wanted], [object_ids for _, object_ids in wanted], most
    )
    return by_learner(rows)


def by_learner(rows: Iterable[Any]) -> dict[str, list[Fact]]:
    """The facts of rows whose columns are those of a fact, by learner."""
    found: dict[str, list[Fact]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(Fact._make(row))
    return found

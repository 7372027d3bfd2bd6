"""Who the learners are, whom to look at again, and the lock on each learner."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from services.awarding.model import About, KnownLearner
from services.awarding.store import REHEARSAL, SQL
from services.awarding.store import milestones as milestone_store

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def register_learners(connection: Connection, learners: Sequence[KnownLearner]) -> list[str]:
    """Note learners (each once); answers who are new now and whom a fact had named before."""
    columns = [list(column) for column in zip(*learners, strict=True)]
    rows = await connection.fetch(SQL["register_learners"], *columns)
    return sorted(row["learner_id"] for row in rows if row["met_before"])


async def shown_names(connection: Connection, learner_ids: Collection[str]) -> dict[str, str]:
    """The names of those of these learners who want them in their badges."""
    rows = await connection.fetch(SQL["shown_names"], sorted(learner_ids))
    return {row["learner_id"]: row["shown_name"] for row in rows}


async def erase_learners(connection: Connection, erased: Mapping[str, datetime]) -> None:
    """Forget what these learners did, each erased at an instant; later facts about them are not kept either."""
    names = list(erased)
    await connection.execute(SQL["erase_learners"], names, list(erased.values()))
    for statement in ("erase_facts", "erase_voided", "erase_grounds", "erase_challenges", "erase_rechecks"):
        await connection.execute(SQL[statement], names)
    await milestone_store.erase_milestones(connection, names)


class Locked(NamedTuple):
    """Learners who are locked: who is registered, who erased, and who has a badge that a fact may bring back."""

    registered: set[str]
    erased: set[str]
    unsettled: set[str]


async def locked_learners(connection: Connection, learner_ids: Collection[str]) -> Locked:
    """Lock learners until this transaction ends, meeting them if need be; answers what is known of them.

    Whatever is decided about a learner is decided under this lock, so that of two events in two transactions the
    later one sees the earlier (B2).
    """
    names = sorted(learner_ids)
    rows = await connection.fetch(SQL["locked_learners"], names)
    if len(rows) < len(names):
        met = {row["learner_id"] for row in rows}
        await connection.execute(SQL["meet_learners"], [name for name in names if name not in met])
        rows = await connection.fetch(SQL["locked_learners"], names)
    return Locked(
        {row["learner_id"] for row in rows if row["registered"]},
        {row["learner_id"] for row in rows if row["erased"]},
        {row["learner_id"] for row in rows if row["unsettled"]},
    )


async def settle_learners(connection: Connection, unsettled: Mapping[str, bool]) -> None:
    """Note of these learners whether a badge of theirs is suspended for want of facts."""
    await connection.execute(SQL["settle_learners"], list(unsettled), list(unsettled.values()))


async def recheck_learners(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Have these learners looked at again."""
    await connection.execute(SQL["recheck_learners"], list(learner_ids))


async def waiting_learners(connection: Connection, most: int) -> list[str]:
    """Learners to look at again, the longest waiting first, now locked by this transaction."""
    return [row["learner_id"] for row in await connection.fetch(SQL["waiting_learners"], most)]


async def done_rechecking(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Take learners off the backlog."""
    await connection.execute(SQL["done_rechecking"], list(learner_ids))


async def postpone_recheck(connection: Connection, learner_ids: Sequence[str], seconds: float) -> None:
    """Leave learners on the backlog, but not before some seconds have passed."""
    await connection.execute(SQL["postpone_recheck"], list(learner_ids), seconds)


async def recheck_depth(connection: Reader) -> int:
    """How many learners wait to be looked at again."""
    return await connection.fetchval(SQL["recheck_depth"])


async def registered_of(connection: Connection, learner_ids: Sequence[str]) -> dict[str, bool]:
    """Which of these learners are registered; and whether they have a badge that a fact may bring back."""
    rows = await connection.fetch(SQL["registered_of"], list(learner_ids))
    return {row["learner_id"]: row["unsettled"] for row in rows}


async def mentioned_by(connection: Reader, learner_ids: Sequence[str]) -> list[tuple[str, About]]:
    """What each learner's facts are about."""
    rows = await connection.fetch(SQL["mentioned_by"], list(learner_ids))
    return [(row["learner_id"], (row["kind"], row["object_id"])) for row in rows]


async def achievements_held_by(connection: Connection, learner_ids: Sequence[str]) -> set[tuple[str, str]]:
    """The (learner id, achievement id) of these learners' badges, but for those after which another may follow."""
    rows = await connection.fetch(SQL["achievements_held_by"], list(learner_ids))
    return {(row["learner_id"], row["achievement_id"]) for row in rows}


async def learners_concerned(
    connection: Reader, abouts: Collection[About], achievement_ids: Collection[str]
) -> list[str]:
    """The registered learners who have a fact about one of `abouts` or a badge of one of the achievements, sorted."""
    rows = await connection.fetch(
        REHEARSAL["learners_concerned"],
        [kind for kind, _ in abouts],
        [name for _, name in abouts],
        sorted(achievement_ids),
    )
    return [row["learner_id"] for row in rows]


async def is_learner_known(connection: Reader, learner_id: str) -> bool:
    """Whether the learner was registered or named by a fact, and not erased."""
    return await connection.fetchval(SQL["is_learner_known"], learner_id)

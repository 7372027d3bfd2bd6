"""Milestones that were reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.awarding.model import Milestone
from services.awarding.store import MILESTONES

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def milestones_in(reader: Reader, wanted: Sequence[tuple[str, str]]) -> list[Milestone]:
    """What was reached already of these (learner id, achievement id), in any version."""
    columns = [list(column) for column in zip(*wanted, strict=True)]
    return [Milestone(**dict(row)) for row in await reader.fetch(MILESTONES["milestones_in"], *columns)]


async def milestones_of(reader: Reader, learner_id: str) -> list[Milestone]:
    """All milestones of a learner, in order of time."""
    return [Milestone(**dict(row)) for row in await reader.fetch(MILESTONES["milestones_of"], learner_id)]


async def keep_milestones(connection: Connection, milestones: Sequence[Milestone]) -> list[Milestone]:
    """Keep milestones; answers those that were not kept before."""
    rows = await connection.fetch(
        MILESTONES["keep_milestones"],
        [milestone.learner_id for milestone in milestones],
        [milestone.achievement_id for milestone in milestones],
        [milestone.version for milestone in milestones],
        [milestone.step_id for milestone in milestones],
        [milestone.name for milestone in milestones],
        [milestone.reached_at for milestone in milestones],
    )
    return [Milestone(**dict(row)) for row in rows]


async def erase_milestones(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Forget the milestones of these learners."""
    await connection.execute(MILESTONES["erase_milestones"], list(learner_ids))

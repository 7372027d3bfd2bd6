"""What people did to badges by hand: asked for, waiting, done; and the history of a badge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.awarding.model import Act, BadgeNow, BadgeState, ByHand, PastChange
from services.awarding.store import ACTS

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def keep_acts(connection: Connection, acts: Sequence[Act]) -> None:
    """Keep acts in their order; one whose id is known stays as it was asked for."""
    await connection.execute(
        ACTS["keep_acts"],
        [act.act_id for act in acts],
        [act.kind for act in acts],
        [act.learner_id for act in acts],
        [act.achievement_id for act in acts],
        [act.badge_id for act in acts],
        [act.reason for act in acts],
        [act.evidence for act in acts],
        [act.actor for act in acts],
        [act.asked_at for act in acts],
        [act.traceparent for act in acts],
    )


async def act(reader: Reader, act_id: UUID) -> Act | None:
    """One act, or None."""
    row = await reader.fetchrow(ACTS["act"], act_id)
    return None if row is None else _act(row)


async def acts_on_badge(reader: Reader, badge_id: UUID) -> list[Act]:
    """All acts on a badge, in the order in which they were asked for."""
    return [_act(row) for row in await reader.fetch(ACTS["acts_on_badge"], badge_id)]


async def waiting_acts(connection: Connection, most: int) -> list[tuple[Act, bool]]:
    """The first waiting act of up to `most` learners, who are locked now; and whether each is registered."""
    return [(_act(row), row["registered"]) for row in await connection.fetch(ACTS["waiting_acts"], most)]


async def done_acts(
    connection: Connection, outcomes: Sequence[tuple[UUID, str | None, UUID | None]]
) -> dict[UUID, tuple[UUID | None, datetime]]:
    """Note acts as done: (act id, why it was refused or None, the badge that it awarded or None); answers, by act, the
    badge that it is about and when it was done."""
    rows = await connection.fetch(ACTS["done_acts"], *([list(column) for column in zip(*outcomes, strict=True)]))
    return {row["act_id"]: (row["badge_id"], row["done_at"]) for row in rows}


async def decide_by_hand(connection: Connection, decisions: Sequence[ByHand]) -> None:
    """Note what people decided about badges."""
    badge_ids = [decision.kept.held.badge_id for decision in decisions]
    await connection.execute(ACTS["decide_by_hand"], badge_ids, [int(decision.state) for decision in decisions])


async def badge_now(reader: Reader, badge_id: UUID) -> BadgeNow | None:
    """A badge as it is now, or None."""
    row = await reader.fetchrow(ACTS["badge_now"], badge_id)
    if row is None:
        return None
    states: dict[str, Any] = {name: BadgeState(row[name]) for name in ("state", "by_hand")}
    return BadgeNow(**{**dict(row), **states})


async def changes_of_badge(reader: Reader, badge_id: UUID) -> list[PastChange]:
    """What was told of a badge after its issue, in order."""
    rows = await reader.fetch(ACTS["changes_of_badge"], badge_id)
    return [PastChange(BadgeState(row["state"]), *tuple(row)[1:]) for row in rows]


def _act(row: Any) -> Act:
    return Act(**{name: row[name] for name in Act.__dataclass_fields__})

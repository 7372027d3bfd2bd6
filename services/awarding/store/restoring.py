"""What awarding told before, kept again by a fresh database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.contracts import BadgeIssued
from services.awarding.model import Act, Cause, RestoredBadge, RestoredChange
from services.awarding.store import RESTORING

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader

# One statement each over whole tables: longer than what a batch may take.
_WHOLE_TABLES_SECONDS = 3600.0


async def is_restored(reader: Reader) -> bool:
    """Whether this database was made from the topics already, or has been at work before that was asked."""
    return await reader.fetchval(RESTORING["is_restored"])


async def restore_badges(connection: Connection, badges: Sequence[RestoredBadge]) -> None:
    """Keep badges to the byte; one that is kept stays as it is."""
    told: list[BadgeIssued] = [badge.told for badge in badges]
    await connection.execute(
        RESTORING["restore_badges"],
        [badge.badge_id for badge in told],
        [badge.learner_id for badge in told],
        [badge.achievement_id for badge in told],
        [badge.version for badge in told],
        [badge.cycle for badge in told],
        [badge.issuer_id for badge in told],
        [badge.valid_from for badge in told],
        [badge.valid_until for badge in told],
        [badge.credential for badge in told],
        [badge.open_badge_2 for badge in told],
        [badge.digest for badge in told],
        [" ".join(map(str, badge.evidence_event_ids)) for badge in told],
        [" ".join(map(str, badge.evidence_badge_ids)) for badge in told],
        [badge.trigger_event_id or badge.badge_id for badge in told],
        [badge.traceparent for badge in badges],
        [badge.is_grounded for badge in told],
        [badge.awarded_at or badge.valid_from for badge in told],
        [badge.list_number for badge in badges],
        [None if badge.list_number is None else badge.told.status_index for badge in badges],
    )


async def restore_changes(connection: Connection, changes: Sequence[RestoredChange]) -> None:
    """Keep what became of badges, in the order in which it was told; of each badge the last counts."""
    badge_ids, states = [change.badge_id for change in changes], [int(change.state) for change in changes]
    told_at = [change.told_at for change in changes]
    await connection.execute(
        RESTORING["restore_changes"],
        [change.event_id for change in changes],
        badge_ids,
        states,
        [change.reason for change in changes],
        [change.cause_id for change in changes],
        told_at,
    )
    await connection.execute(
        RESTORING["restore_states"], badge_ids, states, told_at, [change.is_over for change in changes]
    )


async def restore_ends(connection: Connection, badge_ids: Sequence[UUID]) -> None:
    """Keep that these badges have expired."""
    await connection.execute(RESTORING["restore_ends"], list(badge_ids))


async def restore_decisions(connection: Connection, decisions: Sequence[tuple[UUID, int]]) -> None:
    """Keep what people decided (badge id, state as a number), in the order in which it was told."""
    badge_ids, states = [badge_id for badge_id, _ in decisions], [state for _, state in decisions]
    await connection.execute(RESTORING["restore_decisions"], badge_ids, states)


async def restore_acts(connection: Connection, acts: Sequence[Act], untold: str) -> None:
    """Keep acts that were carried out; `untold` stands for what was never told of them."""
    await connection.execute(
        RESTORING["restore_acts"],
        untold,
        [act.act_id for act in acts],
        [act.kind for act in acts],
        [act.learner_id for act in acts],
        [act.achievement_id for act in acts],
        [act.badge_id for act in acts],
        [act.reason or None for act in acts],
        [act.asked_at for act in acts],
        [act.done_at for act in acts],
    )


async def restore_audit(connection: Connection, acts: Sequence[Act]) -> None:
    """Keep acts (each once) as they were told, with the jobs that they are lines of."""
    lines = [act for act in acts if act.job_id is not None]
    await connection.execute(
        RESTORING["restore_jobs"],
        [act.job_id for act in lines],
        [act.kind for act in lines],
        [act.reason for act in lines],
        [act.evidence for act in lines],
        [act.actor for act in lines],
        [act.asked_at for act in lines],
    )
    await connection.execute(
        RESTORING["restore_audit"],
        [act.act_id for act in acts],
        [act.kind for act in acts],
        [act.learner_id for act in acts],
        [act.achievement_id for act in acts],
        [act.badge_id for act in acts],
        [act.reason for act in acts],
        [act.evidence for act in acts],
        [act.actor for act in acts],
        [act.asked_at for act in acts],
        [act.done_at for act in acts],
        [act.refusal for act in acts],
        [act.job_id for act in acts],
        [act.line for act in acts],
    )


async def settle_restored(connection: Connection, above: int) -> None:
    """All was read: order what depends on it, have everybody looked at once, and note that it is done.

    `above` is added to the numbers of the catalogue's revisions.
    """
    await connection.execute(RESTORING["settle_triggers"], timeout=_WHOLE_TABLES_SECONDS)
    for statement in (
        RESTORING["renumber_issuers"], RESTORING["renumber_achievements"], RESTORING["renumber_catalogue"],
    ):  # fmt: skip
        await connection.execute(statement, above)
    await connection.execute(RESTORING["renumber_next"])
    for statement in (RESTORING["review_all"], RESTORING["recheck_all"], RESTORING["note_restored"]):
        await connection.execute(statement, timeout=_WHOLE_TABLES_SECONDS)


async def waiting_reviews(connection: Connection, most: int) -> list[str]:
    """Learners whose badges are to be looked at once, now locked and taken off the list."""
    learner_ids = [row["learner_id"] for row in await connection.fetch(RESTORING["waiting_reviews"], most)]
    if learner_ids:
        await connection.execute(RESTORING["done_reviewing"], learner_ids)
    return learner_ids


async def last_words(connection: Connection, learner_ids: Collection[str]) -> dict[str, Cause]:
    """Of each learner of whom anything is known, the last event, as the cause of what follows from all of them."""
    rows = await connection.fetch(RESTORING["last_words"], sorted(learner_ids))
    return {row["learner_id"]: Cause(row["cause_id"], row["occurred_at"], row["traceparent"]) for row in rows}

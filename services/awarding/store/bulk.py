"""Jobs of many awards, and what became of their lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from services.awarding.model import BulkJob, BulkLine, BulkProgress, LineDone, Undoing
from services.awarding.store import BULK

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def keep_job(connection: Connection, job: BulkJob, lines: Sequence[BulkLine], traceparent: str | None) -> bool:
    """Keep a job with its lines; answers False, and keeps nothing, where it is known."""
    values = (job.job_id, job.kind, job.reason, job.evidence, job.actor, job.asked_at)
    if await connection.fetchval(BULK["keep_job"], *values) is None:
        return False
    await connection.execute(
        BULK["keep_lines"],
        job.job_id,
        traceparent,
        [uuid5(job.job_id, str(line.line)) for line in lines],
        [line.line for line in lines],
        [line.learner_id for line in lines],
        [line.achievement_id for line in lines],
        [line.badge_id for line in lines],
        [line.reason for line in lines],
        [line.evidence for line in lines],
        [line.refusal for line in lines],
    )
    return True


async def keep_undo_job(connection: Connection, job: BulkJob, undoing: Undoing, traceparent: str | None) -> bool:
    """Keep a job that revokes what a version caused; answers False, and keeps nothing, where it is known."""
    values = (job.job_id, job.kind, job.reason, job.evidence, job.actor, job.asked_at)
    if await connection.fetchval(BULK["keep_job"], *values) is None:
        return False
    await connection.execute(BULK["keep_undo_lines"], job.job_id, traceparent, *undoing)
    return True


async def known_learners(connection: Reader, learner_ids: Collection[str]) -> set[str]:
    """Which of these learners are known, and not erased."""
    return {row["learner_id"] for row in await connection.fetch(BULK["known_learners"], sorted(learner_ids))}


async def known_achievements(connection: Reader, achievement_ids: Collection[str]) -> set[str]:
    """Which of these achievements are published."""
    rows = await connection.fetch(BULK["known_achievements"], sorted(achievement_ids))
    return {row["achievement_id"] for row in rows}


async def job_progress(reader: Reader, job_id: UUID) -> BulkProgress | None:
    """How far a job is, or None."""
    row = await reader.fetchrow(BULK["job_progress"], job_id)
    if row is None:
        return None
    job = BulkJob(**{name: row[name] for name in BulkJob.__dataclass_fields__})
    return BulkProgress(job, row["lines"], row["waiting"], row["refused"], row["last_done_at"])


async def job_lines(reader: Reader, job_id: UUID) -> list[LineDone]:
    """What became of each line of a job, in the order of the file."""
    return [LineDone(**dict(row)) for row in await reader.fetch(BULK["job_lines"], job_id)]

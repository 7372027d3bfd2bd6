"""Awards to many at once (B10), and taking them back in one action (B3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from libs.common.messaging.work import Work
from services.awarding.model import BulkJob, BulkLine, Undoing
from services.awarding.rules.bulk import checked, progress_told, report_of
from services.awarding.store import bulk as bulk_store
from services.awarding.store import catalogue as catalogue_store

if TYPE_CHECKING:
    from services.awarding.store import Reader


async def record_bulk_awards(work: Work, job: BulkJob, lines: Sequence[BulkLine]) -> dict[str, Any]:
    """Keep a job for the worker; one that is known goes on as it is. Answers how far it is."""
    connection = work.connection
    learners = await bulk_store.known_learners(connection, {line.learner_id for line in lines})
    achievements = await bulk_store.known_achievements(connection, {line.achievement_id for line in lines})
    await bulk_store.keep_job(connection, job, list(checked(lines, learners, achievements)), work.trace_context)
    progress = await bulk_store.job_progress(connection, job.job_id)
    assert progress is not None
    return progress_told(progress)


async def revoke_bulk_awards(work: Work, job_id: UUID, undoing: BulkJob) -> dict[str, Any] | str | None:
    """Revoke all that a job awarded, as a job of its own; answers how far that is, why it cannot be, or None."""
    connection = work.connection
    progress = await bulk_store.job_progress(connection, job_id)
    if progress is None:
        return None
    if progress.job.kind != "award" or progress.waiting:
        return "expected a finished job of awards"
    lines = [
        BulkLine(line.line, line.learner_id, line.achievement_id, undoing.reason, undoing.evidence, line.badge_id)
        for line in await bulk_store.job_lines(connection, job_id)
        if line.refusal is None
    ]
    await bulk_store.keep_job(connection, undoing, lines, work.trace_context)
    undone = await bulk_store.job_progress(connection, undoing.job_id)
    assert undone is not None
    return progress_told(undone)


async def revoke_version(work: Work, undoing: Undoing, job: BulkJob) -> dict[str, Any] | None:
    """Revoke all badges that facts earned of a version since an instant, as a job of its own; None where there is no
    such version. A job that is known goes on as it is."""
    connection = work.connection
    if await catalogue_store.achievement(connection, undoing.achievement_id, undoing.version) is None:
        return None
    await bulk_store.keep_undo_job(connection, job, undoing, work.trace_context)
    progress = await bulk_store.job_progress(connection, job.job_id)
    assert progress is not None
    return progress_told(progress)


async def show_bulk_progress(reader: Reader, job_id: UUID) -> dict[str, Any] | None:
    """How far a job is, or None when there is none."""
    progress = await bulk_store.job_progress(reader, job_id)
    return None if progress is None else progress_told(progress)


async def show_bulk_report(reader: Reader, job_id: UUID) -> str | None:
    """What became of each line as CSV, or None when there is no such job."""
    lines = await bulk_store.job_lines(reader, job_id)
    return report_of(lines) if lines else None

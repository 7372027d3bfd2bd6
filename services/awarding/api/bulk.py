"""Awards to many at once, from a CSV file, as a job that goes on after a crash (B10). Scope `badges.write`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime

from libs.common.contracts.contract import Identifier
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.acts import NOT_BLANK, Motive, Writer
from services.awarding.api.requests import database_of
from services.awarding.model import BulkJob, Undoing
from services.awarding.rules.bulk import job_id_of, read_lines, undo_id_of

router = APIRouter(prefix="/awards/bulk", tags=["acts"])
versions_router = APIRouter(tags=["acts"])
Why = Annotated[str, Query(min_length=3, max_length=1000, pattern=NOT_BLANK)]
CSV = "text/csv"


@router.post("", status_code=202)
async def award(request: Request, response: Response, reason: Why, evidence: Why, principal: Writer) -> dict[str, Any]:
    """Award what a CSV file lists, one award a line: `learner_id,achievement_id`, and `reason` and `evidence` where a
    line has its own. The same file, sent again for the same reason, is the same job."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CSV:
        raise Problem(415, "Unsupported media type", f"Expected {CSV}.")
    content = await request.body()
    lines = await asyncio.to_thread(read_lines, content, reason, evidence)
    if isinstance(lines, str):
        raise Problem(422, "Not a file of awards", lines)
    job_id = job_id_of(content, reason, evidence, principal.subject)
    job = BulkJob(job_id, "award", reason, evidence, principal.subject, datetime.now(UTC))
    async with begin(database_of(request)) as work:
        told = await handlers.record_bulk_awards(work, job, lines)
    response.headers["Location"] = f"/awards/bulk/{job_id}"
    return told


@router.get("/{job_id}")
async def progress(request: Request, job_id: UUID, _: Writer) -> dict[str, Any]:
    """How far a job is: lines done, refused and waiting."""
    told = await handlers.show_bulk_progress(database_of(request).pool, job_id)
    if told is None:
        raise not_found()
    return told


@router.get("/{job_id}/report")
async def report(request: Request, job_id: UUID, _: Writer) -> Response:
    """What became of each line, as CSV."""
    text = await handlers.show_bulk_report(database_of(request).pool, job_id)
    if text is None:
        raise not_found()
    headers = {
        "Content-Disposition": f'attachment; filename="awards-{job_id}.csv"',
        "Cache-Control": "private, no-store",
    }
    return Response(text, media_type=CSV, headers=headers)


@router.post("/{job_id}/undo", status_code=202)
async def undo(request: Request, response: Response, job_id: UUID, body: Motive, principal: Writer) -> dict[str, Any]:
    """Revoke all badges that a finished job awarded, in one action and as a job of its own (B3)."""
    undo_id, now = uuid5(job_id, "undo"), datetime.now(UTC)
    undoing = BulkJob(undo_id, "revoke", body.reason, body.evidence, principal.subject, now)
    async with begin(database_of(request)) as work:
        told = await handlers.revoke_bulk_awards(work, job_id, undoing)
    if told is None:
        raise not_found()
    if isinstance(told, str):
        raise Problem(409, "Cannot be undone now", f"{told.capitalize()}.")
    response.headers["Location"] = f"/awards/bulk/{told['job_id']}"
    return told


class UndoAsked(Motive):
    """Since when what a version caused is taken back: usually when it was published."""

    since: AwareDatetime


@versions_router.post("/achievements/{achievement_id}/versions/{version}/undo", status_code=202)
async def undo_version(
    request: Request,
    achievement_id: Identifier,
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    body: UndoAsked,
    principal: Writer,
) -> JSONResponse:
    """Revoke all badges that facts earned of a published version since an instant, in one action and as a job (B3).

    What stands on them follows by its own policy. Asked again it is the same job. Facts do not earn them again.
    """
    undoing = Undoing(achievement_id, version, body.since)
    job_id = undo_id_of(undoing, principal.subject)
    job = BulkJob(job_id, "revoke", body.reason, body.evidence, principal.subject, datetime.now(UTC))
    async with begin(database_of(request)) as work:
        told = await handlers.revoke_version(work, undoing, job)
    if told is None:
        raise not_found()
    return JSONResponse(told, 202, {"Location": f"/awards/bulk/{job_id}"})

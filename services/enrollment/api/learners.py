"""`/learners` and `/enrollments`: who the learners are, and who is enrolled in what."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from libs.common.contracts.contract import Identifier
from libs.common.messaging.work import begin
from libs.common.postgres.database import Database
from libs.common.problems import Problem
from libs.common.security import Principal, caller, requires
from services.enrollment import handlers, store
from services.enrollment.api.exchange import answer, recorded, rows_in
from services.enrollment.settings import EnrollmentSettings

router = APIRouter(tags=["learners"])

Id = Annotated[Identifier, Path()]


@router.post("/learners", status_code=202, dependencies=[Depends(requires("learners.write"))])
async def post_learners(request: Request) -> Response:
    """Register a batch, `{"learners": [{learner_id, name?, email?, shows_name?}]}`: new and changed ones are told.

    What is left out stays as it is known. Each row stands for itself: 207 names the refused ones.
    """
    rows = await rows_in(request, "learners", most=_most(request))
    async with begin(request.app.state.database) as work:
        outcome = await handlers.register_learners(work, rows, at=datetime.now(UTC))
    return recorded(outcome, "learners")


class NameChoice(BaseModel):
    """Whether the learner wants their name in badges that are awarded from now on."""

    model_config = ConfigDict(extra="forbid")

    shows_name: bool


def learner_or_writer(request: Request, learner_id: str) -> Principal:
    """Who may choose for a learner: the learner, or a caller with the scope `learners.write`."""
    principal = caller(request)
    if principal is not None and principal.learner_id == learner_id:
        return principal
    return requires("learners.write")(request)


@router.patch("/learners/{learner_id}", dependencies=[Depends(learner_or_writer)])
async def patch_learner(request: Request, learner_id: Id, choice: NameChoice) -> Response:
    """Choose whether badges that are awarded from now on show the learner's name; those before stay as signed."""
    async with begin(request.app.state.database) as work:
        learner = await handlers.record_name_choice(
            work, learner_id, shows_name=choice.shows_name, at=datetime.now(UTC)
        )
    if learner is None:
        raise Problem(404, "Unknown learner", "Expected the id of a registered learner.")
    return answer(asdict(learner))


@router.delete("/learners/{learner_id}", status_code=204, dependencies=[Depends(requires("learners.write"))])
async def delete_learner(request: Request, learner_id: Id) -> Response:
    """Erase a learner here, and by a tombstone everywhere."""
    async with begin(request.app.state.database) as work:
        erased = await handlers.erase_learner(work, learner_id, at=datetime.now(UTC))
    if not erased:
        raise Problem(404, "Unknown learner", "Expected the id of a registered learner.")
    return Response(status_code=204)


@router.get("/learners/{learner_id}", dependencies=[Depends(requires("learners.read"))])
async def get_learner(request: Request, learner_id: Id) -> Response:
    """A learner, and where they stand in each offer."""
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        learner = await store.learner(connection, learner_id)
        enrollments = await store.enrollments_of_learner(connection, learner_id)
    if learner is None:
        raise Problem(404, "Unknown learner", "Expected the id of a registered learner.")
    return answer({**asdict(learner), "enrollments": [asdict(enrollment) for enrollment in enrollments]})


@router.post("/enrollments", status_code=202, dependencies=[Depends(requires("enrollments.write"))])
async def post_enrollments(request: Request) -> Response:
    """Record a batch, `{"enrollments": [{learner_id, offer_id, occurred_at, status?}]}`: new rows are told (M1.4).

    `status` is `enrolled` (when left out) or `withdrawn`. Each row stands for itself: 207 names the refused ones,
    such as those of unknown learners.
    """
    rows = await rows_in(request, "enrollments", most=_most(request))
    async with begin(request.app.state.database) as work:
        outcome = await handlers.record_enrollments(work, rows)
    return recorded(outcome, "enrollments")


def _most(request: Request) -> int:
    return cast("EnrollmentSettings", request.app.state.settings).most_rows_a_request

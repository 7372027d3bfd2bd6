"""Learners' challenges: a goal and a day, set by the learner alone (M2.9, M2.10)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, cast
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from libs.common.contracts.contract import Identifier
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal, caller
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.records import learner_reader
from services.awarding.api.requests import database_of

router = APIRouter(prefix="/learners/{learner_id}/challenges", tags=["records"])


class Goal(BaseModel):
    """What the learner means to earn, and until which day."""

    model_config = ConfigDict(extra="forbid")

    achievement_id: Identifier
    target_on: date


def the_learner(request: Request, learner_id: str) -> Principal:
    """The learner: nobody else sets or drops a challenge of theirs."""
    principal = caller(request)
    if principal is None:
        challenge = (("WWW-Authenticate", 'Bearer realm="cairn"'),)
        raise Problem(401, "Authentication required", "Expected the learner's own bearer token.", headers=challenge)
    if principal.learner_id != learner_id:
        raise Problem(403, "Not allowed", "Expected the learner's own token.")
    return principal


def _shelf(request: Request) -> handlers.Shelf:
    return cast("handlers.Shelf", request.app.state.shelf)


@router.post("", status_code=201)
async def challenge(
    request: Request, learner_id: str, goal: Goal, _: Annotated[Principal, Depends(the_learner)]
) -> dict[str, Any]:
    """Set a challenge. Set again for the same goal, it has the new day."""
    today = datetime.now(UTC).date()
    if goal.target_on < today:
        raise Problem(422, "Day is past", f"Expected {today} or later, found {goal.target_on}.")
    wanted = (goal.achievement_id, goal.target_on)
    async with begin(database_of(request)) as work:
        kept = await handlers.record_challenge(_shelf(request), work, uuid4(), learner_id, wanted)
        if isinstance(kept, str):
            raise Problem(404, "Not found", f"Expected a known {kept}, found none of this id.")
        told = await handlers.show_challenges(_shelf(request), work.connection, learner_id, today)
    return next(one for one in told if one["challenge_id"] == str(kept.challenge_id))


@router.get("")
async def challenges(
    request: Request, learner_id: str, _: Annotated[Principal, Depends(learner_reader)]
) -> dict[str, Any]:
    """The learner's challenges: progress, what can be done now and by whom, and what is in the way. For the learner
    and for `records.read`."""
    today = datetime.now(UTC).date()
    told = await handlers.show_challenges(_shelf(request), database_of(request).pool, learner_id, today)
    return {"learner_id": learner_id, "challenges": told}


@router.delete("/{challenge_id}", status_code=204)
async def drop(
    request: Request, learner_id: str, challenge_id: UUID, _: Annotated[Principal, Depends(the_learner)]
) -> None:
    """Drop a challenge."""
    async with begin(database_of(request)) as work:
        dropped = await handlers.cancel_challenge(work, learner_id, challenge_id)
    if not dropped:
        raise not_found()

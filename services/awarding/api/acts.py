"""What authorised people do to badges by hand, with reason and evidence (M1.37). Scope `badges.write`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts.contract import Identifier
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal, requires
from libs.common.telemetry import current_traceparent
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.requests import database_of
from services.awarding.model import Act, ActKind
from services.awarding.rules.history import act_told
from services.awarding.store import acts as act_store
from services.awarding.store import catalogue as catalogue_store
from services.awarding.store import learners as learner_store

WRITES = "badges.write"
# U+0000 is the one character that PostgreSQL cannot keep.
NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"
Writer = Annotated[Principal, Depends(requires(WRITES))]

router = APIRouter(tags=["acts"])


class Motive(BaseModel):
    """Why, and on what evidence. Neither should name a person: the reason and the links in the evidence are told for
    ever, with the badge and for the audit; the rest of the evidence is kept for the audit alone.

    Whoever may have to ask again sends an `act_id` of their own: the same act is then carried out once.
    """

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=1000, pattern=NOT_BLANK)
    evidence: str = Field(min_length=3, max_length=4000, pattern=NOT_BLANK)
    act_id: UUID | None = None


class AwardAsked(Motive):
    """To whom which achievement is awarded."""

    learner_id: Identifier
    achievement_id: Identifier


@router.post("/badges", status_code=202)
async def award(request: Request, response: Response, body: AwardAsked, principal: Writer) -> dict[str, Any]:
    """Award an achievement's newest version to a learner by hand. The worker signs it; `Location` says what became
    of it."""
    pool = database_of(request).pool
    if not await learner_store.is_learner_known(pool, body.learner_id):
        raise Problem(404, "Not found", "Expected a known learner, found none of this id.")
    if await catalogue_store.achievement(pool, body.achievement_id) is None:
        raise Problem(404, "Not found", "Expected a published achievement, found none of this id.")
    asked = _asked("award", body, principal, body.learner_id, body.achievement_id)
    return await _accept(request, response, asked)


@router.post("/badges/{badge_id}/revoke", status_code=202)
async def revoke(
    request: Request, response: Response, badge_id: UUID, body: Motive, principal: Writer
) -> dict[str, Any]:
    """Revoke a badge for good."""
    return await _accept(request, response, await _about(request, "revoke", badge_id, body, principal))


@router.post("/badges/{badge_id}/suspend", status_code=202)
async def suspend(
    request: Request, response: Response, badge_id: UUID, body: Motive, principal: Writer
) -> dict[str, Any]:
    """Suspend a badge until a person reinstates it."""
    return await _accept(request, response, await _about(request, "suspend", badge_id, body, principal))


@router.post("/badges/{badge_id}/reinstate", status_code=202)
async def reinstate(
    request: Request, response: Response, badge_id: UUID, body: Motive, principal: Writer
) -> dict[str, Any]:
    """Take a person's suspension of a badge back."""
    return await _accept(request, response, await _about(request, "reinstate", badge_id, body, principal))


@router.get("/acts/{act_id}")
async def act(request: Request, act_id: UUID, _: Writer) -> dict[str, Any]:
    """What a person asked for, and what became of it: `waiting`, `done` or `refused`."""
    found = await handlers.show_act(database_of(request).pool, act_id)
    if found is None:
        raise not_found()
    return found


@router.get("/badges/{badge_id}/history")
async def history(
    request: Request, badge_id: UUID, _: Annotated[Principal, Depends(requires("records.read"))]
) -> dict[str, Any]:
    """All that became of a badge since its award: each change with its cause, each act with who and why."""
    found = await handlers.show_history(database_of(request).pool, badge_id)
    if found is None:
        raise not_found()
    return found


def _asked(kind: ActKind, body: Motive, by: Principal, learner_id: str, achievement_id: str) -> Act:
    now, traceparent = datetime.now(UTC), current_traceparent()
    act_id = body.act_id or uuid4()
    return Act(act_id, kind, learner_id, achievement_id, None, body.reason, body.evidence, by.subject, now, traceparent)


async def _about(request: Request, kind: ActKind, badge_id: UUID, body: Motive, principal: Principal) -> Act:
    badge = await act_store.badge_now(database_of(request).pool, badge_id)
    if badge is None:
        raise not_found()
    return replace(_asked(kind, body, principal, badge.learner_id, badge.achievement_id), badge_id=badge_id)


async def _accept(request: Request, response: Response, asked: Act) -> dict[str, Any]:
    async with begin(database_of(request)) as work:
        kept = await handlers.record_act(work, asked)
    if _content(kept) != _content(asked):
        detail = f"Expected a new `act_id`, or the same request again, found another act of {asked.act_id}."
        raise Problem(409, "Act id is taken", detail)
    response.headers["Location"] = f"/acts/{kept.act_id}"
    return act_told(kept)


def _content(act: Act) -> tuple[object, ...]:
    badge_id = None if act.kind == "award" else act.badge_id
    return act.kind, act.learner_id, act.achievement_id, badge_id, act.reason, act.evidence, act.actor

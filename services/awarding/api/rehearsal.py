"""Drafts are rehearsed before they are published (B3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from libs.common.contracts import AchievementPublished
from libs.common.contracts.contract import Identifier
from libs.common.contracts.requirement import Requirement
from libs.common.messaging.work import begin
from libs.common.problems import Problem, pydantic_errors
from libs.common.security import Principal, requires
from services.awarding import handlers
from services.awarding.api.requests import database_of
from services.awarding.rules.rehearsal import Limits

router = APIRouter(tags=["rehearsal"])
Designer = Annotated[Principal, Depends(requires("catalogue.write"))]
Reads = Annotated[Principal, Depends(requires("records.read"))]
MOST = 2**31 - 1


class LimitsAsked(BaseModel):
    """How many badges may be gained or lost at most, those of stacks above included: the blast radius that the
    designer means to have."""

    model_config = ConfigDict(extra="forbid")

    gain: Annotated[int, Field(ge=0, le=MOST)] | None = None
    lose: Annotated[int, Field(ge=0, le=MOST)] | None = None


class Draft(BaseModel):
    """A draft as it would be published, with limits. Only what it means matters here, so its words may be absent."""

    model_config = ConfigDict(extra="allow")

    requirement: Requirement
    limits: LimitsAsked = LimitsAsked()


@router.post("/achievements/{achievement_id}/rehearsal")
async def rehearse(
    request: Request, achievement_id: Identifier, draft: Draft, designer: Designer, _: Reads
) -> dict[str, Any]:
    """Who would gain a badge by a draft, who would lose theirs if badges were judged by it, what would follow in the
    stacks above, and whether that is within the draft's limits. Nothing is changed. Enrollment hears of it, and may
    demand it before it publishes the draft. For `catalogue.write` with `records.read`."""
    now = datetime.now(UTC)
    published = _published(achievement_id, draft, now)
    limits = Limits(draft.limits.gain, draft.limits.lose)
    shelf = cast("handlers.Shelf", request.app.state.shelf)
    async with begin(database_of(request)) as work:
        return await handlers.complete_rehearsal(shelf, work, published, limits, by=designer.subject, at=now)


def _published(achievement_id: str, draft: Draft, now: datetime) -> AchievementPublished:
    """The draft as if it were published; words that it lacks are filled in, for they mean nothing here."""
    words = {"kind": "micro-credential", "issuer_id": "draft", "name": "Draft", "description": "-", "criteria": "-"}
    given = {**words, **(draft.model_extra or {}), "requirement": draft.requirement}
    try:
        return AchievementPublished.model_validate(
            {**given, "achievement_id": achievement_id, "version": 1, "published_at": now}
        )
    except ValidationError as fault:
        raise Problem(422, "Invalid draft", errors=pydantic_errors(fault)) from None

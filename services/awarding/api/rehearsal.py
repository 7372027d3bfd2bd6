"""Drafts are rehearsed before they are published (B3)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts.contract import Identifier
from libs.common.contracts.requirement import Requirement
from libs.common.security import Principal, requires
from services.awarding import handlers
from services.awarding.api.requests import database_of

router = APIRouter(tags=["rehearsal"])
Designer = Annotated[Principal, Depends(requires("catalogue.write"))]
Reads = Annotated[Principal, Depends(requires("records.read"))]
MOST = 2**31 - 1


class Limits(BaseModel):
    """How many learners may gain or lose at most: the blast radius that the designer means to have."""

    model_config = ConfigDict(extra="forbid")

    gain: Annotated[int, Field(ge=0, le=MOST)] | None = None
    lose: Annotated[int, Field(ge=0, le=MOST)] | None = None


class Draft(BaseModel):
    """A draft as it would be published; only its requirement matters here, so more may be there."""

    requirement: Requirement
    limits: Limits = Limits()


@router.post("/achievements/{achievement_id}/rehearsal")
async def rehearse(
    request: Request, achievement_id: Identifier, draft: Draft, _: Designer, __: Reads
) -> dict[str, Any]:
    """Who would gain a badge by a draft, who would lose theirs if badges were judged by it, and whether that is
    within the draft's limits. Nothing is changed. For `catalogue.write` with `records.read`."""
    rehearsal = await handlers.evaluate_draft(database_of(request).pool, achievement_id, draft.requirement)
    return rehearsal.told(achievement_id, draft.limits.gain, draft.limits.lose)

"""An authorised person lets an issuer speak for an achievement version or a badge. Scope `endorsements.write`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts.contract import Identifier
from libs.common.credentials.addresses import Addresses
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal, requires
from libs.common.telemetry import current_traceparent
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.acts import NOT_BLANK
from services.awarding.api.requests import database_of
from services.awarding.model import EndorsementAsked
from services.awarding.store import acts as act_store
from services.awarding.store import catalogue as catalogue_store

router = APIRouter(tags=["endorsements"])
Endorser = Annotated[Principal, Depends(requires("endorsements.write"))]


class Place(BaseModel):
    """An achievement version, as the path names it."""

    achievement_id: Identifier
    version: int = Field(ge=1, le=1_000_000)


class Said(BaseModel):
    """What an issuer says, in public (Markdown is allowed). Whoever may have to ask again sends an `endorsement_id`."""

    model_config = ConfigDict(extra="forbid")

    issuer_id: Identifier
    comment: str = Field(min_length=3, max_length=4000, pattern=NOT_BLANK)
    endorsement_id: UUID | None = None


@router.post("/achievements/{achievement_id}/versions/{version}/endorsements", status_code=202)
async def endorse_achievement(
    request: Request, response: Response, place: Annotated[Place, Path()], body: Said, principal: Endorser
) -> dict[str, Any]:
    """Endorse an achievement version: what is signed stands in its badges from then on."""
    achievement_id, version = place.achievement_id, place.version
    if await catalogue_store.achievement(database_of(request).pool, achievement_id, version) is None:
        raise Problem(404, "Not found", "Expected a published version of an achievement, found none of this id.")
    return await _accept(request, response, body, principal, (achievement_id, version, None))


@router.post("/badges/{badge_id}/endorsements", status_code=202)
async def endorse_badge(
    request: Request, response: Response, badge_id: UUID, body: Said, principal: Endorser
) -> dict[str, Any]:
    """Endorse a badge: the badge stays as it was signed, the endorsement is served beside it."""
    if await act_store.badge_now(database_of(request).pool, badge_id) is None:
        raise not_found()
    return await _accept(request, response, body, principal, (None, None, badge_id))


@router.get("/endorsements/{endorsement_id}")
async def endorsement(request: Request, endorsement_id: UUID, _: Endorser) -> dict[str, Any]:
    """What was asked for, and whether it is signed."""
    found = await handlers.show_endorsement(database_of(request).pool, endorsement_id)
    if found is None:
        raise not_found()
    return _shown(request, found)


async def _accept(
    request: Request,
    response: Response,
    said: Said,
    principal: Principal,
    endorsed: tuple[str | None, int | None, UUID | None],
) -> dict[str, Any]:
    if said.issuer_id not in await catalogue_store.issuer_ids(database_of(request).pool):
        error = {"pointer": "/issuer_id", "detail": f"expected a published issuer, found {said.issuer_id!r}"}
        raise Problem(422, "Invalid request", errors=(error,))
    asked = EndorsementAsked(
        said.endorsement_id or uuid4(), said.issuer_id, *endorsed, said.comment, principal.subject, datetime.now(UTC),
        current_traceparent(),
    )  # fmt: skip
    async with begin(database_of(request)) as work:
        kept = await handlers.record_endorsement(work, asked)
    if _content(kept) != _content(asked):
        detail = f"Expected a new `endorsement_id`, or the same request again, found another {asked.endorsement_id}."
        raise Problem(409, "Endorsement id is taken", detail)
    response.headers["Location"] = f"/endorsements/{kept.endorsement_id}"
    return _shown(request, kept)


def _content(asked: EndorsementAsked) -> tuple[object, ...]:
    return asked.issuer_id, asked.achievement_id, asked.version, asked.badge_id, asked.comment, asked.actor


def _shown(request: Request, asked: EndorsementAsked) -> dict[str, Any]:
    state = "refused" if asked.refusal else "waiting" if asked.signed_at is None else "signed"
    addresses = cast("Addresses", request.app.state.addresses)
    told = {name: value for name, value in asdict(asked).items() if name != "traceparent"}
    return {**told, "state": state, "url": addresses.endorsement(asked.endorsement_id)}

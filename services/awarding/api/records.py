"""Records for people: why a badge was awarded or not, and how it came to be."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from libs.common.credentials.addresses import Addresses
from libs.common.problems import Problem
from libs.common.security import Principal, caller, requires
from libs.common.web import assets
from libs.common.web.documents import PRIVATE, Document, respond
from libs.common.web.negotiation import preferred
from libs.common.web.pages import Pages
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.requests import database_of
from services.awarding.rules.trail import trail_of

PAGE, JSON = "text/html", "application/json"
READS = "records.read"

router = APIRouter(tags=["records"])


def learner_reader(request: Request, learner_id: str) -> Principal:
    """Who may read one learner's record: the learner, or a caller with the scope `records.read`."""
    principal = caller(request)
    if principal is not None and principal.learner_id == learner_id:
        return principal
    return requires(READS)(request)


@router.get("/learners/{learner_id}/achievements/{achievement_id}/explanation")
async def explanation(
    request: Request, learner_id: str, achievement_id: str, _: Annotated[Principal, Depends(learner_reader)]
) -> Response:
    """Why the learner has, or has not, earned the achievement: each node of its requirement, what met it, what is
    missing (B1). For the learner and for `records.read`."""
    found = await handlers.explain_achievement(database_of(request).pool, learner_id, achievement_id)
    if isinstance(found, str):
        raise Problem(404, "Not found", f"Expected a known {found}, found none of this id.")
    return _answer(request, "explanation.html", found)


@router.get("/learners/{learner_id}/mosaic")
async def mosaic(request: Request, learner_id: str, _: Annotated[Principal, Depends(learner_reader)]) -> dict[str, Any]:
    """What the learner holds, what is under way, and what to do next, with the distance to it (M2.7, M2.8). For the
    learner and for `records.read`."""
    shelf = cast("handlers.Shelf", request.app.state.shelf)
    found = await handlers.show_mosaic(shelf, database_of(request).pool, learner_id)
    if found is None:
        raise Problem(404, "Not found", "Expected a known learner, found none of this id.")
    return found


@router.get("/badges/{badge_id}/trail")
async def trail(request: Request, badge_id: UUID, _: Annotated[Principal, Depends(requires(READS))]) -> Response:
    """How a badge came to be: the events that earned it, the award, and whether it was told (B9)."""
    found = await handlers.show_trail(database_of(request).pool, badge_id)
    if found is None:
        raise not_found()
    return _answer(request, "trail.html", trail_of(cast("Addresses", request.app.state.addresses), found))


@router.api_route(assets.ROUTE, methods=["GET", "HEAD"], include_in_schema=False)
async def asset(request: Request, name: str) -> Response:
    """The style sheet and pictures of the pages."""
    answer = assets.serve(request, name)
    if answer is None:
        raise not_found()
    return answer


def _answer(request: Request, template: str, content: dict[str, Any]) -> Response:
    """A record as a page for browsers, else as JSON; it is private, so no cache keeps it."""
    if preferred(request.headers.get("accept"), (JSON, PAGE)) == PAGE:
        pages = cast("Pages", request.app.state.pages)
        return pages.respond(request, template, cache_control=PRIVATE, **content)
    return respond(request, Document(orjson.dumps(content), JSON, PRIVATE, headers={"Vary": "Accept"}))

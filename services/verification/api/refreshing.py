"""The refresh service of a badge (OB 3.0, `refreshService`): where the newest one of the same kind is found (B5)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from libs.common.problems import Problem
from libs.common.web.documents import OPEN_TO_ALL, STATUS, Document, respond
from services.verification import store
from services.verification.api.parts import CREDENTIAL_TYPES, PAGE, PATHS, database_of, form_of
from services.verification.api.visible import cached, query_of, seen_document
from services.verification.model import SignedDocument, View

router = APIRouter(tags=["badges"])
MOST_BADGES = 20


@router.api_route(PATHS.badge_refresh("{badge_id}"), methods=["GET", "HEAD"])
async def refresh(request: Request, badge_id: str) -> Response:
    """The newest badge of the same learner and achievement that the caller may see: its signed credential for
    programs (1EdTechCredentialRefresh, a plain GET), the way to its page for people. It may be the same badge."""
    form = form_of(request, (*CREDENTIAL_TYPES, PAGE))
    if form is None:
        raise Problem(406, "Not acceptable", f"Expected Accept to name one of {', '.join((PAGE, *CREDENTIAL_TYPES))}.")
    newest, signed, view = await _newest(request, badge_id)
    path = PATHS.badge(newest) + (query_of(request) if newest == badge_id else "")
    headers = {**OPEN_TO_ALL, "Vary": "Accept", "Content-Location": path}
    if form == PAGE:
        away = {"Cache-Control": cached(STATUS, view), "Vary": "Accept"}
        return RedirectResponse(path, status_code=302, headers=away)
    return respond(request, Document(signed.content, form, cached(STATUS, view), signed.issued_at, headers))


async def _newest(request: Request, badge_id: str) -> tuple[str, SignedDocument, View]:
    """The first of the badges that the caller may see the whole of. Raises the one 404 where the given one is not."""
    given = (badge_id, *await seen_document(request, badge_id))
    for found in await store.newest_badges(database_of(request).pool, UUID(badge_id), MOST_BADGES):
        if str(found) == badge_id:
            return given
        try:
            signed, view = await seen_document(request, str(found))
        except Problem as refusal:
            if refusal.status != 404:
                raise
            continue
        # What begins at a badge that not everybody sees is for no cache, wherever it leads.
        return str(found), signed, view if given[2].by == "public" else given[2]
    return given

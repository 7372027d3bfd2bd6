"""Short codes: from paper to a badge that its learner shares."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.web.refusals import not_found
from services.verification import store
from services.verification.api.parts import PATHS, database_of, parts_of
from services.verification.model import Badge
from services.verification.rules.codes import read_code
from services.verification.rules.sharing import decide_view
from services.verification.store import sharing as sharing_store

router = APIRouter(tags=["badges"])


@router.api_route("/c/{code}", methods=["GET", "HEAD"])
async def badge_of_code(request: Request, code: str) -> Response:
    """To the badge that has this short code, if everybody may see it; one 404 otherwise. So many a minute a caller."""
    await parts_of(request).codes_pace.take(request.client.host if request.client else "")
    found = await _shared(request, code)
    if found is None:
        raise not_found()
    query = f"?{request.url.query}" if request.url.query else ""
    headers = {"Location": PATHS.badge(found.badge_id) + query, "Cache-Control": "no-store"}
    return Response(status_code=302, headers={**headers, "Access-Control-Allow-Origin": "*"})


async def _shared(request: Request, code: str) -> Badge | None:
    parts, pool = parts_of(request), database_of(request).pool
    digits = read_code(code)
    badge_ids = [] if digits is None else await sharing_store.badges_of_code(pool, digits)
    badge = await store.badge(pool, badge_ids[0]) if len(badge_ids) == 1 else None
    if badge is None or decide_view(badge.signed.share, parts.now(), default=parts.sharing) is None:
        return None
    return badge

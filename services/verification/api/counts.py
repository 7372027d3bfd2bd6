"""For operators: how many badges there are."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from libs.common.security import requires
from services.verification import store
from services.verification.api.parts import database_of

router = APIRouter(tags=["operations"], dependencies=[Depends(requires("operations"))])


@router.get("/operations/badges/counts")
async def badge_counts(request: Request) -> Response:
    """How many badges are kept of each achievement; `counts` has an entry for each that has any."""
    counts = await store.badge_counts(database_of(request).pool)
    entries = [{"achievement_id": achievement_id, "badges": badges} for achievement_id, badges in counts.items()]
    return Response(orjson.dumps({"counts": entries}), media_type="application/json")

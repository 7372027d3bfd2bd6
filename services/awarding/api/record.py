"""Learners' records as signed credentials (CLR 2.0), for learners to keep and show: all they hold, or one badge with
what it stands on (M1.38, issue 4)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from libs.common.contracts.contract import Identifier
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal
from libs.common.web.documents import PRIVATE, Document, respond
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.records import learner_reader
from services.awarding.api.requests import database_of
from services.awarding.model import RecordAsked, RecordWish, ShownRecord
from services.awarding.store import learners as learner_store

router = APIRouter(tags=["records"])
_PATIENCE_SECONDS, _PAUSE_SECONDS = 5.0, 0.1
_MOST_PARTS = 10_000

Part = Annotated[
    int, Query(ge=1, le=_MOST_PARTS, description="which part of a record that is too large for one; the first is 1")
]


@router.get("/learners/{learner_id}/record")
async def record(
    request: Request,
    learner_id: str,
    issuer: Annotated[Identifier, Query(description="whose badges: each issuer knows the learner by a pseudonym")],
    _: Annotated[Principal, Depends(learner_reader)],
    part: Part = 1,
) -> Response:
    """All badges of one issuer that hold, in one signed ClrCredential, with which of them stands on which.

    More than 500, or 1.75 MiB of them, are several credentials: `Link` names the next and the one before, and each
    names the one before it, with its digest. The worker signs them when the badges are others than in the last ones:
    202 with `Retry-After` means that it has not yet. For the learner and for `records.read`.
    """
    if not await learner_store.is_learner_known(database_of(request).pool, learner_id):
        raise Problem(404, "Not found", "Expected a known learner, found none of this id.")
    return await _answer(request, RecordWish(learner_id, issuer), part)


@router.get("/learners/{learner_id}/badges/{badge_id}/record")
async def badge_record(
    request: Request, learner_id: str, badge_id: UUID, _: Annotated[Principal, Depends(learner_reader)], part: Part = 1
) -> Response:
    """One badge of a stack or pathway and, through all levels, the badges that it stands on and that hold, whoever
    issued them, in one signed ClrCredential by the badge's issuer; `association` says which stands on which.

    Otherwise as the record of all badges. For the learner and for `records.read`.
    """
    pool = database_of(request).pool
    wish = await handlers.read_root_wish(pool, learner_id, badge_id)
    if wish is None or not await learner_store.is_learner_known(pool, learner_id):
        raise not_found()
    return await _answer(request, wish, part)


async def _answer(request: Request, wish: RecordWish, part: int) -> Response:
    pool = database_of(request).pool
    found = await handlers.show_record(pool, wish, part)
    if found is None or found.is_open:
        async with begin(database_of(request)) as work:
            await handlers.record_record_request(work, RecordAsked(wish, uuid4(), datetime.now(UTC)))
        for _attempt in range(int(_PATIENCE_SECONDS / _PAUSE_SECONDS)):
            await asyncio.sleep(_PAUSE_SECONDS)
            found = await handlers.show_record(pool, wish, part)
            if found is not None:
                break
    if found is None:
        return Response(status_code=202, headers={"Retry-After": "2", "Cache-Control": PRIVATE})
    if found.credential is None:
        raise Problem(404, "No record", f"There is none: {found.refusal}.")
    headers = _links(request, found, part)
    return respond(request, Document(found.credential.encode(), "application/vc+ld+json", PRIVATE, headers=headers))


def _links(request: Request, found: ShownRecord, part: int) -> dict[str, str]:
    """Where the other parts are (RFC 8288)."""
    links: list[str] = []
    for number, relation in ((part + 1, "next"), (part - 1, "prev")):
        if 1 <= number <= found.parts:
            url = request.url.include_query_params(part=number)
            links.append(f'<{url.path}?{url.query}>; rel="{relation}"')
    return {"Link": ", ".join(links)} if links else {}

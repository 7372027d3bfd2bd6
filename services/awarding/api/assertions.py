"""A badge as signed Open Badges 2.0 assertion, for who keeps badges where only those are read."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal
from libs.common.web.documents import PRIVATE, Document, respond
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.records import learner_reader
from services.awarding.api.requests import database_of
from services.awarding.store import learners as learner_store

router = APIRouter(tags=["records"])
_PATIENCE_SECONDS, _PAUSE_SECONDS = 5.0, 0.1


@router.post("/learners/{learner_id}/badges/{badge_id}/signed-assertion")
async def ask(
    request: Request, learner_id: str, badge_id: UUID, _: Annotated[Principal, Depends(learner_reader)]
) -> Response:
    """The badge as signed Open Badges 2.0 assertion (compact JWS, RS256); asked for again, the same.

    Where its key was revoked since, it is signed anew with the present one: what a revoked key signed proves nothing.

    The worker signs it: 202 with `Retry-After` means that it has not yet. From then on it is at its public address
    too, as its learner shares the badge. 409 says why it cannot be signed. For the learner and for `records.read`.
    """
    pool = database_of(request).pool
    found = await handlers.show_assertion(pool, badge_id, learner_id)
    if found is None or not await learner_store.is_learner_known(pool, learner_id):
        raise not_found()
    if found.valid_token is None:
        async with begin(database_of(request)) as work:
            await handlers.record_assertion_request(work, badge_id, learner_id)
        for _attempt in range(int(_PATIENCE_SECONDS / _PAUSE_SECONDS)):
            await asyncio.sleep(_PAUSE_SECONDS)
            found = await handlers.show_assertion(pool, badge_id, learner_id) or found
            if found.valid_token is not None or found.refusal is not None:
                break
    if found.valid_token is not None:
        return respond(request, Document(found.valid_token.encode(), "application/jose", PRIVATE))
    if found.refusal is not None:
        raise Problem(409, "Not signed", f"The assertion was not signed: {found.refusal}.")
    return Response(status_code=202, headers={"Retry-After": "2", "Cache-Control": PRIVATE})

"""A learner's record as one signed credential (CLR 2.0), for the learner to keep and show."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from libs.common.contracts.contract import Identifier
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal
from libs.common.web.documents import PRIVATE, Document, respond
from services.awarding import handlers
from services.awarding.api.records import learner_reader
from services.awarding.api.requests import database_of
from services.awarding.store import learners as learner_store
from services.awarding.store.records import RecordAsked

router = APIRouter(tags=["records"])
_PATIENCE_SECONDS, _PAUSE_SECONDS = 5.0, 0.1


@router.get("/learners/{learner_id}/record")
async def record(
    request: Request,
    learner_id: str,
    issuer: Annotated[Identifier, Query(description="whose badges: each issuer knows the learner by a pseudonym")],
    _: Annotated[Principal, Depends(learner_reader)],
) -> Response:
    """The learner's badges of one issuer that hold, in one signed ClrCredential; at most 25, else it says `partial`.

    The worker signs it when the badges are others than in the last one: 202 with `Retry-After` means that it has not
    yet. For the learner and for `records.read`.
    """
    pool = database_of(request).pool
    if not await learner_store.is_learner_known(pool, learner_id):
        raise Problem(404, "Not found", "Expected a known learner, found none of this id.")
    found = await handlers.show_record(pool, learner_id, issuer)
    if found is None:
        async with begin(database_of(request)) as work:
            asked = RecordAsked(learner_id, issuer, uuid4(), datetime.now(UTC))
            await handlers.record_record_request(work, asked)
        for _attempt in range(int(_PATIENCE_SECONDS / _PAUSE_SECONDS)):
            await asyncio.sleep(_PAUSE_SECONDS)
            found = await handlers.show_record(pool, learner_id, issuer)
            if found is not None:
                break
    if found is None:
        return Response(status_code=202, headers={"Retry-After": "2", "Cache-Control": PRIVATE})
    if found.credential is None:
        raise Problem(404, "No record", f"The record was not signed: {found.refusal}.")
    return respond(request, Document(found.credential.encode(), "application/vc+ld+json", PRIVATE))

"""Status lists: which badges are revoked or suspended, as signed lists (Bitstring Status List 1.0, section 2.2)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.web.documents import OPEN_TO_ALL, STATUS, Document, respond
from libs.common.web.refusals import not_found
from services.verification.api.parts import CREDENTIAL_TYPES, JWT_TYPES, PATHS, database_of, form_of
from services.verification.store import signing

router = APIRouter(tags=["status lists"])


@router.api_route(PATHS.status_list("{list_id}"), methods=["GET", "HEAD"])
async def status_list(request: Request, list_id: str) -> Response:
    """The list as it was signed last: with an embedded proof, or as VC-JWT where `Accept` prefers that."""
    found = await signing.status_list(database_of(request).pool, list_id)
    if found is None:
        raise not_found()
    offers = CREDENTIAL_TYPES if found.token is None else (*CREDENTIAL_TYPES, *JWT_TYPES)
    form = form_of(request, offers) or CREDENTIAL_TYPES[0]
    body = found.token.encode() if found.token is not None and form in JWT_TYPES else found.credential
    headers = {**OPEN_TO_ALL, "Vary": "Accept"}
    return respond(request, Document(body, form, STATUS, found.told_at, headers))

"""The public addresses of what issuers say for achievements and badges (OB 3.0, section B.1.8)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.web.documents import OPEN_TO_ALL, SIGNED, Document, respond
from libs.common.web.refusals import not_found
from services.verification.api.parts import CREDENTIAL_TYPES, PATHS, badge_id_of, database_of, form_of, json_document
from services.verification.api.visible import cached, seen_document
from services.verification.store.endorsements import KeptEndorsement, endorsement

router = APIRouter(tags=["endorsements"])
READ = ["GET", "HEAD"]


@router.api_route(PATHS.endorsement("{endorsement_id}"), methods=READ)
async def signed_endorsement(request: Request, endorsement_id: str) -> Response:
    """The signed EndorsementCredential, to the byte."""
    found, policy = await _found(request, endorsement_id)
    media_type = form_of(request, CREDENTIAL_TYPES) or CREDENTIAL_TYPES[0]
    headers = {**OPEN_TO_ALL, "Vary": "Accept"}
    return respond(request, Document(found.credential, media_type, policy, found.endorsed_at, headers))


@router.api_route(PATHS.open_badge_2_endorsement("{endorsement_id}"), methods=READ)
async def open_badge_2_endorsement(request: Request, endorsement_id: str) -> Response:
    """Its Open Badges 2.0 twin."""
    found, policy = await _found(request, endorsement_id)
    return json_document(request, found.open_badge_2, last_modified=found.endorsed_at, cache_control=policy)


async def _found(request: Request, endorsement_id: str) -> tuple[KeptEndorsement, str]:
    """An endorsement that the caller may see, and how long caches may keep it."""
    name: UUID = badge_id_of(endorsement_id)
    found = await endorsement(database_of(request).pool, name)
    if found is None:
        raise not_found()
    if found.badge_id is None:
        return found, SIGNED
    # What is said of a badge is seen by who may see the badge.
    _, view = await seen_document(request, str(found.badge_id))
    return found, cached(SIGNED, view)

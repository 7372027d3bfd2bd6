"""Signed Open Badges 2.0: assertions as JWS, the keys that prove them, and the lists that revoke them (M1.39)."""

from __future__ import annotations

from typing import Final

import orjson
from fastapi import APIRouter, Request
from joserfc.jwk import RSAKey
from starlette.responses import Response

from libs.common.credentials.open_badges_2 import RevokedAssertion, cryptographic_key, revocation_list
from libs.common.problems import Problem
from libs.common.web.documents import OPEN_TO_ALL, STATUS, Document, respond
from libs.common.web.refusals import not_found
from services.verification.api.catalogue import found_issuer, profile_of
from services.verification.api.parts import PATHS, badge_id_of, database_of, form_of, json_document, parts_of
from services.verification.api.visible import cached, seen_document
from services.verification.store import signing

router = APIRouter(tags=["Open Badges 2.0"])
READ = ["GET", "HEAD"]
# RFC 7515, section 9.2.1; plain text for readers that know nothing of it.
_JWS_TYPES = ("application/jose", "text/plain")
# Everybody reads the list: what people wrote about a badge is for those who may see it, and stays out (B7).
_REASONS: Final = {
    "revocation": "Revoked by the issuer.",
    "suspension": "Suspended by the issuer; it may hold again.",
    "erasure": "The issuer keeps no record of it any more.",
}


@router.api_route(PATHS.assertion("{badge_id}") + ".jws", methods=READ)
async def signed_assertion(request: Request, badge_id: str) -> Response:
    """The badge as signed Open Badges 2.0 assertion (compact JWS), if its learner asked for one and shares it.

    Like the signed credential it never changes: whether it holds, the issuer's RevocationList says.
    """
    kept, view = await seen_document(request, badge_id)
    found = await signing.assertion(database_of(request).pool, badge_id_of(badge_id))
    if found is None:
        raise not_found()
    form = form_of(request, _JWS_TYPES) or _JWS_TYPES[0]
    headers = {**OPEN_TO_ALL, "Vary": "Accept"}
    return respond(request, Document(found.encode(), form, cached(STATUS, view), kept.issued_at, headers))


@router.api_route(PATHS.open_badge_2_key("{issuer_id}", "{key_id}"), methods=READ)
async def public_key(request: Request, issuer_id: str, key_id: str) -> Response:
    """The CryptographicKey that signed assertions name as `creator`; 410 once it was revoked."""
    issuer = await found_issuer(request, issuer_id)
    keys = await signing.token_keys_of_issuer(database_of(request).pool, issuer_id)
    found = next((key for key in keys if key.key_id == key_id and key.is_rsa), None)
    if found is None:
        raise not_found()
    if found.revoked_at is not None:
        raise Problem(410, "Gone", "This key was revoked: what it signed proves nothing any more.")
    addresses = parts_of(request).addresses
    pem = RSAKey.import_key(orjson.loads(found.public_key_jwk)).as_pem(private=False).decode()
    content = cryptographic_key(addresses.open_badge_2_key(issuer_id, key_id), profile_of(addresses, issuer), pem)
    return json_document(request, content, last_modified=max(issuer.told_at, found.told_at))


@router.api_route(PATHS.open_badge_2_revocations("{issuer_id}"), methods=READ)
async def revocations(request: Request, issuer_id: str) -> Response:
    """The issuer's RevocationList: its signed assertions that do not hold, now."""
    issuer = await found_issuer(request, issuer_id)
    withdrawn = await signing.withdrawn_assertions(database_of(request).pool, issuer_id)
    addresses = parts_of(request).addresses
    content = revocation_list(
        addresses.open_badge_2_revocations(issuer_id),
        profile_of(addresses, issuer),
        [RevokedAssertion(addresses.assertion(one.badge_id), _REASONS[one.aspect]) for one in withdrawn],
    )
    changed = max([issuer.told_at, *(one.changed_at for one in withdrawn)])
    return json_document(request, content, last_modified=changed)

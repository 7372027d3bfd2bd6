"""The doors by which a wallet fetches what its learner offers it (OpenID for Verifiable Credential Issuance 1.0).

The token endpoint is that of OAuth 2.0 (`granting`). Nothing here uses the session of a browser, so that wallets which
are web pages may read the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.web.refusals import not_found
from services.verification import store
from services.verification.api.parts import database_of, parts_of
from services.verification.handlers.granting.desk import METHODS, SCOPES
from services.verification.rules.wallet import (
    EMBEDDED,
    PRE_AUTHORIZED,
    TOKEN,
    Declined,
    code_of,
    credential_response,
    error_document,
    is_open,
    issuer_metadata,
    may_be_offered,
    offer_document,
    wanted_configuration,
)
from services.verification.store import signing
from services.verification.store import wallet as wallet_store

router = APIRouter(tags=["wallets"])
# To these a wallet that is a web page may post: they read no cookie.
POSTS = ("/oauth/token", "/wallet/credential")
# What an OAuth 2.0 or OpenID4VCI error looks like.
_ERROR: dict[str, Any] = {
    "description": "An error, as OpenID4VCI 1.0 has them",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
                "required": ["error"],
            }
        }
    },
}
_REQUEST: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"credential_configuration_id": {"type": "string", "enum": [EMBEDDED, TOKEN]}},
                    "required": ["credential_configuration_id"],
                }
            }
        }
    }
}


@router.get("/.well-known/openid-credential-issuer")
async def credential_issuer(request: Request) -> Response:
    """What wallets can get here, and where (OpenID4VCI 1.0, section 12.2.4)."""
    return _json(issuer_metadata(parts_of(request).addresses.base_url))


@router.get("/.well-known/oauth-authorization-server")
async def authorization_server(request: Request) -> Response:
    """Where programs and wallets get tokens (RFC 8414)."""
    own = parts_of(request).addresses.base_url
    return _json(
        {
            "issuer": own,
            "authorization_endpoint": f"{own}/oauth/authorize",
            "token_endpoint": f"{own}/oauth/token",
            "registration_endpoint": f"{own}/oauth/register",
            "revocation_endpoint": f"{own}/oauth/revoke",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", PRE_AUTHORIZED],
            "token_endpoint_auth_methods_supported": list(METHODS),
            "revocation_endpoint_auth_methods_supported": list(METHODS),
            "code_challenge_methods_supported": ["S256"],
            "pre-authorized_grant_anonymous_access_supported": True,
        }
    )


@router.get("/wallet/offers/{reference}")
async def offered(request: Request, reference: str) -> Response:
    """The Credential Offer, while it is open (OpenID4VCI 1.0, section 4.1.3)."""
    pool, parts = database_of(request).pool, parts_of(request)
    found = await wallet_store.offer_of_reference(pool, reference)
    if found is None or not is_open(found, parts.now()):
        raise not_found()
    badge = await store.badge(pool, found.badge_id)
    if badge is None or not may_be_offered(badge):
        raise not_found()
    # Which of the two a wallet takes is for it to say; both tell the same.
    forms = [EMBEDDED] if await signing.token(pool, found.badge_id) is None else [EMBEDDED, TOKEN]
    words = parts.pages.language_of(request).texts.gettext("The PIN from the page with the QR code")
    pin_words = None if found.pin_digest is None else words
    return _json(offer_document(parts.addresses.base_url, forms, code_of(reference), pin_words=pin_words))


@router.post("/wallet/credential", responses={400: _ERROR, 401: _ERROR}, openapi_extra=_REQUEST)
async def credential(request: Request) -> Response:
    """The badge that was offered, exactly as it was signed (OpenID4VCI 1.0, section 8)."""
    try:
        return _answer(credential_response(await _asked_for(request)))
    except Declined as declined:
        challenge = {"WWW-Authenticate": f'Bearer error="{declined.error}"'} if declined.status == 401 else {}
        return _json(error_document(declined), declined.status, challenge)


async def _asked_for(request: Request) -> bytes | str:
    """The signed bytes or the VC-JWT that a wallet asks for. Raises `Declined`."""
    pool, now = database_of(request).pool, parts_of(request).now()
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    offer = await wallet_store.offer_of_token(pool, token.strip()) if scheme.lower() == "bearer" else None
    badge = None
    if offer is not None and offer.token_ends_at is not None and now < offer.token_ends_at:
        badge = await store.badge(pool, offer.badge_id)
    if badge is None:
        raise Declined("invalid_token", "expected an access token that is good", 401)
    wanted = wanted_configuration(await request.body())
    if not may_be_offered(badge):
        raise Declined("credential_request_denied", "the badge was withdrawn")
    if wanted == EMBEDDED:
        return badge.signed.content
    twin = await signing.token(pool, badge.badge_id)
    if twin is None:
        raise Declined("unknown_credential_configuration", f"expected {EMBEDDED}, as it was offered")
    return twin


def _json(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return _answer(orjson.dumps(content), status, headers)


def _answer(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    told = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*", **(headers or {})}
    return Response(content, status, told, "application/json")

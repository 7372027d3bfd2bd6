"""The keys of issuers: did:web document, JWK set, each key of VC-JWTs at its own address (B8)."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.credentials.keys import PublishedKey, did_document, jwks, public_key_of_multikey, token_jwk
from libs.common.credentials.token_keys import PublishedTokenKey
from libs.common.web.refusals import not_found
from services.verification import store
from services.verification.api.parts import PATHS, database_of, json_document, parts_of
from services.verification.model import Key, TokenKey
from services.verification.store import signing

router = APIRouter(tags=["keys"])
READ = ["GET", "HEAD"]


@router.api_route(PATHS.issuer("{issuer_id}") + "/did.json", methods=READ)
async def did(request: Request, issuer_id: str) -> Response:
    """The issuer's `did:web` document with every key it has published (did:web, section 3.2)."""
    pool = database_of(request).pool
    keys = await store.keys_of_issuer(pool, issuer_id)
    tokens = await _token_keys(request, issuer_id)
    issuer = await store.issuer(pool, issuer_id)
    if not keys and issuer is None:
        raise not_found()
    document = did_document(
        parts_of(request).addresses.issuer_did(issuer_id),
        _published(keys),
        [] if issuer is None else [issuer.url],
        [_published_token(request, issuer_id, key) for key in tokens],
    )
    told = [key.told_at for key in (*keys, *tokens)] + ([] if issuer is None else [issuer.told_at])
    # DID Core section 6.3 names application/did+ld+json; many resolvers insist on application/json or ld+json.
    return json_document(request, document, last_modified=max(told))


@router.api_route(PATHS.issuer_jwks("{issuer_id}"), methods=READ)
async def key_set(request: Request, issuer_id: str) -> Response:
    """Every key of the issuer as a JWK set (RFC 7517), old ones with their times."""
    pool = database_of(request).pool
    keys = await store.keys_of_issuer(pool, issuer_id)
    tokens = await _token_keys(request, issuer_id)
    if not keys and not tokens:
        raise not_found()
    document = jwks(_published(keys), [_published_token(request, issuer_id, key) for key in tokens])
    told = max(key.told_at for key in (*keys, *tokens))
    return json_document(request, document, last_modified=told, media_type="application/jwk-set+json")


@router.api_route(PATHS.issuer_key("{issuer_id}", "{key_id}"), methods=READ)
async def key(request: Request, issuer_id: str, key_id: str) -> Response:
    """A key of VC-JWTs as JWK: what the `kid` of a token leads to (OB 3.0, section 8.2.4)."""
    tokens = await _token_keys(request, issuer_id)
    found = next((token for token in tokens if token.key_id == key_id), None)
    if found is None:
        raise not_found()
    document = token_jwk(_published_token(request, issuer_id, found))
    return json_document(request, document, last_modified=found.told_at, media_type="application/json")


async def _token_keys(request: Request, issuer_id: str) -> list[TokenKey]:
    """Those of VC-JWTs. One of Open Badges 2.0 alone is no word on a VC-JWT, and so is not published as one here."""
    keys = await signing.token_keys_of_issuer(database_of(request).pool, issuer_id)
    return [key for key in keys if not key.for_assertions]


def _published(keys: Sequence[Key]) -> list[PublishedKey]:
    return [
        PublishedKey(public_key_of_multikey(key.public_key_multibase), key.valid_from, key.valid_until, key.revoked_at)
        for key in keys
    ]


def _published_token(request: Request, issuer_id: str, key: TokenKey) -> PublishedTokenKey:
    kid = parts_of(request).addresses.issuer_key_id(issuer_id, key.key_id)
    jwk = {**orjson.loads(key.public_key_jwk), "kid": kid}
    return PublishedTokenKey(key.key_id, key.public_key_multibase, jwk, key.valid_from, key.valid_until, key.revoked_at)

"""The check of a signed Open Badges 2.0 assertion: its token, the issuer's key, the issuer's revocation list."""

from __future__ import annotations

from typing import cast

from cryptography.hazmat.primitives.serialization import load_pem_public_key

from libs.common.checking.dialogue import Asking, Fetched, Json, fetch_in_place
from libs.common.checking.notes import Notes
from libs.common.checking.public_keys import AnyKey, allowed_key, key_of_jwk
from libs.common.checking.strict import Fault, array, id_of, member, objects, read_json
from libs.common.checking.tokens import Token, header_fault, holds


def check_signed(assertion: Json, issuer: Json, token: Token, notes: Notes) -> Asking[None]:
    """Note under `proof`, `key` and `status` what the token, the key and the list say."""
    fault = header_fault(token)
    if fault is None and "jwk" in token.header:
        fault = Fault("header", "jwk")
    if fault:
        notes.bad("proof", *fault)
        return
    if not issuer:
        return
    listed = [id_of(entry) for entry in array(issuer.get("publicKey"))]
    creator = member(assertion.get("verification"), "creator") or next(iter(listed), None)
    if not isinstance(creator, str) or creator not in listed:
        notes.bad("key", "unknown-key", f"expected one of {listed}, found {str(creator)[:200]}")
        return
    key = yield from _key_at(creator, issuer, notes)
    if key is None:
        return
    fault = holds(token, key)
    if fault:
        notes.bad("proof", *fault)
        return
    notes.good("proof")
    notes.good("key")
    yield from check_revocations(assertion, issuer, notes)


def _key_at(url: str, issuer: Json, notes: Notes) -> Asking[AnyKey | None]:
    embedded = next((entry for entry in objects(issuer.get("publicKey")) if entry.get("publicKeyPem")), None)
    document = embedded if embedded and embedded.get("id") == url else None
    if document is None:
        answer = yield from fetch_in_place(url)
        if not isinstance(answer, Fetched) or not answer.ok:
            gone = isinstance(answer, Fetched) and answer.gone
            (notes.bad if gone else notes.unknown)("key", "key-missing" if gone else "key-unreachable", url)
            return None
        read = read_json(answer.content)
        if isinstance(read, Fault):
            notes.bad("key", "key-missing", read.more)
            return None
        document = read
    owner = document.get("owner")
    if owner != issuer.get("id"):
        notes.bad("key", "key-of-another", f"expected the owner {issuer.get('id')}, found {str(owner)[:200]}")
        return None
    key = _public_key(document)
    if isinstance(key, Fault):
        notes.bad("key", *key)
        return None
    return key


def _public_key(document: Json) -> AnyKey | Fault:
    jwk = document.get("publicKeyJwk")
    if isinstance(jwk, dict):
        return key_of_jwk(cast(Json, jwk))
    try:
        return allowed_key(load_pem_public_key(str(document.get("publicKeyPem")).encode()))
    except ValueError as error:
        return Fault("key-kind", f"expected publicKeyPem: {error}")


def check_revocations(assertion: Json, issuer: Json, notes: Notes) -> Asking[None]:
    """Note under `status` what the list of the `issuer`, a profile, says of an `assertion` of this `id` or `uid`."""
    url = id_of(issuer.get("revocationList"))
    if url is None:
        notes.good("status", "no-status")
        return
    answer = yield from fetch_in_place(url)
    if not isinstance(answer, Fetched) or not answer.ok:
        missing = isinstance(answer, Fetched) and answer.gone
        notes.unknown("status", "status-missing" if missing else "status-unreachable", url)
        return
    document = read_json(answer.content)
    if isinstance(document, Fault):
        notes.unknown("status", "status-malformed", document.more)
        return
    for entry in array(document.get("revokedAssertions")):
        if id_of(entry) == assertion.get("id") or member(entry, "uid") == assertion.get("uid", ""):
            notes.bad("status", "revoked", member(entry, "revocationReason") or "")
            return
    notes.good("status")

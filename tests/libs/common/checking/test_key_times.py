"""What an issuer says of the end of its keys counts however a badge names them; what cannot be read ends them (B8)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from joserfc import jws
from joserfc.jwk import ECKey

from libs.common.checking.dates import told_in
from libs.common.credentials.jwt import JwtSigner
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from tests.libs.common.checking.test_status import ISSUER, START, credential, signed
from tests.libs.common.checking.world import World, reasons
from tests.services.verification.support import KEY

DID_URL = "https://college.example/.well-known/did.json"
P256 = derive_private_key(777, SECP256R1())
KEY_URL = "https://college.example/keys/1"
SIGNER = JwtSigner(P256, KEY_URL)
BEFORE, AFTER = "2025-12-31T00:00:00Z", int(START.timestamp()) - 1
PROOF_NAMED = json.loads(credential())
del PROOF_NAMED["credentialStatus"], PROOF_NAMED["proof"]


def proved() -> bytes:
    return signed(PROOF_NAMED)


@pytest.mark.parametrize("revoked", [BEFORE, "2025-12-31T00:00:00", "yesterday", True, 5, {"revoked_at": "x"}, ""])
@pytest.mark.parametrize("listed", [True, False])
async def test_a_revocation_that_cannot_be_read_is_one(world: World, revoked: Any, listed: bool) -> None:
    document = did_document(ISSUER, [PublishedKey(LocalSigner(KEY, ISSUER).public_key)])
    world.put(DID_URL, document)
    assert (await world.judge(proved())).answer == "genuine"
    document["verificationMethod"][0]["revoked"] = revoked
    world.put(DID_URL, document if listed else {**document, "assertionMethod": []})
    assert reasons(await world.judge(proved()))["key"] == ("fail", "key-revoked")


async def test_an_end_that_cannot_be_read_is_one(world: World) -> None:
    document = did_document(ISSUER, [PublishedKey(LocalSigner(KEY, ISSUER).public_key)])
    document["verificationMethod"][0]["expires"] = "2030-01-01"
    world.put(DID_URL, document)
    assert reasons(await world.judge(proved()))["key"] == ("fail", "key-expired")


def token(header: dict[str, Any], payload: dict[str, Any]) -> bytes:
    """A compact JWS of `payload` by the P-256 key, under `header`."""
    key = ECKey.import_key(P256)
    return jws.serialize_compact({"alg": "ES256", **header}, json.dumps(payload).encode(), key).encode()


def bare(**claims: Any) -> dict[str, Any]:
    return {**PROOF_NAMED, "iss": ISSUER, "nbf": int(START.timestamp()), "iat": int(START.timestamp()), **claims}


HEADERS = (
    {"jwk": {name: told for name, told in SIGNER.public_jwk().items() if name in ("kty", "crv", "x", "y")}},
    {"kid": "es-1"},
    {"kid": KEY_URL},
)


def publish(world: World, **times: Any) -> None:
    """The P-256 key, with its times, in each of the places where it may be looked for."""
    jwk = {**SIGNER.public_jwk(), "kid": KEY_URL}
    method = {"id": f"{ISSUER}#es-1", "type": "JsonWebKey", "controller": ISSUER, "publicKeyJwk": jwk, **times}
    listed = [] if "revoked" in times else [method["id"]]
    world.put(DID_URL, {"id": ISSUER, "verificationMethod": [method], "assertionMethod": listed})
    world.put(KEY_URL, {**jwk, **times})


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({}, None),
        ({"revoked": {"revoked_at": AFTER}}, "key-revoked"),
        ({"revoked": BEFORE}, "key-revoked"),
        ({"revoked": True}, "key-revoked"),
        ({"revoked": {"revoked_at": "2025"}}, "key-revoked"),
        ({"exp": AFTER}, "key-expired"),
        ({"exp": "soon"}, "key-expired"),
    ],
)
async def test_a_token_counts_only_in_its_keys_time(
    world: World, header: dict[str, Any], times: dict[str, Any], reason: str | None
) -> None:
    publish(world, **times)
    judgement = await world.judge(token(header, bare()))
    if reason is None:
        assert judgement.answer == "genuine", reasons(judgement)
    else:
        assert reasons(judgement)["key"] == ("fail", reason)


async def test_the_claims_end_a_badge_that_says_no_end(world: World) -> None:
    publish(world)
    assert (await world.judge(token({"kid": KEY_URL}, bare(exp=4_000_000_000)))).answer == "genuine"
    ended = await world.judge(token({"kid": KEY_URL}, bare(exp=int(START.timestamp()) + 60)))
    assert reasons(ended)["dates"] == ("fail", "expired")
    unread = await world.judge(token({"kid": KEY_URL}, bare(exp="soon")))
    assert unread.answer == "not-genuine"


def test_a_claim_counts_where_the_member_is_missing() -> None:
    names = ("validUntil", "expirationDate")
    assert told_in({}, names, 0) == "1970-01-01T00:00:00Z"
    assert told_in({"validUntil": None, "expirationDate": BEFORE}, names, 0) == BEFORE
    assert told_in({}, names, None) is None

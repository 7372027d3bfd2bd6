"""Keys with their times, VC-JWTs beside the embedded proofs, and status lists, as verification serves them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc import jwt
from joserfc.jwk import KeySet, import_key
from openbadgeslib.ob3.did import resolve_verification_method

from libs.common.contracts.awarding import KeyPublished, StatusListSigned
from libs.common.credentials.jwt import JwtSigner
from libs.common.credentials.token_keys import public_jwk, token_key_id, token_multikey
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    OTHER_KEY,
    Service,
    at,
    badge_issued,
    event,
    key_published,
)

P256 = derive_private_key(4711, SECP256R1())
RSA = generate_private_key(65537, 2048)


def token_key_published(key: Any = P256, **changes: Any) -> KeyPublished:
    """The public half of a key of VC-JWTs, as awarding tells it."""
    public = key.public_key()
    told: dict[str, Any] = {
        "issuer_id": "prairie",
        "key_id": token_key_id(public),
        "public_key_multibase": token_multikey(public),
        "public_key_jwk": orjson.dumps(public_jwk(public)).decode(),
        "valid_from": at(-1000).isoformat(),
    }
    return KeyPublished.model_validate({**told, **changes})


def kid(key: Any = P256) -> str:
    """The `kid` of a token by the key."""
    return ADDRESSES.issuer_key_id("prairie", token_key_id(key.public_key()))


async def serve(service: Service, *contents: Any) -> None:
    """Issuer, achievement and keys, and what else is told."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), token_key_published(), *contents)


@pytest.mark.parametrize("key", [P256, RSA], ids=["ES256", "RS256"])
async def test_a_badge_is_served_as_vc_jwt_and_its_key_is_found(service: Service, key: Any) -> None:
    badge = badge_issued(token_signer=JwtSigner(key, kid(key)))
    assert badge.credential_jwt is not None
    await serve(service, token_key_published(key), badge)
    for path, accept, media_type in (
        (f"/badges/{badge.badge_id}.jwt", None, "application/vc+jwt"),
        (f"/badges/{badge.badge_id}.jwt", "text/plain", "text/plain"),
        (f"/badges/{badge.badge_id}", "application/vc+jwt", "application/vc+jwt"),
        (f"/badges/{badge.badge_id}", "application/jwt", "application/jwt"),
    ):
        for _ in range(2):  # from the database, then from memory
            answer = await service.get(path, accept)
            assert answer.text == badge.credential_jwt
            assert answer.headers["content-type"].partition(";")[0] == media_type
            assert answer.headers["access-control-allow-origin"] == "*"
            assert (await service.get(path, accept, if_none_match=answer.headers["etag"])).status_code == 304
    assert (await service.get(f"/badges/{badge.badge_id}", "application/json")).content == badge.credential.encode()
    published = (await service.get(kid(key).partition("badges.example")[2])).json()
    read = jwt.decode(badge.credential_jwt, import_key(published), algorithms=["ES256", "RS256"])
    assert read.header["kid"] == kid(key) == published["kid"]
    assert read.claims["jti"] == orjson.loads(badge.credential)["id"]


async def test_every_key_is_in_the_set_and_those_for_proofs_are_undisturbed(service: Service) -> None:
    old = key_published(OTHER_KEY, valid_until=at(-10), revoked_at=at(-20))
    await serve(service, token_key_published(RSA), old)
    answer = await service.get("/issuers/prairie/jwks.json")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    keys = {key["kid"]: key for key in answer.json()["keys"]}
    assert {key["kty"] for key in keys.values()} == {"OKP", "EC", "RSA"}
    assert keys[old.key_id]["revoked"] == {"revoked_at": int(at(-20).timestamp())}
    KeySet.import_key_set({"keys": [{name: key[name] for name in key.keys() - {"revoked"}} for key in keys.values()]})
    document = (await service.get("/issuers/prairie/did.json")).json()
    did = document["id"]
    assert document["@context"] == ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
    now, token = key_published().key_id, token_key_id(P256.public_key())
    assert set(document["assertionMethod"]) == {f"{did}#{now}", f"{did}#{token}"}
    assert {method["id"] for method in document["verificationMethod"]} == {
        f"{did}#{name}" for name in (now, token, old.key_id)
    }
    assert all(method["type"] == "Multikey" for method in document["verificationMethod"])
    # An independent resolver finds the key of embedded proofs among them.
    content = orjson.dumps(document)
    assert resolve_verification_method(f"{did}#{now}", lambda url: content).startswith(b"-----BEGIN PUBLIC KEY")


async def test_what_is_not_there_is_not_found(service: Service) -> None:
    badge = badge_issued()
    await serve(service, badge)
    for path in (
        f"/badges/{badge.badge_id}.jwt", "/issuers/prairie/keys/zDn", "/issuers/other/jwks.json", "/status-lists/x",
    ):  # fmt: skip
        assert (await service.get(path, "application/json")).status_code == 404


async def test_a_status_list_is_served_as_it_was_signed_last(service: Service) -> None:
    def told(revision: int, text: str) -> StatusListSigned:
        return StatusListSigned(
            list_id="prairie-revocation-1", issuer_id="prairie", purpose="revocation", revision=revision,
            credential=text, credential_jwt=f"token.{revision}.x",
        )  # fmt: skip

    await service.hear(event(told(3, '{"third": 3}')), event(told(2, '{"second": 2}')))
    path = "/status-lists/prairie-revocation-1"
    answer = await service.get(path)
    assert (answer.content, answer.headers["content-type"]) == (b'{"third": 3}', "application/vc+ld+json")
    assert "max-age=30" in answer.headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (await service.get(path, if_none_match=answer.headers["etag"])).status_code == 304
    assert (await service.get(path, "application/vc+jwt")).text == "token.3.x"
    assert (await service.client.head(path)).status_code == 200


@pytest.mark.parametrize(
    ("why", "key", "awarded", "outcome"),
    [
        ("signed in the key's time, valid since long before", {"valid_from": at(-10)}, 5, "pass"),
        ("signed before the key's time", {"valid_from": at(30)}, 5, "fail"),
        ("signed in its time, replaced since", {"valid_until": at(30)}, 5, "pass"),
        ("signed after it was replaced", {"valid_until": at(30)}, 45, "fail"),
        ("signed before the key leaked", {"revoked_at": at(30)}, 5, "pass"),
        ("signed after the key leaked, dated before", {"revoked_at": at(30)}, 45, "fail"),
        ("nobody says when it was signed, and the key leaked", {"revoked_at": at(30)}, None, "fail"),
    ],
)
async def test_what_a_key_signed_stands_by_when_it_was_signed(
    service: Service, why: str, key: dict[str, Any], awarded: int | None, outcome: str
) -> None:
    """A stolen key cannot back-date: not what the badge says counts, but when awarding says that it signed it (B8)."""
    badge = badge_issued().model_copy(update={"awarded_at": None if awarded is None else at(awarded)})
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(**key), badge)
    page = (await service.get(f"/badges/{badge.badge_id}", "text/html")).text
    assert ("Not genuine" in page) == (outcome == "fail"), why

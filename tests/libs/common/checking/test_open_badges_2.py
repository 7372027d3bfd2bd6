"""Open Badges 2.0: the issuer's own site decides, and what is left out or wrong is told (OB 2.0, sections 3 and 4)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers

from libs.common.credentials.jwt import JwtSigner, compact_jws
from tests.libs.common.checking.world import PICTURE, World, reasons

SITE = "https://college.example"
V2 = "https://w3id.org/openbadges/v2"
ASSERTION: dict[str, Any] = {
    "@context": V2,
    "type": "Assertion",
    "id": f"{SITE}/a/1",
    "recipient": {"type": "email", "hashed": False, "identity": "ada@example.org"},
    "badge": f"{SITE}/badge",
    "issuedOn": "2026-01-05T00:00:00Z",
    "verification": {"type": "HostedBadge"},
}
BADGE: dict[str, Any] = {
    "@context": V2,
    "type": "BadgeClass",
    "id": f"{SITE}/badge",
    "name": "Robots",
    "description": "Builds robots.",
    "image": f"{SITE}/badge.svg",
    "criteria": {"narrative": "Build a robot."},
    "issuer": f"{SITE}/issuer",
}
ISSUER: dict[str, Any] = {
    "@context": V2,
    "type": "Issuer",
    "id": f"{SITE}/issuer",
    "name": "College",
    "url": SITE,
    "email": "badges@college.example",
}


def publish(world: World, assertion: Any = ASSERTION, badge: Any = BADGE, issuer: Any = ISSUER) -> None:
    world.put(f"{SITE}/a/1", assertion)
    world.put(f"{SITE}/badge", badge)
    world.put(f"{SITE}/issuer", issuer)
    world.put(f"{SITE}/badge.svg", PICTURE)


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


async def test_a_hosted_badge_is_genuine(world: World) -> None:
    publish(world)
    judgement = await world.judge(f"{SITE}/a/1".encode(), recipient="email:ada@example.org")
    assert judgement.answer == "genuine", reasons(judgement)


@pytest.mark.parametrize(
    ("which", "change", "reason"),
    [
        *((0, without(ASSERTION, name), "missing") for name in ("recipient", "badge", "issuedOn", "verification")),
        *((1, without(BADGE, name), "missing") for name in ("name", "description", "image", "criteria", "issuer")),
        *((2, without(ISSUER, name), "missing") for name in ("name", "url", "email")),
        (1, {**BADGE, "type": "Thing"}, "type"),
        (2, {**ISSUER, "email": "nobody"}, "wrong"),
        (1, {**BADGE, "image": f"{SITE}/missing.png"}, "linked-missing"),
        (1, {**BADGE, "image": f"{SITE}/issuer"}, "wrong"),
        (1, {**BADGE, "alignment": [{"targetName": "x"}]}, "missing"),
        (0, {**ASSERTION, "badge": f"{SITE}/missing"}, "linked-missing"),
        (1, {**BADGE, "id": f"{SITE}/other"}, "wrong"),
    ],
)
async def test_what_is_missing_or_wrong_is_told(world: World, which: int, change: Any, reason: str) -> None:
    documents: list[Any] = [ASSERTION, BADGE, ISSUER]
    documents[which] = change
    publish(world, *documents)
    judgement = await world.judge(f"{SITE}/a/1".encode())
    assert judgement.answer == "not-genuine"
    assert reasons(judgement)["schema"] == ("fail", reason)


async def test_nobody_hosts_for_another(world: World) -> None:
    """A stranger cannot give an honest issuer's name, nor bring a profile that allows the stranger's site."""
    publish(world)
    evil = "https://evil.example"
    forged = {**ASSERTION, "id": f"{evil}/a/1"}
    world.put(f"{evil}/a/1", forged)
    assert reasons(await world.judge(f"{evil}/a/1".encode()))["key"] == ("fail", "other-site")
    generous = {**ISSUER, "verification": {"allowedOrigins": ["college.example", "evil.example"]}}
    world.put(f"{evil}/a/1", {**forged, "badge": {**BADGE, "issuer": generous}})
    assert reasons(await world.judge(f"{evil}/a/1".encode()))["key"] == ("fail", "other-site")
    publish(world, issuer=generous)  # now the issuer's own site says so
    assert (await world.judge(f"{evil}/a/1".encode())).answer == "genuine"


async def test_a_site_that_is_away_leaves_the_answer_open(world: World) -> None:
    publish(world, badge={**BADGE, "issuer": "https://nowhere.invalid/issuer"})
    judgement = await world.judge(f"{SITE}/a/1".encode())
    assert judgement.answer == "cannot-tell"
    assert reasons(judgement)["schema"] == ("unknown", "linked-unreachable")


# A key for tests, from its primes; nothing else uses it.
_P = 2**1279 - 1
_Q = 2**2203 - 1
_PUBLIC = RSAPublicNumbers(65537, _P * _Q)
_D = pow(65537, -1, (_P - 1) * (_Q - 1))
SIGNER = JwtSigner(
    RSAPrivateNumbers(_Q, _P, _D, _D % (_Q - 1), _D % (_P - 1), pow(_P, -1, _Q), _PUBLIC).private_key(
        unsafe_skip_rsa_key_validation=True
    ),
    f"{SITE}/key",
)


@pytest.fixture
def signed(world: World) -> bytes:
    """A signed assertion of an issuer that publishes its key and its list."""
    publish(world, issuer={**ISSUER, "publicKey": [SIGNER.key_url], "revocationList": f"{SITE}/revoked"})
    world.put(
        SIGNER.key_url,
        {"@context": V2, "type": "CryptographicKey", "id": SIGNER.key_url, "owner": f"{SITE}/issuer",
         "publicKeyPem": SIGNER.public_pem()},
    )  # fmt: skip
    payload = {**ASSERTION, "verification": {"type": "SignedBadge", "creator": SIGNER.key_url}}
    return compact_jws({"alg": "RS256"}, payload, SIGNER).encode()


async def test_a_signed_badge_follows_its_revocation_list(world: World, signed: bytes) -> None:
    assert reasons(await world.judge(signed))["status"] == ("unknown", "status-missing")
    world.put(f"{SITE}/revoked", {"revokedAssertions": ["urn:x:other"]})
    assert (await world.judge(signed)).answer == "genuine"
    world.put(f"{SITE}/revoked", {"revokedAssertions": [{"id": f"{SITE}/a/1", "revocationReason": "x"}]})
    assert (await world.judge(signed)).sentence == "Genuine, but withdrawn"


async def test_a_signed_badge_needs_a_key_that_its_issuer_lists(world: World, signed: bytes) -> None:
    publish(world, issuer={**ISSUER, "publicKey": [f"{SITE}/another"]})
    assert reasons(await world.judge(signed))["key"] == ("fail", "unknown-key")
    publish(world, issuer={**ISSUER, "publicKey": [SIGNER.key_url]})
    world.put(SIGNER.key_url, {"owner": "https://evil.example", "publicKeyPem": SIGNER.public_pem()})
    assert reasons(await world.judge(signed))["key"] == ("fail", "key-of-another")


@pytest.mark.parametrize(
    ("member", "answer"),
    [({"exampleProperty": "x"}, "genuine"), ({"http://schema.org/text": "x"}, "genuine"), ({}, "not-genuine")],
)
async def test_a_registered_extension_has_what_its_schema_requires(
    world: World, member: dict[str, str], answer: str
) -> None:
    extension = {"type": ["Extension", "extensions:ExampleExtension"], **member}
    publish(world, {**ASSERTION, "extensions:exampleExtension": extension})
    assert (await world.judge(f"{SITE}/a/1".encode())).answer == answer

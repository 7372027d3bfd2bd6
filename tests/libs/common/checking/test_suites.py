"""Each way of signing that is checked: by signatures made here, from the standards' own words."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.common.checking.dialogue import Canonical, Canonicalise
from libs.common.checking.embedded import check_proofs
from libs.common.checking.notes import Notes
from libs.common.credentials import base58
from libs.common.credentials.canonical import canonical_nquads
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from libs.common.sandbox.jobs import canonical
from tests.libs.common.checking.world import World, reasons
from tests.libs.common.credentials.samples import published_json

ED25519, P256, P384 = (
    Ed25519PrivateKey.from_private_bytes(bytes(range(32))), derive_private_key(99, SECP256R1()),
    derive_private_key(99, SECP384R1()),
)  # fmt: skip
PREFIXES = {"Ed25519": b"\xed\x01", "P-256": b"\x80\x24", "P-384": b"\x81\x24"}
CONTEXTS = {
    "https://www.w3.org/2018/credentials/v1": "issuanceDate",
    CREDENTIALS_V2: "validFrom",
}
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
OLD = ["https://www.w3.org/2018/credentials/v1", OPEN_BADGES_3, "https://w3id.org/security/suites/ed25519-2020/v1"]


def multikey(key: Any) -> str:
    if isinstance(key, Ed25519PrivateKey):
        return "z" + base58.encode(PREFIXES["Ed25519"] + key.public_key().public_bytes_raw())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return "z" + base58.encode(PREFIXES["P-256" if key.key_size == 256 else "P-384"] + point)


def signature(key: Any, content: bytes) -> bytes:
    if not isinstance(key, EllipticCurvePrivateKey):
        return key.sign(content)
    size = key.key_size // 8
    first, second = decode_dss_signature(key.sign(content, ECDSA(SHA256() if size == 32 else SHA384())))
    return first.to_bytes(size) + second.to_bytes(size)


def badge(key: Any, suite: str, contexts: list[str]) -> dict[str, Any]:
    """A badge signed by `key`, which is its issuer too; several nodes without names, for the labels to matter."""
    did = f"did:key:{multikey(key)}"
    document: dict[str, Any] = {
        "@context": contexts,
        "id": "https://college.example/badges/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": did, "type": ["Profile"], "name": "Collège \u0001"},
        CONTEXTS[contexts[0]]: "2026-01-05T00:00:00Z",
        "name": "Badge",
        "credentialSubject": {
            "id": "urn:uuid:8e1a4c3c-2c8c-4f59-9f0b-5a1b6a1c0001",
            "type": ["AchievementSubject"],
            "creditsEarned": 5.5,
            "achievement": {
                "id": "https://college.example/achievements/1", "type": ["Achievement"], "name": "Badge",
                "description": "d", "criteria": {"narrative": "n"},
                "alignment": [
                    {"type": ["Alignment"], "targetName": name, "targetUrl": f"https://s.example/{name}"}
                    for name in ("a", "b", "c")
                ],
            },
        },
    }  # fmt: skip
    kind = {"type": suite} if suite.startswith("Ed") else {"type": "DataIntegrityProof", "cryptosuite": suite}
    options = {**kind, "created": "2026-01-05T00:00:00Z", "proofPurpose": "assertionMethod",
               "verificationMethod": f"{did}#{multikey(key)}"}  # fmt: skip
    if "jcs" in suite:
        options["@context"] = contexts
    proof = {**options, "proofValue": "z" + base58.encode(signature(key, to_sign(key, suite, document, options)))}
    return {**document, "proof": [proof]}


def to_sign(key: Any, suite: str, document: dict[str, Any], options: dict[str, Any]) -> bytes:
    wide = isinstance(key, EllipticCurvePrivateKey) and key.key_size == 384
    if "jcs" in suite:
        parts = [rfc8785.dumps(options), rfc8785.dumps(document)]
    else:
        whole = [{**options, "@context": document["@context"]}, document]
        parts = [text.encode() for text in canonical(whole, "SHA-384" if wide else "SHA-256")["texts"]]
    return b"".join(hashlib.new("sha384" if wide else "sha256", part).digest() for part in parts)


SUITES = [
    (ED25519, "eddsa-rdfc-2022", [CREDENTIALS_V2, OPEN_BADGES_3]),
    (ED25519, "eddsa-jcs-2022", [CREDENTIALS_V2, OPEN_BADGES_3]),
    (P256, "ecdsa-rdfc-2019", [CREDENTIALS_V2, OPEN_BADGES_3]),
    (P384, "ecdsa-rdfc-2019", [CREDENTIALS_V2, OPEN_BADGES_3]),
    (P256, "ecdsa-jcs-2019", [CREDENTIALS_V2, OPEN_BADGES_3]),
    (P384, "ecdsa-jcs-2019", [CREDENTIALS_V2, OPEN_BADGES_3]),
    (ED25519, "Ed25519Signature2020", OLD),
]


@pytest.mark.parametrize(
    ("key", "suite", "contexts"), SUITES, ids=lambda value: value if isinstance(value, str) else ""
)
async def test_a_suite_is_checked(world: World, key: Any, suite: str, contexts: list[str]) -> None:
    document = badge(key, suite, contexts)
    judgement = await world.judge(json.dumps(document).encode())
    assert judgement.answer == "genuine", reasons(judgement)
    document["name"] = "Something else"
    assert reasons(await world.judge(json.dumps(document).encode()))["proof"] == ("fail", "signature")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("vc-di-eddsa/eddsa-rdfc-2022/signedDataInt.json", "z6Mk"),
        ("vc-di-eddsa/eddsa-jcs-2022/signedJCS.json", "z6Mk"),
        ("vc-di-ecdsa/ecdsa-rdfc-2019-p256/signedECDSAP256.json", "zDna"),
        ("vc-di-ecdsa/ecdsa-jcs-2019-p256/signedJCSECDSAP256.json", "zDna"),
    ],
    ids=lambda value: value.split("/")[1] if "/" in value else "",
)
def test_the_published_vectors_hold(path: str, method: str) -> None:
    """They are signed by a key that is not their issuer's, and by a vocabulary for examples: so only the proof."""
    examples = {EXAMPLES: published_json("contexts/credentials-examples-v2.json")}
    document = published_json(f"vectors/{path}")
    controller = document["proof"]["verificationMethod"].partition("#")[0]
    assert controller.startswith(f"did:key:{method}")
    for name, outcome in (("Alumni Credential", "pass"), ("Better", "fail")):
        notes = Notes()
        asking = check_proofs({**document, "name": name}, controller, notes, datetime.now(UTC))
        with suppress(StopIteration):
            question = next(asking)
            while True:
                assert isinstance(question, Canonicalise)
                texts = tuple(canonical_nquads(asked, examples) for asked in question.documents)
                question = asking.send(Canonical(texts))
        assert notes.outcome("proof") == outcome


async def test_a_suite_is_for_one_kind_of_key(world: World) -> None:
    document = badge(P256, "ecdsa-rdfc-2019", [CREDENTIALS_V2, OPEN_BADGES_3])
    document["proof"][0]["cryptosuite"] = "eddsa-rdfc-2022"
    assert reasons(await world.judge(json.dumps(document).encode()))["proof"] == ("fail", "signature")


async def test_every_proof_of_several_must_hold(world: World) -> None:
    document = badge(ED25519, "eddsa-rdfc-2022", [CREDENTIALS_V2, OPEN_BADGES_3])
    twice = {**document, "proof": document["proof"] * 2}
    assert (await world.judge(json.dumps(twice).encode())).answer == "genuine"
    spoilt = {**document["proof"][0], "created": "2026-01-06T00:00:00Z"}
    assert (await world.judge(json.dumps({**document, "proof": [*document["proof"], spoilt]}).encode())).answer == (
        "not-genuine"
    )


@pytest.mark.parametrize(
    ("change", "outcome", "reason"),
    [
        ({"cryptosuite": "bbs-2023"}, "unknown", "selective"),
        ({"cryptosuite": "unheard-of-2031"}, "unknown", "cryptosuite"),
        ({"type": "RsaSignature2018"}, "unknown", "proof-type"),
        ({"proofPurpose": "authentication"}, "fail", "proof-purpose"),
        ({"created": "yesterday"}, "fail", "created"),
        ({"expires": "2026-01-06T00:00:00Z"}, "fail", "expired-proof"),
        ({"proofValue": "z0OIl"}, "fail", "proof-value"),
        ({"proofValue": "uAAAA"}, "fail", "proof-value"),
        ({"verificationMethod": "key-1"}, "fail", "verification-method"),
        ({"previousProof": "urn:x:1"}, "fail", "proof-member"),
    ],
)
async def test_an_odd_proof_is_told_apart(world: World, change: dict[str, str], outcome: str, reason: str) -> None:
    document = badge(ED25519, "eddsa-rdfc-2022", [CREDENTIALS_V2, OPEN_BADGES_3])
    document["proof"][0].update(change)
    assert reasons(await world.judge(json.dumps(document).encode()))["proof"] == (outcome, reason)

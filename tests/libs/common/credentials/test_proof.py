"""Proofs: published vectors hold, other people's libraries agree, and nothing altered passes (M1.39, issue 3: 4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from openbadgeslib.ob3.ldp import OB3LdpVerifier, OB3VerificationError
from pyld import jsonld

from libs.common.credentials import base58
from libs.common.credentials.canonical import NotCanonical, canonical_nquads
from libs.common.credentials.contexts import context
from libs.common.credentials.identifiers import did_web_url
from libs.common.credentials.issue import Template
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document, public_key_of_multikey
from libs.common.credentials.model import AchievementTerms, Claim
from libs.common.credentials.proof import ProofResult, sign, verify_proof
from libs.common.credentials.shape import Shapes
from tests.libs.common.credentials.samples import (
    CLAIM,
    FULL_CLAIM,
    FULL_TERMS,
    ISSUER,
    SIGNER,
    TERMS,
    key_in_name,
    published,
    published_json,
)

FULL = Template(ISSUER, FULL_TERMS).issue(FULL_CLAIM, SIGNER).credential
PLAIN = Template(ISSUER, TERMS).issue(CLAIM, SIGNER).credential


def verify(document: Any) -> ProofResult:
    """The result for a document or its bytes, with the issuer's own key."""
    content = document if isinstance(document, bytes) else orjson.dumps(document)
    return verify_proof(content, {SIGNER.verification_method: SIGNER.public_key}.get)


@pytest.mark.parametrize("content", [PLAIN, FULL], ids=["plain", "full"])
def test_what_we_sign_holds(content: bytes) -> None:
    result = verify(content)
    assert result.ok, result
    assert result.verification_method == SIGNER.verification_method


# Published vectors


def test_the_published_vector_of_the_cryptosuite() -> None:
    folder = "vectors/vc-di-eddsa/eddsa-rdfc-2022/"
    examples = "https://www.w3.org/ns/credentials/examples/v2"
    extra = {examples: published_json("contexts/credentials-examples-v2.json")}
    signed = published_json(folder + "signedDataInt.json")
    document = {name: value for name, value in signed.items() if name != "proof"}
    options = published_json(folder + "proofConfigDataInt.json")
    assert canonical_nquads(document, extra) == published(folder + "canonDocDataInt.txt").read_text()
    assert canonical_nquads(options, extra) == published(folder + "proofCanonDataInt.txt").read_text()
    result = verify_proof(orjson.dumps(signed), key_in_name, any_controller=True, extra_contexts=extra)
    assert result.ok, result
    # Its key is not the issuer's, so it proves nothing about the issuer.
    assert verify_proof(orjson.dumps(signed), key_in_name, extra_contexts=extra).fault == "key-of-another"


def test_the_published_vector_of_open_badges() -> None:
    vector = published_json("vectors/1edtech-ob3/vector.json")
    signed = published_json("vectors/1edtech-ob3/signed.json")
    document = {name: value for name, value in signed.items() if name != "proof"}
    signer = LocalSigner(bytes.fromhex(vector["secretKeyHex"])[:32], signed["issuer"]["id"])
    assert signer.public_key.hex() == vector["publicKeyHex"]
    assert signer.verification_method == vector["verificationMethod"]
    canonical = canonical_nquads(document)
    assert hashlib.sha256(canonical.encode()).hexdigest() == vector["documentHash"]
    ours = sign(document, signer, datetime(2010, 1, 1, 19, 23, 24, tzinfo=UTC), Shapes())
    assert ours.document["proof"] == [signed["proof"]]
    assert verify_proof(orjson.dumps(signed), key_in_name).ok


def key_on_the_web(method: str) -> bytes | None:
    """A key that names itself, or one that the fixtures' internet has in its issuer's document."""
    if not method.startswith("did:web:"):
        return key_in_name(method)
    controller = published_json("fixtures/ob3/web/" + did_web_url(method.partition("#")[0]).removeprefix("https://"))
    [found] = [entry for entry in controller["verificationMethod"] if entry["id"] == method]
    return public_key_of_multikey(found["publicKeyMultibase"])


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("ok-didkey-rdfc", None),
        ("ok-didweb-rdfc", None),
        ("ok-https-issuer-rdfc", None),
        ("ok-full", None),
        ("ok-subject-hashed-email", None),
        ("bad-tampered-name", "signature"),
        ("bad-undefined-term", "undefined-term"),
        ("bad-no-proof", "no-proof"),
        ("bad-issuer-mismatch", "key-of-another"),
        ("ok-didkey-jcs", "cryptosuite"),  # a good proof of a kind that this verifier does not speak
    ],
)
def test_credentials_of_other_issuers(name: str, fault: str | None) -> None:
    content = published(f"fixtures/ob3/creds/{name}.json").read_bytes()
    assert verify_proof(content, key_on_the_web).fault == fault


# Judged by libraries that we did not write


def resolve(url: str) -> bytes:
    """The only document on this internet: the issuer's."""
    assert url == did_web_url(ISSUER.id)
    return orjson.dumps(did_document(ISSUER.id, [PublishedKey(SIGNER.public_key)]))


@pytest.mark.parametrize(("terms", "claim"), [(TERMS, CLAIM), (FULL_TERMS, FULL_CLAIM)], ids=["plain", "full"])
def test_openbadgeslib_accepts_it(terms: AchievementTerms, claim: Claim) -> None:
    # PyLD, on which it stands, escapes control characters in another way than RDFC-1.0 does.
    claim = replace(claim, evidence=tuple(entry for entry in claim.evidence if "\x00" not in (entry.narrative or "")))
    content = Template(ISSUER, terms).issue(claim, SIGNER).credential
    badge = OB3LdpVerifier.for_issuer_did(ISSUER.id).verify(content, download=resolve)
    assert badge.issuer.id == ISSUER.id


def test_openbadgeslib_refuses_it_altered() -> None:
    with pytest.raises(OB3VerificationError):
        OB3LdpVerifier.for_issuer_did(ISSUER.id).verify(PLAIN.replace(b"AAA", b"AAB"), download=resolve)


def test_pyld_and_a_bare_ed25519_accept_it() -> None:
    document = json.loads(PLAIN)
    [proof] = document.pop("proof")
    signature = base58.decode(proof.pop("proofValue")[1:])

    def load(url: str, options: Any) -> dict[str, Any]:
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": context(url)}

    def digest(value: dict[str, Any]) -> bytes:
        options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
        return hashlib.sha256(jsonld.normalize(value, options).encode()).digest()

    signed = digest({"@context": document["@context"], **proof}) + digest(document)
    Ed25519PublicKey.from_public_bytes(SIGNER.public_key).verify(signature, signed)


# Nothing altered passes


def test_every_single_byte_counts() -> None:
    passed = [
        (position, PLAIN[position : position + 1])
        for position in range(len(PLAIN))
        if verify(PLAIN[:position] + bytes([PLAIN[position] ^ 1]) + PLAIN[position + 1 :]).ok
    ]
    assert passed == []


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in `node` that is no object or array."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for name, value in members for found in leaves(value, (*path, name))] or [path]


def altered(path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """The full credential after `change(parent, last step of path)`."""
    document = json.loads(FULL)
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    change(parent, path[-1])
    return document


@pytest.mark.parametrize("path", leaves(json.loads(FULL)), ids=lambda path: ".".join(map(str, path)))
def test_every_field_counts(path: tuple[Any, ...]) -> None:
    def change(parent: Any, last: Any) -> None:
        value = parent[last]
        parent[last] = not value if isinstance(value, bool) else value + 1 if isinstance(value, float) else f"{value}x"

    def remove(parent: Any, last: Any) -> None:
        del parent[last]

    assert not verify(altered(path, change)).ok
    assert not verify(altered(path, remove)).ok


TAMPERED: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
    ("another name", "signature", lambda d: d.update(name="Module CCC")),
    ("another learner", "signature", lambda d: d["credentialSubject"].update(id="did:example:mallory")),
    ("a longer life", "signature", lambda d: d.update(validUntil="2099-01-01T00:00:00Z")),
    ("other proof date", "signature", lambda d: d["proof"][0].update(created="2014-02-01T09:30:01Z")),
    ("an undefined term", "undefined-term", lambda d: d.update(grade="A")),
    ("an undefined term within", "undefined-term", lambda d: d["issuer"].update(rector="M")),
    ("an undefined type", "undefined-term", lambda d: d["type"].append("Diploma")),
    ("an undefined term in the proof", "proof-member", lambda d: d["proof"][0].update(note="x")),
    ("a relative id", "undefined-term", lambda d: d.update(id="badges/1")),
    ("a second proof", "several-proofs", lambda d: d["proof"].append(d["proof"][0])),
    ("no proof", "no-proof", lambda d: d.pop("proof")),
    ("an empty proof", "no-proof", lambda d: d.update(proof=[])),
    ("a proof that is a text", "no-proof", lambda d: d.update(proof=["proof"])),
    ("another purpose", "proof-purpose", lambda d: d["proof"][0].update(proofPurpose="authentication")),
    ("another suite", "cryptosuite", lambda d: d["proof"][0].update(cryptosuite="eddsa-2022")),
    ("another proof type", "proof-type", lambda d: d["proof"][0].update(type="Ed25519Signature2020")),
    ("a date without a zone", "created", lambda d: d["proof"][0].update(created="2014-02-01T09:30:00")),
    ("somebody else's key", "key-of-another", lambda d: d["proof"][0].update(verificationMethod="did:web:m.example#k")),
    ("an unpublished key", "unknown-key", lambda d: d["proof"][0].update(verificationMethod=ISSUER.id + "#k")),
    ("no key", "verification-method", lambda d: d["proof"][0].pop("verificationMethod")),
    ("a short signature", "proof-value", lambda d: d["proof"][0].update(proofValue="z111")),
    ("a signature in another alphabet", "proof-value", lambda d: d["proof"][0].update(proofValue="z0OIl")),
    ("no signature", "proof-value", lambda d: d["proof"][0].pop("proofValue")),
    ("an unknown context", "unknown-context", lambda d: d["@context"].append("https://m.example/context")),
    ("a context of its own", "unknown-context", lambda d: d["@context"].append({"name": "urn:x"})),
    ("a context within", "unknown-context", lambda d: d["issuer"].update({"@context": {"name": None}})),
    ("a hidden index", "keyword", lambda d: d["issuer"].update({"@index": "x"})),
    ("a reversed statement", "keyword", lambda d: d.update({"@reverse": {"name": {"id": "urn:x:y"}}})),
    ("one more graph", "keyword", lambda d: d.update({"@graph": []})),
]


@pytest.mark.parametrize(("why", "fault", "tamper"), TAMPERED, ids=[why for why, _, _ in TAMPERED])
def test_tampering_is_refused_by_its_name(why: str, fault: str, tamper: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(PLAIN)
    tamper(document)
    result = verify(document)
    assert (result.fault, result.ok) == (fault, False)
    assert result.detail


@pytest.mark.parametrize(
    ("why", "fault", "content"),
    [
        ("no JSON", "malformed", b"badge"),
        ("no object", "malformed", b"[]"),
        ("no UTF-8", "malformed", b'{"name": "\xff"}'),
        ("half a surrogate pair", "malformed", PLAIN.replace(b"AAA", b"\\ud800")),
        ("a key twice", "malformed", PLAIN.replace(b'{"@context"', b'{"name":"Module CCC","@context"', 1)),
        ("not a number", "malformed", PLAIN.replace(b'"Module AAA"', b"NaN")),
        ("too large", "too-large", b" " * 300_000),
        ("too deep", "too-deep", PLAIN[:-1] + b',"evidence":' + b"[" * 40 + b"]" * 40 + b"}"),
        ("deep beyond any stack", "malformed", b"[" * 100_000),
        ("too many values", "too-many-nodes", PLAIN[:-1] + b',"evidence":[' + b",".join([b"1"] * 3000) + b"]}"),
    ],
)
def test_hostile_bytes_are_refused(why: str, fault: str, content: bytes) -> None:
    assert verify(content).fault == fault


def test_a_graph_that_would_take_for_ever_is_refused() -> None:
    # Blank nodes that all point at each other: RDFC-1.0, section 7.1.
    names = [f"_:n{number}" for number in range(12)]
    evidence = [
        {
            "id": name,
            "type": ["Evidence"],
            "endorsement": [{"id": other} for other in names if other != name],
        }
        for name in names
    ]
    assert verify({**json.loads(PLAIN), "evidence": evidence}).fault == "too-many-alike"


# Signing


def test_signing_is_deterministic_and_leaves_the_document_alone() -> None:
    again = Template(ISSUER, FULL_TERMS)
    again.issue(CLAIM, SIGNER)
    assert again.issue(FULL_CLAIM, SIGNER).credential == FULL


def test_a_document_with_an_undefined_term_is_never_signed() -> None:
    document = json.loads(PLAIN)
    del document["proof"]
    with pytest.raises(NotCanonical, match="grade"):
        sign({**document, "grade": "A"}, SIGNER, CLAIM.valid_from, Shapes())


def test_a_signed_document_is_not_signed_again() -> None:
    with pytest.raises(ValueError, match="proof"):
        sign(json.loads(PLAIN), SIGNER, CLAIM.valid_from, Shapes())

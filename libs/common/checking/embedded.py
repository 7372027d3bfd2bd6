"""Proofs within a credential: Data Integrity with five cryptosuites, and Ed25519Signature2020 before it.

eddsa-rdfc-2022 and eddsa-jcs-2022 (VC-DI-EdDSA 1.0); ecdsa-rdfc-2019, ecdsa-jcs-2019 and ecdsa-sd-2023 (VC-DI-ECDSA
1.0), the last one in `selective`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.common.checking.dates import instant_of
from libs.common.checking.dialogue import Asking, Canonical, Hash, Json, canonicalise
from libs.common.checking.issuance import note_withdrawn_key
from libs.common.checking.notes import Notes
from libs.common.checking.public_keys import AnyKey, IssuerKey, Unknown, holds, key_of_method
from libs.common.checking.selective import SUITE as SELECTIVE
from libs.common.checking.selective import Disclosed, disclosure_fault, read_disclosed
from libs.common.checking.strict import Fault, array, objects
from libs.common.credentials import base58

_SUITES = frozenset({"eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019", SELECTIVE})
# The other suite by which a holder leaves parts out (VC-DI-BBS 1.0): known, and not checked.
_BBS = "bbs-2023"
_OLD_TYPE = "Ed25519Signature2020"
_MEMBERS = frozenset(
    {
        "id", "type", "cryptosuite", "created", "expires", "verificationMethod", "proofPurpose", "proofValue",
        "@context", "domain", "challenge", "nonce",
    }
)  # fmt: skip
_MAX_PROOFS = 3
_PROBLEMS_OF_SHAPE = frozenset(
    {"unknown-context", "undefined-term", "disguised-term", "keyword", "json-ld", "not-an-iri"}
)
_UNDECIDED = frozenset({"unknown-context", "too-costly", "too-many-alike"})


@dataclass(frozen=True, slots=True)
class _Proof:
    options: Json
    method: str
    signature: bytes | Disclosed
    suite: str


def check_proofs(document: Json, issuer: str, notes: Notes, now: datetime) -> Asking[None]:
    """Note under `proof` and `key` whether every proof of `document` is the issuer's and holds."""
    proofs = objects(document.get("proof"))
    if not proofs or len(proofs) != len(array(document.get("proof"))):
        notes.bad("proof", "no-proof")
        return
    if len(proofs) > _MAX_PROOFS:
        notes.unknown("proof", "several-proofs", len(proofs))
        return
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    for given in proofs:
        proof = _read_proof(given, now)
        if isinstance(proof, Fault):
            known = proof.reason not in ("cryptosuite", "proof-type", "selective", *_UNDECIDED)
            (notes.bad if known else notes.unknown)("proof", *proof)
            return
        yield from _check_one(unsecured, proof, issuer, notes)


def _check_one(unsecured: Json, proof: _Proof, issuer: str, notes: Notes) -> Asking[None]:
    published = yield from key_of_method(proof.method, issuer)
    if not isinstance(published, IssuerKey):
        (notes.unknown if isinstance(published, Unknown) else notes.bad)("key", published.reason, published.more)
        # What the vocabularies do not define is told even while the key is away.
        if isinstance(published, Unknown) and ("rdfc" in proof.suite or proof.suite == SELECTIVE):
            _note_refusal(notes, (yield from canonicalise(unsecured)))
        return
    wrong = yield from _proof_fault(unsecured, proof, published.key)
    if wrong is not None:
        _note_fault(notes, wrong)
        return
    notes.good("proof", "disclosed" if proof.suite == SELECTIVE else "")
    fault = published.fault_at(instant_of(proof.options.get("created")))
    if fault:
        notes.bad("key", fault, proof.method)
    elif published.revoked_at is not None:
        yield from note_withdrawn_key(
            unsecured, issuer, published.revoked_at, notes, whole=not isinstance(proof.signature, Disclosed)
        )
    else:
        notes.good("key")


def _proof_fault(unsecured: Json, proof: _Proof, key: AnyKey) -> Asking[Fault | None]:
    """Why the proof does not hold by `key`, or None if it does."""
    if isinstance(proof.signature, Disclosed):
        texts = yield from _texts(unsecured, proof, "SHA-256")
        if isinstance(texts, Fault):
            return texts
        if not isinstance(key, EllipticCurvePublicKey) or not suits(proof.suite, key):
            return Fault("signature", "expected a P-256 key")
        return disclosure_fault(proof.signature, *texts, key)
    hashed = yield from _hash(unsecured, proof, key)
    if isinstance(hashed, Fault):
        return hashed
    good = suits(proof.suite, key) and holds(key, proof.signature, hashed)
    return None if good else Fault("signature", "")


def _note_refusal(notes: Notes, answer: object) -> None:
    if not isinstance(answer, Canonical):
        _note_fault(notes, Fault(getattr(answer, "reason", "malformed"), getattr(answer, "detail", "")))


def _note_fault(notes: Notes, fault: Fault) -> None:
    check = "schema" if fault.reason in _PROBLEMS_OF_SHAPE else "proof"
    (notes.unknown if fault.reason in _UNDECIDED else notes.bad)(check, *fault)


def _read_proof(proof: Json, now: datetime) -> _Proof | Fault:
    suite = str(proof.get("cryptosuite")) if proof.get("type") == "DataIntegrityProof" else str(proof.get("type"))
    fault = _suite_fault(proof, suite) or _options_fault(proof, now)
    if fault:
        return fault
    signature = (read_disclosed if suite == SELECTIVE else _read_signature)(proof.get("proofValue"))
    if isinstance(signature, Fault):
        return signature
    options = {name: told for name, told in proof.items() if name != "proofValue"}
    return _Proof(options, str(proof["verificationMethod"]), signature, suite)


def _read_signature(value: object) -> bytes | Fault:
    if not isinstance(value, str) or not value.startswith("z") or len(value) > 200:
        return Fault("proof-value", "expected a base58btc multibase text")
    try:
        return base58.decode(value[1:])
    except ValueError as error:
        return Fault("proof-value", str(error))


def _suite_fault(proof: Json, suite: str) -> Fault | None:
    if proof.get("type") not in ("DataIntegrityProof", _OLD_TYPE):
        return Fault("proof-type", str(proof.get("type"))[:80])
    if suite == _BBS:
        return Fault("selective", suite)
    return None if suite in _SUITES or suite == _OLD_TYPE else Fault("cryptosuite", suite[:80])


def _options_fault(proof: Json, now: datetime) -> Fault | None:
    more = next((name for name in proof if name not in _MEMBERS), None)
    method, created, expires = proof.get("verificationMethod"), proof.get("created"), proof.get("expires")
    if more is not None:
        return Fault("proof-member", more[:80])
    if proof.get("proofPurpose") != "assertionMethod":
        return Fault("proof-purpose", str(proof.get("proofPurpose"))[:80])
    if created is not None and instant_of(created) is None:
        return Fault("created", str(created)[:80])
    if expires is not None and (instant_of(expires) or now) <= now:
        return Fault("expired-proof", str(expires)[:80])
    named = isinstance(method, str) and ":" in method
    return None if named else Fault("verification-method", str(method)[:80])


def _hash(unsecured: Json, proof: _Proof, key: AnyKey) -> Asking[bytes | Fault]:
    """What the key signed: the hash of the options before the hash of the document."""
    wide = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP384R1)
    algorithm: Hash = "SHA-384" if wide else "SHA-256"
    digest = hashlib.sha384 if wide else hashlib.sha256
    if "jcs" in proof.suite:
        return _jcs_hash(unsecured, proof, digest)
    texts = yield from _texts(unsecured, proof, algorithm)
    if isinstance(texts, Fault):
        return texts
    return b"".join(digest(text.encode()).digest() for text in texts)


def _texts(unsecured: Json, proof: _Proof, algorithm: Hash) -> Asking[tuple[str, str] | Fault]:
    """The canonical forms of the proof's options and of the document."""
    options = {**proof.options, "@context": unsecured.get("@context")}
    answer = yield from canonicalise(options, unsecured, algorithm=algorithm)
    if not isinstance(answer, Canonical):
        return Fault(answer.reason, answer.detail)
    first, second = answer.texts
    return first, second


def _jcs_hash(unsecured: Json, proof: _Proof, digest: Any) -> bytes | Fault:
    # VC-DI-EdDSA 1.0, section 3.3.2: the document's contexts must begin with those of the proof.
    given, own = array(proof.options.get("@context")), array(unsecured.get("@context"))
    if given and own[: len(given)] != given:
        return Fault("context", "expected the contexts of the proof first")
    document = {**unsecured, "@context": proof.options["@context"]} if given else unsecured
    return digest(rfc8785.dumps(proof.options)).digest() + digest(rfc8785.dumps(document)).digest()


def suits(suite: str, key: AnyKey) -> bool:
    """Whether a cryptosuite is for the kind of `key`."""
    if suite == SELECTIVE:
        return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    wants_curve = suite.startswith("ecdsa")
    return isinstance(key, EllipticCurvePublicKey if wants_curve else Ed25519PublicKey)

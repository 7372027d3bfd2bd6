"""Data Integrity proofs with the cryptosuite `eddsa-rdfc-2022` (VC Data Integrity 1.0; VC-DI-EdDSA 1.0)."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.common.credentials import base58
from libs.common.credentials.canonical import Json, NotCanonical, canonical_nquads, parse_json
from libs.common.credentials.documents import instant
from libs.common.credentials.keys import Signer
from libs.common.credentials.shape import Shapes

CRYPTOSUITE = "eddsa-rdfc-2022"

# XML Schema 1.1 dateTimeStamp, as VC Data Integrity 1.0, section 2.1, wants for `created`.
_DATE_TIME_STAMP = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_PROOF_MEMBERS = frozenset(
    {"id", "type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue", "@context"}
)

Fault = Literal[
    "too-large",  # see canonical.py for the first eight
    "malformed",
    "too-deep",
    "too-many-nodes",
    "too-many-alike",
    "keyword",
    "unknown-context",
    "undefined-term",
    "json-ld",
    "not-an-iri",
    "no-proof",
    "several-proofs",
    "proof-type",
    "cryptosuite",
    "proof-member",
    "proof-purpose",
    "created",
    "proof-value",
    "verification-method",
    "key-of-another",
    "unknown-key",
    "signature",
]


class Signed(NamedTuple):
    """A document with its proof, and whether a compiled shape made its canonical form."""

    document: Json
    compiled: bool


@dataclass(frozen=True, slots=True)
class ProofResult:
    """The outcome of checking a proof: `fault` is None if it holds, else a code; `detail` says more to people.

    `verification_method` and `created` are what the proof says, as far as it was read.
    """

    fault: Fault | None
    detail: str
    verification_method: str | None = None
    created: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the proof holds."""
        return self.fault is None


def sign(document: Json, signer: Signer, created: datetime, shapes: Shapes) -> Signed:
    """`document` with a proof made at the instant `created` (VC-DI-EdDSA 1.0, section 3.2.1).

    Deterministic. `shapes` should be kept for documents of one kind. Raises `NotCanonical` if the document has
    an undefined term or is otherwise not fit to be signed, `ValueError` if it has a proof already.
    """
    content = shapes.canonical(document)
    return Signed(sign_canonical(document, content.text, signer, created), content.compiled)


def sign_canonical(document: Json, text: str, signer: Signer, created: datetime) -> Json:
    """`document` with a proof as `sign` makes it; `text` is its canonical N-Quads, made elsewhere.

    Raises `ValueError` if the document has a proof already, `NotCanonical` if its contexts are not known.
    """
    if "proof" in document:
        raise ValueError("document: expected one without a proof")
    proof = _proof(signer.verification_method, instant(created))
    before, after = _options(tuple(document["@context"]), signer.verification_method)
    options = before + proof["created"] + after
    proof["proofValue"] = "z" + base58.encode(signer.sign(_to_sign(options, text)))
    # An array of one: the formal JSON schema of Open Badges 3.0 accepts nothing else.
    return {**document, "proof": [proof]}


def verify_proof(
    content: bytes,
    public_key_of: Callable[[str], bytes | None],
    *,
    any_controller: bool = False,
    extra_contexts: Mapping[str, Json] | None = None,
    shapes: Shapes | None = None,
) -> ProofResult:
    """Whether the one proof in the JSON document `content` holds (VC-DI-EdDSA 1.0, section 3.2.2).

    `public_key_of` gives the raw 32-byte Ed25519 key of a verification method, or None if it knows none.
    `any_controller` takes a key that is not the issuer's (published vectors need that; trust none such).
    `extra_contexts` widens the pinned contexts. `shapes` makes the canonical forms a hundred times faster: only for
    documents of our own making, whose forms are proved to be the same (`shape`). No exception for a bad document:
    the result says what is wrong.
    """
    try:
        document = parse_json(content)
        proof = _only_proof(document)
        method = _checked_method(document, proof, any_controller)
        signature = _signature(proof)
        options = {name: value for name, value in proof.items() if name != "proofValue"}
        options["@context"] = document.get("@context")
        unsecured = {name: value for name, value in document.items() if name != "proof"}
        if shapes is None:
            hashed = _to_sign(canonical_nquads(options, extra_contexts), canonical_nquads(unsecured, extra_contexts))
        else:
            hashed = _to_sign(shapes.canonical(options).text, shapes.canonical(unsecured).text)
    except NotCanonical as refusal:
        return ProofResult(cast(Fault, refusal.reason), refusal.detail)
    key = public_key_of(method)
    if key is None:
        return ProofResult("unknown-key", f"expected a key published as {method}", method)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, hashed)
    except InvalidSignature:
        return ProofResult("signature", "the document is not what was signed, or not by this key", method)
    return ProofResult(None, "the signature holds", method, str(proof.get("created")))


@lru_cache(maxsize=256)
def _options(contexts: tuple[str, ...], method: str) -> tuple[str, str]:
    """The canonical proof options of a key, before and after the instant: nothing else in them varies.

    They are about one blank node, each statement has a property of its own: the order stays as it is.
    """
    mark = "0000-00-00T00:00:00Z"
    options = {**_proof(method, mark), "@context": list(contexts)}
    before, after = canonical_nquads(options).split(mark)
    return before, after


def _proof(method: str, created: str) -> Json:
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": created,
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }


def _to_sign(options: str, content: str) -> bytes:
    # VC-DI-EdDSA 1.0, section 3.2.4: the hash of the options comes first.
    return hashlib.sha256(options.encode()).digest() + hashlib.sha256(content.encode()).digest()


def _only_proof(document: Json) -> Json:
    proofs = document.get("proof")
    if isinstance(proofs, dict):
        return cast(Json, proofs)
    if not isinstance(proofs, list) or not proofs:
        raise NotCanonical("no-proof", "expected a proof")
    entries = cast(list[Any], proofs)
    if len(entries) > 1:
        raise NotCanonical("several-proofs", f"expected one proof, found {len(entries)}")
    if not isinstance(entries[0], dict):
        raise NotCanonical("no-proof", "expected the proof to be an object")
    return cast(Json, entries[0])


def _checked_method(document: Json, proof: Json, any_controller: bool) -> str:
    """The proof's verification method, once all that is said around it is as it must be."""
    _require(proof, "type", "DataIntegrityProof", "proof-type")
    _require(proof, "cryptosuite", CRYPTOSUITE, "cryptosuite")
    _require(proof, "proofPurpose", "assertionMethod", "proof-purpose")
    unknown = sorted(proof.keys() - _PROOF_MEMBERS)
    if unknown:
        raise NotCanonical("proof-member", f"expected none but known members, found {unknown[0][:80]!r}")
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise NotCanonical("proof-member", "expected the proof to have the document's contexts")
    created = proof.get("created")
    if created is not None and not (isinstance(created, str) and _DATE_TIME_STAMP.fullmatch(created)):
        raise NotCanonical("created", f"expected an instant with its zone, found {str(created)[:80]!r}")
    method = proof.get("verificationMethod")
    if not isinstance(method, str):
        raise NotCanonical("verification-method", "expected the address of a key")
    issuer = document.get("issuer")
    issuer_id = cast(Json, issuer).get("id") if isinstance(issuer, dict) else issuer
    # OB 3.0 certification, EmbeddedProofProbe: the key must be the issuer's own.
    if not any_controller and method.partition("#")[0] != issuer_id:
        raise NotCanonical("key-of-another", f"expected a key of {issuer_id}, found {method[:200]}")
    return method


def _require(proof: Json, member: str, expected: str, fault: Fault) -> None:
    if proof.get(member) != expected:
        raise NotCanonical(fault, f"expected {member} {expected!r}, found {str(proof.get(member))[:80]!r}")


def _signature(proof: Json) -> bytes:
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > 100:
        raise NotCanonical("proof-value", "expected a base58btc multibase text")
    try:
        signature = base58.decode(value[1:])
    except ValueError as error:
        raise NotCanonical("proof-value", str(error)) from None
    if len(signature) != 64:
        raise NotCanonical("proof-value", f"expected 64 bytes, found {len(signature)}")
    return signature

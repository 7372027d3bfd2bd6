"""An issuer and a holder for tests: base proofs of `ecdsa-sd-2023`, and what is derived from them.

VC-DI-ECDSA 1.0, sections 3.4 and 3.5, in few words and without care for speed. The verifier under test shares the way
to canonical N-Quads with it, and the names of unnamed nodes come from another library.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyld import jsonld
from pyld.canon import URDNA2015

from libs.common.credentials import base58, nquads
from libs.common.credentials.canonical import canonical_nquads
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3

Json = dict[str, Any]
KEY, OWN_KEY = derive_private_key(2023, SECP256R1()), derive_private_key(99, SECP256R1())
HMAC_KEY = bytes(range(32))
START = datetime(2026, 1, 5, tzinfo=UTC)
BASE, DERIVED = b"\xd9\x5d\x00", b"\xd9\x5d\x01"
_URN = "urn:node:"

# What Open Badges 3.0 requires, and what says how long the badge holds.
MANDATORY = (
    "/issuer", "/validFrom", "/validUntil", "/credentialStatus", "/credentialSubject/id",
    "/credentialSubject/achievement/name", "/credentialSubject/achievement/description",
    "/credentialSubject/achievement/criteria",
)  # fmt: skip
OPTIONAL = (
    "/name", "/credentialSubject/creditsEarned", "/credentialSubject/result/0", "/credentialSubject/result/1",
    "/credentialSubject/achievement/alignment/0", "/credentialSubject/achievement/alignment/1",
    "/credentialSubject/achievement/tag",
)  # fmt: skip


def multikey(key: EllipticCurvePrivateKey) -> bytes:
    """The public key as the bytes of a Multikey."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return (b"\x80\x24" if key.key_size == 256 else b"\x81\x24") + point


def did_of(key: EllipticCurvePrivateKey) -> str:
    """The did:key of a key."""
    return f"did:key:z{base58.encode(multikey(key))}"


def signature(key: EllipticCurvePrivateKey, content: bytes) -> bytes:
    """r and s, one after the other."""
    size = key.key_size // 8
    first, second = decode_dss_signature(key.sign(content, ECDSA(SHA256(), deterministic_signing=True)))
    return first.to_bytes(size) + second.to_bytes(size)


def badge(key: EllipticCurvePrivateKey = KEY, results: str = "cd", **members: Any) -> Json:
    """A badge without a proof, over which `members` are laid.

    Its results have no ids, and are told apart only by what they are aligned with: by a letter of `results` each.
    """
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "id": "https://college.example/badges/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": did_of(key), "type": ["Profile"], "name": "Collège"},
        "validFrom": "2026-01-05T00:00:00Z",
        "name": "Badge",
        "credentialSubject": {
            "id": "urn:uuid:8e1a4c3c-2c8c-4f59-9f0b-5a1b6a1c0001",
            "type": ["AchievementSubject"],
            "creditsEarned": 5.5,
            "result": [
                {"type": ["Result"], "status": "Completed", "alignment": [_alignment(name)]} for name in results
            ],
            "achievement": {
                "id": "https://college.example/achievements/1", "type": ["Achievement"], "name": "Badge",
                "description": "d", "criteria": {"narrative": "It says \"n\"."},
                "alignment": [_alignment(name) for name in ("a", "b")], "tag": ["x", "y"],
            },
        },
        **members,
    }  # fmt: skip


def _alignment(name: str) -> Json:
    return {"type": ["Alignment"], "targetName": name, "targetUrl": f"https://s.example/{name}"}


@dataclass(frozen=True)
class Issued:
    """A badge with what its base proof is made of; `names` are those of its unnamed nodes, by the ids they had then."""

    document: Json
    options: Json
    skolem: Json
    names: dict[str, bytes]
    statements: list[str]
    mandatory: list[str]
    base_signature: bytes
    signatures: dict[int, bytes]

    @property
    def undisclosed(self) -> Json:
        """The badge as its holder gets it from the issuer."""
        parts = [self.base_signature, multikey(OWN_KEY), HMAC_KEY, list(self.signatures.values()), self.mandatory]
        return {**self.document, "proof": {**self.options, "proofValue": value_of(parts, BASE)}}

    def derived(self, *optional: str) -> Json:
        """The badge as its holder shows it: what is mandatory, and what the JSON Pointers `optional` select."""
        pointers = [*self.mandatory, *optional]
        must_show = self._indexes(self.mandatory)
        shown = sorted(self._indexes(pointers))
        revealed = canonical_names(_unnamed(canonical_nquads(selected(self.skolem, pointers))))
        parts = [
            self.base_signature,
            multikey(OWN_KEY),
            [self.signatures[index] for index in shown if index not in must_show],
            {int(label.removeprefix("_:c14n")): self.names[node] for node, label in revealed.items()},
            [place for place, index in enumerate(shown) if index in must_show],
        ]
        document = selected(self.document, pointers)
        return {**document, "proof": {**self.options, "proofValue": value_of(parts)}}

    def _indexes(self, pointers: Sequence[str]) -> set[int]:
        return {self.statements.index(line) for line in _named(selected(self.skolem, pointers), self.names)}


def issue(document: Json, mandatory: Sequence[str] = MANDATORY, key: EllipticCurvePrivateKey = KEY) -> Issued:
    """`document` signed by `key`; of the JSON Pointers `mandatory` those count that it has."""
    mandatory = [pointer for pointer in mandatory if pointer[1:].partition("/")[0] in document]
    did = did_of(key)
    options = {
        "type": "DataIntegrityProof", "cryptosuite": "ecdsa-sd-2023", "created": "2026-01-05T00:00:00Z",
        "verificationMethod": f"{did}#{did.removeprefix('did:key:')}", "proofPurpose": "assertionMethod",
    }  # fmt: skip
    skolem = copy.deepcopy(document)
    for number, node in enumerate(_unnamed_nodes(skolem)):
        node["id"] = f"{_URN}b{number}"
    labels = canonical_names(_unnamed(canonical_nquads(skolem)))
    names = {node: hmac.digest(HMAC_KEY, label.removeprefix("_:").encode(), "sha256") for node, label in labels.items()}
    statements = sorted(_named(skolem, names))
    must_show = set(_named(selected(skolem, mandatory), names))
    hashed = [
        hashlib.sha256(text.encode()).digest()
        for text in (
            canonical_nquads({**options, "@context": document["@context"]}),
            "".join(line for line in statements if line in must_show),
        )
    ]
    base_signature = signature(key, hashed[0] + multikey(OWN_KEY) + hashed[1])
    signatures = {
        index: signature(OWN_KEY, line.encode()) for index, line in enumerate(statements) if line not in must_show
    }
    return Issued(document, options, skolem, names, statements, list(mandatory), base_signature, signatures)


def value_of(parts: object, header: bytes = DERIVED) -> str:
    """The proof value of `parts`, which are bytes already or become CBOR."""
    encoded = parts if isinstance(parts, bytes) else cbor2.dumps(parts)
    return "u" + base64.urlsafe_b64encode(header + encoded).decode().rstrip("=")


def encoded_in(document: Json) -> bytes:
    """The CBOR in a document's proof."""
    value = document["proof"]["proofValue"][1:]
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))[len(DERIVED) :]


def parts_of(document: Json) -> list[Any]:
    """The five parts of a document's derived proof."""
    return cbor2.loads(encoded_in(document))


def with_parts(document: Json, parts: object) -> Json:
    """`document` with a proof of other parts, or of other CBOR."""
    return {**document, "proof": {**document["proof"], "proofValue": value_of(parts)}}


def canonical_names(text: str) -> dict[str, str]:
    """The canonical label of each blank node of N-Quads `text`, as PyLD finds them."""
    algorithm = URDNA2015()
    algorithm.main(jsonld.JsonLdProcessor.parse_nquads(text), {})
    return algorithm.canonical_issuer.existing


def selected(document: Json, pointers: Iterable[str]) -> Json:
    """The part of `document` that JSON Pointers select, with the ids and types on the way (section 3.4.13)."""
    found: Any = {"@context": document["@context"], **_initial(document)}
    for pointer in pointers:
        value, into = document, found
        *steps, last = pointer[1:].split("/")
        for step in steps:
            value = _at(value, step)
            into = _entered(into, step, value)
        _put(into, last, copy.deepcopy(_at(value, last)))
    return _dense(found)


def _at(value: Any, step: str) -> Any:
    return value[int(step)] if isinstance(value, list) else value[step]


def _entered(into: Any, step: str, value: Any) -> Any:
    # A list is kept by place until all is selected.
    place: Any = int(step) if step.isdigit() else step
    if place not in into:
        into[place] = {} if isinstance(value, list) else _initial(value)
    return into[place]


def _put(into: Any, step: str, value: Any) -> None:
    into[int(step) if step.isdigit() else step] = value


def _initial(value: Json) -> Json:
    return {name: value[name] for name in ("id", "type") if name in value}


def _dense(value: Any) -> Any:
    if isinstance(value, dict) and value and all(isinstance(place, int) for place in value):
        return [_dense(value[place]) for place in sorted(value)]
    return {name: _dense(entry) for name, entry in value.items()} if isinstance(value, dict) else value


def _unnamed_nodes(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        if "id" not in value:
            yield value
        for name, entry in value.items():
            if name != "@context":
                yield from _unnamed_nodes(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _unnamed_nodes(entry)


def _unnamed(text: str) -> str:
    """N-Quads in which the nodes that got an id for a while are blank again."""
    return "".join(f"{nquads.write(quad)}\n" for quad in _terms(text, lambda node: f"_:{node}"))


def _named(skolem: Json, names: dict[str, bytes]) -> list[str]:
    """The statements of `skolem`, unnamed nodes under the names that are signed."""

    def name(node: str) -> str:
        return "_:u" + base64.urlsafe_b64encode(names[f"_:{node}"]).decode().rstrip("=")

    return [f"{nquads.write(quad)}\n" for quad in _terms(canonical_nquads(skolem), name)]


def _terms(text: str, name: Any) -> Iterator[list[str | None]]:
    for quad in nquads.parse(text):
        yield [
            name(term[1 + len(_URN) : -1]) if term is not None and term.startswith(f"<{_URN}") else term
            for term in quad
        ]

"""Proofs whose holder may leave parts out: derived proofs of `ecdsa-sd-2023` (VC-DI-ECDSA 1.0, sections 3.4 to 3.6).

The issuer signs what must always be shown (the mandatory statements) together with a key made for this one badge, and
has that key sign every other statement on its own. So the holder can drop statements, and change none.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn, cast

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from libs.common.checking.public_keys import holds
from libs.common.checking.strict import Fault
from libs.common.credentials import nquads
from libs.common.credentials.canonical import MAX_BYTES

SUITE = "ecdsa-sd-2023"
# A signature takes about 0.1 ms, and a badge with a hundred alignments has less than 1500 statements in all.
MAX_SIGNATURES = 1_000

_BASE, _DERIVED = b"\xd9\x5d\x00", b"\xd9\x5d\x01"
_MULTIKEY_P256 = b"\x80\x24"
# The array of five, the map or the arrays within it, and what these hold.
_DEPTH = 3
_EXPECTED = "expected the signature, key, signatures, labels and mandatory indexes of a derived proof"


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What a derived proof holds (section 3.5.8).

    The issuer's signature of 64 bytes; the key made for this badge, as it was signed; that key's signatures, one for
    each statement that need not be shown; the names that nodes without an id had when they were signed, by their
    canonical label (`_:c14n0` to `_:u…`); and the places of the statements that must be shown.
    """

    base_signature: bytes
    own_key: bytes
    signatures: tuple[bytes, ...]
    labels: Mapping[str, str]
    mandatory: frozenset[int]


def read_disclosed(value: object) -> Disclosed | Fault:
    """The derived proof in a `proofValue` (a text, multibase base64url of CBOR), or why it is none.

    The CBOR is taken only as its shortest form of definite lengths, without tags, as section 3.5.7 has it written.
    """
    content = _bytes_of(value)
    if isinstance(content, Fault):
        return content
    if content.startswith(_BASE):
        return Fault("base-proof", "expected a proof derived for whom it is shown to, found its holder's own")
    if not content.startswith(_DERIVED):
        return Fault("proof-value", f"expected the header d95d01, found {content[:3].hex()}")
    encoded = content[len(_DERIVED) :]
    try:
        components = cbor2.loads(
            encoded, max_depth=_DEPTH, allow_indefinite=False, allow_duplicate_keys=False, semantic_decoders=_no_tags()
        )
    except cbor2.CBORError as error:
        return Fault("proof-value", f"expected CBOR of definite lengths: {error}"[:200])
    disclosed = _disclosed(components)
    if not isinstance(disclosed, Fault) and cbor2.dumps(components) != encoded:
        return Fault("proof-value", "expected CBOR in its shortest form, and nothing after it")
    return disclosed


def disclosure_fault(disclosed: Disclosed, options: str, content: str, key: EllipticCurvePublicKey) -> Fault | None:
    """Why `disclosed` does not prove a document, or None if it does (section 3.6.7).

    `options` and `content` are the canonical N-Quads of the proof's options and of the document without its proof,
    `key` is the issuer's, on the curve P-256.
    """
    statements = _statements(content, disclosed.labels)
    if isinstance(statements, Fault):
        return statements
    outside = next((index for index in sorted(disclosed.mandatory) if index >= len(statements)), None)
    if outside is not None:
        return Fault("statements", f"expected mandatory indexes below {len(statements)}, found {outside}")
    optional = [text for index, text in enumerate(statements) if index not in disclosed.mandatory]
    if len(optional) != len(disclosed.signatures):
        return Fault(
            "statements", f"expected {len(optional)} signatures of statements, found {len(disclosed.signatures)}"
        )
    must_show = "".join(text for index, text in enumerate(statements) if index in disclosed.mandatory)
    signed = sha256(options.encode()).digest() + disclosed.own_key + sha256(must_show.encode()).digest()
    if not holds(key, disclosed.base_signature, signed):
        return Fault("signature", "the issuer signed other mandatory statements, options or another key")
    own_key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), disclosed.own_key[2:])
    for signature, text in zip(disclosed.signatures, optional, strict=True):
        if not holds(own_key, signature, text.encode()):
            return Fault("signature", f"not signed: {text.strip()}"[:300])
    return None


def _bytes_of(value: object) -> bytes | Fault:
    if not isinstance(value, str) or not value.startswith("u") or not value.isascii() or len(value) > MAX_BYTES:
        return Fault("proof-value", f"expected a base64url multibase text of at most {MAX_BYTES} characters")
    try:
        content = base64.b64decode(value[1:] + "=" * (-len(value[1:]) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        return Fault("proof-value", f"expected base64url: {error}")
    if base64.urlsafe_b64encode(content).rstrip(b"=") != value[1:].encode():
        return Fault("proof-value", "expected base64url without padding")
    return content


def _no_tags() -> Mapping[int, Callable[..., Any]]:
    """Decoders for every tag there is: none is allowed, and some would be costly to decode."""
    return defaultdict(lambda: _refuse_tag)


def _refuse_tag(*_: object) -> NoReturn:
    raise ValueError("expected no tags")


def _disclosed(components: object) -> Disclosed | Fault:
    parts = cast(list[Any], components) if isinstance(components, list) else []
    if [type(part) for part in parts] != [bytes, bytes, list, dict, list]:
        return Fault("proof-value", _EXPECTED)
    first, own_key, signatures, labels, mandatory = parts
    fault = (
        _signatures_fault(first, signatures)
        or _key_fault(own_key)
        or _labels_fault(labels)
        or (None if _are_indexes(mandatory) else Fault("statements", "expected each mandatory index once, from 0 on"))
    )
    return fault or Disclosed(first, own_key, tuple(signatures), _decompressed(labels), frozenset(mandatory))


def _signatures_fault(first: bytes, signatures: list[Any]) -> Fault | None:
    if not all(isinstance(entry, bytes) and len(entry) == 64 for entry in (first, *signatures)):
        return Fault("proof-value", "expected signatures of 64 bytes")
    if len(signatures) > MAX_SIGNATURES:
        return Fault("too-costly", f"expected at most {MAX_SIGNATURES} signatures, found {len(signatures)}")
    return None


def _key_fault(multikey: bytes) -> Fault | None:
    """Section 3.5.8 says 36 bytes; a Multikey of P-256, which is what section 3.5.2 has signed, has 35."""
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), multikey[2:])
    except ValueError:
        return Fault("proof-value", "expected a point of P-256")
    good = multikey.startswith(_MULTIKEY_P256) and len(multikey) == 35
    return None if good else Fault("proof-value", "expected a P-256 key as Multikey")


def _are_indexes(values: Sequence[Any]) -> bool:
    """Whether `values` are places: whole numbers from 0 on, each once."""
    # True and False are numbers for Python, and none for CBOR.
    return all(type(value) is int and value >= 0 for value in values) and len(set(values)) == len(values)


def _labels_fault(labels: dict[Any, Any]) -> Fault | None:
    """Two nodes never had one name: their statements could be mixed."""
    names = list(labels.values())
    if not _are_indexes(list(labels)) or not all(isinstance(name, bytes) and len(name) == 32 for name in names):
        return Fault("labels", "expected numbers and names of 32 bytes")
    return None if len(set(names)) == len(names) else Fault("labels", "expected another name for each node")


def _decompressed(labels: Mapping[int, bytes]) -> dict[str, str]:
    """The label map as it was before it was made shorter (section 3.5.6)."""
    return {
        f"_:c14n{number}": f"_:u{base64.urlsafe_b64encode(name).rstrip(b'=').decode()}"
        for number, name in labels.items()
    }


def _statements(content: str, labels: Mapping[str, str]) -> list[str] | Fault:
    """The lines of canonical N-Quads under the names that were signed, in their order (section 3.4.2)."""
    quads = nquads.parse(content)
    unnamed = nquads.blank_nodes(quads).keys() - labels.keys()
    if unnamed:
        return Fault("labels", f"expected a name for {min(unnamed)}")
    # A literal that looks like a label is none: only whole terms are named anew.
    named = ([term if term is None else labels.get(term, term) for term in quad] for quad in quads)
    return sorted(f"{nquads.write(quad)}\n" for quad in named)

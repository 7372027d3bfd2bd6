"""Compact JWSs: what they say, and whether their key signed it (RFC 7515; OB 3.0, section 8.2.4; SR-8).

The algorithms are pinned to the kind of key: a token never chooses how it is checked.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.common.checking.dates import numeric_date
from libs.common.checking.dialogue import Asking, Json
from libs.common.checking.issuance import note_withdrawn_key
from libs.common.checking.notes import Notes
from libs.common.checking.places import is_place_of
from libs.common.checking.public_keys import (
    AnyKey,
    IssuerKey,
    Unknown,
    document_of,
    json_at,
    key_of_jwk,
    key_of_method,
    keys_in,
    timed_key,
)
from libs.common.checking.strict import Fault, read_json

ALGORITHMS = frozenset({"RS256", "ES256", "ES384", "EdDSA", "Ed25519"})
_HEADER = frozenset({"alg", "kid", "typ", "jwk", "iss", "cty"})


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart: its header, its payload, what was signed and the signature over it."""

    header: Json
    payload: Json
    signed: bytes
    signature: bytes


def read_token(content: bytes) -> Token | Fault:
    """The compact JWS in `content`, with header and payload read strictly."""
    parts = content.split(b".")
    if len(parts) != 3:
        return Fault("malformed", "expected a compact JWS")
    try:
        header, payload, signature = (_decode(part) for part in parts)
    except (binascii.Error, ValueError) as error:
        return Fault("malformed", f"expected base64url: {error}")
    read_header, read_payload = read_json(header), read_json(payload)
    if isinstance(read_header, Fault):
        return read_header
    if isinstance(read_payload, Fault):
        return read_payload
    return Token(read_header, read_payload, parts[0] + b"." + parts[1], signature)


def _decode(part: bytes) -> bytes:
    text = part.rstrip(b"=")
    return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


def header_fault(token: Token) -> Fault | None:
    """Why the header is not allowed, if it is not."""
    algorithm = str(token.header.get("alg"))
    if algorithm.lower() == "none":
        return Fault("alg-none", "")
    if algorithm not in ALGORITHMS:
        return Fault("alg", algorithm[:40])
    # `crit`, `jku`, `x5u`, `x5c`, `b64`: each would let a token say where trust comes from, or how it is read.
    more = next((name for name in token.header if name not in _HEADER), None)
    return None if more is None else Fault("header", more[:40])


def holds(token: Token, key: AnyKey) -> Fault | None:
    """Why the token is not signed with `key`, if it is not. Each kind of key has its one algorithm."""
    algorithm = token.header.get("alg")
    if algorithm not in _algorithms_of(key):
        return Fault("alg-of-key", str(algorithm)[:40])
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(token.signature, token.signed, PKCS1v15(), SHA256())
        elif isinstance(key, Ed25519PublicKey):
            key.verify(token.signature, token.signed)
        else:
            size = (key.key_size + 7) // 8
            if len(token.signature) != 2 * size:
                return Fault("signature", f"expected {2 * size} bytes, found {len(token.signature)}")
            first, second = int.from_bytes(token.signature[:size]), int.from_bytes(token.signature[size:])
            digest = SHA384() if size == 48 else SHA256()
            key.verify(encode_dss_signature(first, second), token.signed, ECDSA(digest))
    except InvalidSignature:
        return Fault("signature", "")
    return None


def _algorithms_of(key: AnyKey) -> tuple[str, ...]:
    if isinstance(key, RSAPublicKey):
        return ("RS256",)
    if isinstance(key, EllipticCurvePublicKey):
        return ("ES256",) if isinstance(key.curve, SECP256R1) else ("ES384",)
    return ("EdDSA", "Ed25519")


def check_token(token: Token, document: Json, issuer: str, notes: Notes) -> Asking[None]:
    """Note under `proof` and `key` whether `token`, with the credential `document` in it, has a key of `issuer`."""
    fault = header_fault(token)
    if fault:
        notes.bad("proof", *fault)
        return
    key = yield from _key_of(token, issuer)
    if not isinstance(key, IssuerKey):
        (notes.unknown if isinstance(key, Unknown) else notes.bad)("key", key.reason, key.more)
        return
    fault = holds(token, key.key)
    if fault:
        notes.bad("proof", *fault)
        return
    notes.good("proof")
    ended = key.fault_at(numeric_date(token.payload.get("iat", token.payload.get("nbf"))))
    if ended:
        notes.bad("key", ended)
    elif key.revoked_at is not None:
        yield from note_withdrawn_key(document, issuer, key.revoked_at, notes)
    else:
        notes.good("key")


def _key_of(token: Token, issuer: str) -> Asking[IssuerKey | Fault | Unknown]:
    kid, jwk = token.header.get("kid"), token.header.get("jwk")
    if isinstance(jwk, dict):
        return (yield from _published_jwk(cast(Json, jwk), issuer))
    if not isinstance(kid, str) or not kid:
        return Fault("verification-method", "expected kid or jwk in the token's header")
    if kid.startswith("#"):
        kid = issuer + kid
    if kid.startswith("did:") or "#" in kid:
        method = kid if "#" in kid else f"{kid}#{kid.rpartition(':')[2] if kid.startswith('did:key:') else '0'}"
        return (yield from key_of_method(method, issuer))
    if not kid.startswith("https://"):
        return (yield from _named_key(kid, issuer))
    return (yield from _key_at(kid, issuer))


def _published_jwk(jwk: Json, issuer: str) -> Asking[IssuerKey | Fault | Unknown]:
    """The key that a token brings, if its issuer publishes the same: alone it would prove nothing (SR-8)."""
    key = key_of_jwk(jwk)
    if isinstance(key, Fault):
        return key
    if issuer.startswith(("did:key:", "did:jwk:")):
        own = yield from key_of_method(f"{issuer}#{issuer.rpartition(':')[2] if 'key:' in issuer else '0'}", issuer)
        same = isinstance(own, IssuerKey) and _bytes(own.key) == _bytes(key)
        return own if same else Fault("jwk-alone", issuer)
    document = yield from document_of(issuer)
    if isinstance(document, Fault | Unknown):
        return document
    same = next((found for found in keys_in(document) if _bytes(found.key) == _bytes(key)), None)
    return Fault("jwk-alone", f"expected it in the document of {issuer}") if same is None else same.told


def _named_key(kid: str, issuer: str) -> Asking[IssuerKey | Fault | Unknown]:
    document = yield from document_of(issuer)
    if isinstance(document, Fault | Unknown):
        return document
    key = next((found for found in keys_in(document) if found.name.rpartition("#")[2] == kid), None)
    return Fault("unknown-key", kid[:200]) if key is None else key.told


def _key_at(url: str, issuer: str) -> Asking[IssuerKey | Fault | Unknown]:
    """The JWK at `url`, which has to be a place of the issuer's."""
    if not is_place_of(url, issuer):
        return Fault("key-of-another", f"expected a key of {issuer}, found {url[:200]}")
    document = yield from json_at(url)
    if isinstance(document, Fault | Unknown):
        return document
    return timed_key(key_of_jwk(document), document)


def _bytes(key: AnyKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

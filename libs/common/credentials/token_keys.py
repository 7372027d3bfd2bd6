"""Public keys that sign VC-JWTs, P-256 or RSA, in their published forms."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.common.credentials import base58
from libs.common.credentials.canonical import Json

Algorithm = Literal["ES256", "RS256"]
TokenPublicKey = EllipticCurvePublicKey | RSAPublicKey

_P256 = b"\x80\x24"  # multicodec p256-pub (Controlled Identifiers 1.0, section 2.2.2)
_RSA = b"\x85\x24"  # multicodec rsa-pub: PKCS #1 in DER
_LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class PublishedTokenKey:
    """A public key of VC-JWTs with the time in which it may sign; old keys stay published.

    `key_id` is its name within the issuer's documents, `multibase` the Multikey text, `jwk` the public key as a JWK.
    The times are as in `keys.PublishedKey`.
    """

    key_id: str
    multibase: str
    jwk: Json
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None


def require_strong(key: TokenPublicKey) -> None:
    """Raise `ValueError` on a curve that is not P-256, or an RSA key below 2048 bits (RFC 7518, section 3.3)."""
    if isinstance(key, EllipticCurvePublicKey):
        if not isinstance(key.curve, SECP256R1):
            raise ValueError(f"expected the curve P-256, found {key.curve.name}")
    elif key.key_size < _LEAST_RSA_BITS:
        raise ValueError(f"expected {_LEAST_RSA_BITS} bits or more, found {key.key_size}")


def algorithm_of(key: TokenPublicKey) -> Algorithm:
    """The one JWS algorithm of the key (RFC 7518, section 3.1)."""
    return "RS256" if isinstance(key, RSAPublicKey) else "ES256"


def public_jwk(key: TokenPublicKey, **more: str) -> Json:
    """The key as JWK (RFC 7517; RFC 7518, section 6), with `more` members such as `kid`."""
    common: Json = {**more, "use": "sig", "alg": algorithm_of(key)}
    if isinstance(key, RSAPublicKey):
        rsa = key.public_numbers()
        return {"kty": "RSA", "n": _number(rsa.n), "e": _number(rsa.e), **common}
    point = key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _number(point.x, 32), "y": _number(point.y, 32), **common}


def token_multikey(key: TokenPublicKey) -> str:
    """The key as Multikey text: `zDn…` for P-256, `z4MX…` for RSA."""
    if isinstance(key, RSAPublicKey):
        return "z" + base58.encode(_RSA + key.public_bytes(Encoding.DER, PublicFormat.PKCS1))
    return "z" + base58.encode(_P256 + key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def token_key_id(key: TokenPublicKey) -> str:
    """The name of the key: its Multikey text or, where that is long (RSA), `rsa-` and its thumbprint (RFC 7638)."""
    if not isinstance(key, RSAPublicKey):
        return token_multikey(key)
    jwk = public_jwk(key)
    # RFC 7638, section 3.2: the required members in the order of their names, without spaces.
    members = {name: jwk[name] for name in ("e", "kty", "n")}
    return "rsa-" + _base64url(hashlib.sha256(orjson.dumps(members)).digest())


def _number(value: int, size: int | None = None) -> str:
    return _base64url(value.to_bytes(size or (value.bit_length() + 7) // 8))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

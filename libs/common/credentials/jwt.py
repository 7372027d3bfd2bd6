"""The VC-JWT twin of a credential: the same claims as a signed JSON Web Token (OB 3.0, section 8.2.4; VC-JOSE-COSE).

ES256 by default, RS256 where a reader knows nothing else; EdDSA is refused by 1EdTech's verifiers. Signatures of keys
in this process's memory are deterministic (RFC 6979 for ES256); so is RS256 anywhere. What others sign by ES256 differs
each time: a token is signed once, and its bytes are kept.
"""

import base64
from typing import Protocol

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.common.credentials.canonical import Json
from libs.common.credentials.token_keys import Algorithm, algorithm_of, public_jwk, require_strong


class TokenSigner(Protocol):
    """Signs tokens with one P-256 or RSA key, wherever it lies."""

    @property
    def algorithm(self) -> Algorithm:
        """The token's `alg`."""
        ...

    @property
    def key_url(self) -> str:
        """Where the public key can be fetched as a JWK: the token's `kid`."""
        ...

    def sign(self, content: bytes) -> bytes:
        """The JWS signature of `content` (RFC 7518, sections 3.3 and 3.4)."""
        ...


class JwtSigner:
    """Signs tokens with one P-256 or RSA key that lies in this process's memory."""

    def __init__(self, private_key: EllipticCurvePrivateKey | RSAPrivateKey, key_url: str) -> None:
        """`key_url` is where the public key can be fetched as a JWK; it becomes the token's `kid`.

        Raises `ValueError` on a curve that is not P-256, or an RSA key below 2048 bits (RFC 7518, section 3.3).
        """
        require_strong(private_key.public_key())
        self._key = private_key
        self._key_url = key_url
        self._algorithm: Algorithm = algorithm_of(private_key.public_key())

    @property
    def algorithm(self) -> Algorithm:
        """See `TokenSigner`."""
        return self._algorithm

    @property
    def key_url(self) -> str:
        """See `TokenSigner`."""
        return self._key_url

    def public_jwk(self) -> Json:
        """The public key as JWK (RFC 7517), to be served at `key_url`."""
        return public_jwk(self._key.public_key(), kid=self._key_url)

    def public_pem(self) -> str:
        """The public key as PEM (SubjectPublicKeyInfo), as Open Badges 2.0 publishes keys."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, content: bytes) -> bytes:
        """The JWS signature of `content` (RFC 7518, sections 3.3 and 3.4)."""
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(content, PKCS1v15(), SHA256())
        return joined(self._key.sign(content, ECDSA(SHA256(), deterministic_signing=True)))


def joined(signature: bytes) -> bytes:
    """An ECDSA signature on P-256 in DER (RFC 3279) as JWS writes it (RFC 7518, section 3.4). Raises `ValueError`."""
    first, second = decode_dss_signature(signature)
    try:
        return first.to_bytes(32) + second.to_bytes(32)
    except OverflowError:
        raise ValueError("signature: expected numbers of 32 bytes") from None


def vc_jwt(document: Json, not_before: int, expires: int | None, signer: TokenSigner) -> str:
    """The unsigned credential `document` as a compact JWS.

    `not_before` and `expires` are its validFrom and validUntil in seconds since 1970 (NumericDate). The payload
    is the credential itself with the claims that OB 3.0 adds to it.
    """
    payload: Json = {
        **document,
        "iss": issuer if isinstance(issuer := document["issuer"], str) else issuer["id"],
        "jti": document["id"],
        "nbf": not_before,
        "sub": document["credentialSubject"]["id"],
    }
    if expires is not None:
        payload["exp"] = expires
    return compact_jws({"alg": signer.algorithm, "kid": signer.key_url, "typ": "JWT"}, payload, signer)


def compact_jws(header: Json, payload: Json, signer: TokenSigner) -> str:
    """`payload` under `header`, signed, in compact serialisation (RFC 7515, section 7.1)."""
    signing_input = f"{_base64url(orjson.dumps(header))}.{_base64url(orjson.dumps(payload))}"
    return f"{signing_input}.{_base64url(signer.sign(signing_input.encode()))}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

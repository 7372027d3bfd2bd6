"""Ed25519 keys: Multikey text, signers, and the documents in which an issuer publishes all its keys.

Private keys come in from outside as 32 raw bytes; nothing here reads or makes one.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.common.credentials import base58
from libs.common.credentials.canonical import Json
from libs.common.credentials.contexts import DID_V1, MULTIKEY_V1
from libs.common.credentials.documents import instant, present
from libs.common.credentials.token_keys import PublishedTokenKey

_ED25519_PUBLIC = b"\xed\x01"  # multicodec ed25519-pub (Controlled Identifiers 1.0, section 2.2.2)


def multikey(public_key: bytes) -> str:
    """A raw 32-byte Ed25519 public key as Multikey text, `z6Mk…`."""
    if len(public_key) != 32:
        raise ValueError(f"public_key: expected 32 bytes, found {len(public_key)}")
    return "z" + base58.encode(_ED25519_PUBLIC + public_key)


def public_key_of_multikey(text: str) -> bytes:
    """The raw 32-byte Ed25519 public key in Multikey `text`. Raises `ValueError` if it holds none."""
    if not text.startswith("z") or len(text) > 60:
        raise ValueError(f"multikey: expected a base58btc multibase text, found {text[:60]!r}")
    decoded = base58.decode(text[1:])
    if len(decoded) != 34 or not decoded.startswith(_ED25519_PUBLIC):
        raise ValueError("multikey: expected an Ed25519 public key")
    return decoded[2:]


class Signer(Protocol):
    """Signs with one Ed25519 key, wherever it lies."""

    @property
    def verification_method(self) -> str:
        """The key's public address: the issuer's id, `#` and the key's name."""
        ...

    @property
    def public_key(self) -> bytes:
        """The raw 32-byte public key."""
        ...

    def sign(self, content: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `content` (RFC 8032; the same for the same content)."""
        ...


class LocalSigner:
    """A signer whose private key lies in this process's memory: development, tests, small deployments."""

    def __init__(self, private_key: bytes, issuer: str) -> None:
        """`private_key` is 32 raw bytes; `issuer` the id (`did:web:…`) of the issuer whose key it is."""
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._public_key = self._key.public_key().public_bytes_raw()
        self._verification_method = f"{issuer}#{multikey(self._public_key)}"

    @property
    def verification_method(self) -> str:
        """See `Signer`."""
        return self._verification_method

    @property
    def public_key(self) -> bytes:
        """See `Signer`."""
        return self._public_key

    def sign(self, content: bytes) -> bytes:
        """See `Signer`."""
        return self._key.sign(content)


@dataclass(frozen=True)
class PublishedKey:
    """A public key (32 raw bytes) with the time in which it may sign; old keys stay published.

    `revoked_at` is the instant from which nothing signed with it is to be trusted.
    """

    public_key: bytes
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None

    @cached_property
    def text(self) -> str:
        """The key as Multikey text; also its name within the issuer's document."""
        return multikey(self.public_key)


def did_document(
    issuer: str,
    keys: Sequence[PublishedKey],
    also_known_as: Sequence[str] = (),
    tokens: Sequence[PublishedTokenKey] = (),
) -> Json:
    """The DID document of `issuer` (DID 1.0; Controlled Identifiers 1.0, section 2.2).

    Every key, old ones too, is listed, and a key that was only replaced says nothing of its end: verifiers must not
    use a method after its `expires`, not even for what it signed before. A revoked key says so and is no
    `assertionMethod` any more. In there keys stand as plain strings, and the contexts come in this order, because
    deployed verifiers read nothing else; for the same reason P-256 keys stand as Multikey, and RSA keys only in
    `jwks`.
    """
    listed: list[PublishedKey | PublishedTokenKey] = [*keys, *(key for key in tokens if key.jwk["kty"] == "EC")]
    return present(
        **{"@context": [DID_V1, MULTIKEY_V1]},
        id=issuer,
        alsoKnownAs=list(also_known_as),
        verificationMethod=[_verification_method(issuer, key) for key in listed],
        assertionMethod=[f"{issuer}#{_name(key)}" for key in listed if key.revoked_at is None],
    )


def jwks(keys: Sequence[PublishedKey], tokens: Sequence[PublishedTokenKey] = ()) -> Json:
    """The keys as a JWK set (RFC 7517, RFC 8037); `kid` of an Ed25519 key is its Multikey text.

    Their times stand as in OpenID Federation 1.0, "Historical Keys"; readers that know nothing of them ignore them.
    """
    return {"keys": [*map(_jwk, keys), *map(token_jwk, tokens)]}


def token_jwk(key: PublishedTokenKey) -> Json:
    """A key of VC-JWTs as JWK, with its times as in `jwks`."""
    return present(**key.jwk, **_times(key))


def _jwk(key: PublishedKey) -> Json:
    return present(
        kty="OKP",
        crv="Ed25519",
        kid=key.text,
        use="sig",
        alg="EdDSA",
        x=base64.urlsafe_b64encode(key.public_key).rstrip(b"=").decode(),
        **_times(key),
    )


def _times(key: PublishedKey | PublishedTokenKey) -> Json:
    return {
        "nbf": None if key.valid_from is None else int(key.valid_from.timestamp()),
        "exp": None if key.valid_until is None else int(key.valid_until.timestamp()),
        "revoked": None if key.revoked_at is None else {"revoked_at": int(key.revoked_at.timestamp())},
    }


def _name(key: PublishedKey | PublishedTokenKey) -> str:
    return key.text if isinstance(key, PublishedKey) else key.key_id


def _verification_method(issuer: str, key: PublishedKey | PublishedTokenKey) -> Json:
    return present(
        id=f"{issuer}#{_name(key)}",
        type="Multikey",
        controller=issuer,
        publicKeyMultibase=key.text if isinstance(key, PublishedKey) else key.multibase,
        revoked=None if key.revoked_at is None else instant(key.revoked_at),
    )

"""A private key, wherever it lies, and the signer that an issuer makes of it."""

from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.common.credentials.keys import multikey

_PROBE = b"signing key probe: neither a credential nor a checkpoint"


class KeyUnusable(Exception):
    """A key that cannot be had or does not sign as it must; the message says what was expected and found.

    `passing` is true where the same call may succeed later: the fault lies on the way to the key.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class SigningKey(Protocol):
    """One Ed25519 private key that is ready to sign. May be shared by threads."""

    @property
    def public_key(self) -> bytes:
        """The raw 32-byte public key."""
        ...

    def sign(self, content: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `content` (RFC 8032). Raises `KeyUnusable`."""
        ...

    def close(self) -> None:
        """Let go of the connection to the key, where there is one."""
        ...


class IssuerSigner:
    """The `credentials.keys.Signer` of one issuer; several may share a key."""

    def __init__(self, key: SigningKey, issuer: str) -> None:
        """`issuer` is the id (`did:web:…`) in whose name `key` signs."""
        self.key = key
        self._public_key = key.public_key
        self._verification_method = f"{issuer}#{multikey(self._public_key)}"

    @property
    def verification_method(self) -> str:
        """The key's public address: the issuer's id, `#` and the key as Multikey text."""
        return self._verification_method

    @property
    def public_key(self) -> bytes:
        """The raw 32-byte public key."""
        return self._public_key

    def sign(self, content: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `content`. Raises `KeyUnusable`."""
        return self.key.sign(content)


def require_sound(key: SigningKey) -> None:
    """Raise `KeyUnusable` unless `key` signs as RFC 8032 says: what holds, and the same bytes each time.

    A replay must yield the badge that was issued before, byte for byte.
    """
    first, second = key.sign(_PROBE), key.sign(_PROBE)
    require_valid(key.public_key, first, _PROBE)
    if first != second:
        raise KeyUnusable("expected deterministic signatures (RFC 8032), found two of one content that differ")


def require_valid(public_key: bytes, signature: bytes, content: bytes) -> None:
    """Raise `KeyUnusable` unless `signature` is one of `content` by `public_key`: a faulty one must not leave."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        raise KeyUnusable("expected a signature by the public key that belongs to the private one") from None

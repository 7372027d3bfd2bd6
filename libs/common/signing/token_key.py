"""Keys of VC-JWTs and of signed Open Badges 2.0: P-256 or RSA."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from libs.common.credentials.jwt import JwtSigner
from libs.common.credentials.token_keys import Algorithm, TokenPublicKey, algorithm_of
from libs.common.signing.file_key import read_private, write_private
from libs.common.signing.key import KeyUnusable

_PROBE = b"token key probe: neither a token nor an assertion"
_NEW_RSA_BITS = 3072
_P256_SIGNATURE_BYTES = 64


class TokenKey(Protocol):
    """One P-256 or RSA private key that is ready to sign. May be shared by threads."""

    @property
    def public_key(self) -> TokenPublicKey:
        """The public key."""
        ...

    def sign(self, content: bytes) -> bytes:
        """The JWS signature of `content` (RFC 7518, sections 3.3 and 3.4). Raises `KeyUnusable`."""
        ...

    def close(self) -> None:
        """Let go of the connection to the key, where there is one."""
        ...


class IssuerTokenSigner:
    """The `credentials.jwt.TokenSigner` of one issuer; several may share a key."""

    def __init__(self, key: TokenKey, key_url: str) -> None:
        """`key_url` is where the public key can be fetched as a JWK; it becomes the `kid` of tokens."""
        self.key = key
        self._key_url = key_url
        self._algorithm: Algorithm = algorithm_of(key.public_key)

    @property
    def algorithm(self) -> Algorithm:
        """See `TokenSigner`."""
        return self._algorithm

    @property
    def key_url(self) -> str:
        """See `TokenSigner`."""
        return self._key_url

    def sign(self, content: bytes) -> bytes:
        """See `TokenSigner`. Raises `KeyUnusable`."""
        return self.key.sign(content)


class LocalTokenKey:
    """A P-256 or RSA private key in this process's memory."""

    def __init__(self, private_key: EllipticCurvePrivateKey | RSAPrivateKey) -> None:
        """Raises `ValueError` if it is too weak or on another curve."""
        self._signer = JwtSigner(private_key, "https://localhost/")
        self._public_key = private_key.public_key()

    @property
    def public_key(self) -> TokenPublicKey:
        """See `TokenKey`."""
        return self._public_key

    def sign(self, content: bytes) -> bytes:
        """See `TokenKey`; the same for the same content (ES256 by RFC 6979)."""
        return self._signer.sign(content)

    def close(self) -> None:
        """See `TokenKey`; there is nothing to let go of."""


class FileTokenKey(LocalTokenKey):
    """A P-256 or RSA private key that was read from a file (PEM, not encrypted)."""

    def __init__(self, path: Path) -> None:
        """Raises `KeyUnusable` if it is none, too weak, or others than the owner may read it."""
        content = read_private(path)
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError):
            raise KeyUnusable(f"{path}: expected an unencrypted PEM private key") from None
        if not isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey):
            raise KeyUnusable(f"{path}: expected a P-256 or RSA key, found {type(key).__name__.lstrip('_')}")
        try:
            super().__init__(key)
        except ValueError as fault:
            raise KeyUnusable(f"{path}: {fault}") from None


def require_sound_token_key(key: TokenKey) -> None:
    """Raise `KeyUnusable` unless `key` signs what holds.

    Not that it signs the same twice: an HSM's or Vault's ECDSA is randomised. What it signed is kept, never made again.
    """
    require_valid_token_signature(key.public_key, key.sign(_PROBE), _PROBE)


def require_valid_token_signature(public_key: TokenPublicKey, signature: bytes, content: bytes) -> None:
    """Raise `KeyUnusable` unless `signature`, as JWS has it, is one of `content` by `public_key`."""
    try:
        if isinstance(public_key, RSAPublicKey):
            public_key.verify(signature, content, PKCS1v15(), SHA256())
            return
        if len(signature) != _P256_SIGNATURE_BYTES:
            raise InvalidSignature
        first, second = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        public_key.verify(encode_dss_signature(first, second), content, ECDSA(SHA256()))
    except InvalidSignature:
        raise KeyUnusable("expected a signature by the public key that belongs to the private one") from None


def create_token_key_file(path: Path) -> None:
    """Write a new P-256 private key to `path` (PEM, mode 0600). Raises `FileExistsError` rather than replace one."""
    _write_key(path, generate_private_key(SECP256R1()))


def create_rsa_key_file(path: Path) -> None:
    """Write a new RSA private key to `path` (PEM, mode 0600). Raises `FileExistsError` rather than replace one."""
    _write_key(path, generate_rsa_key(65537, _NEW_RSA_BITS))


def _write_key(path: Path, key: EllipticCurvePrivateKey | RSAPrivateKey) -> None:
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

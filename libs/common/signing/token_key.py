"""Keys of VC-JWTs: P-256 or RSA. Their signatures are deterministic, so that a replay yields the same token."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from libs.common.credentials.jwt import JwtSigner, TokenSigner
from libs.common.credentials.token_keys import TokenPublicKey
from libs.common.signing.file_key import read_private, write_private
from libs.common.signing.key import KeyUnusable


class TokenKey(Protocol):
    """One private key that signs tokens. May be shared by threads."""

    @property
    def public_key(self) -> TokenPublicKey:
        """The public key."""
        ...

    def signer(self, key_url: str) -> TokenSigner:
        """The signer of tokens whose `kid` is `key_url`; several may share the key."""
        ...


class FileTokenKey:
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
            JwtSigner(key, "https://localhost/")
        except ValueError as fault:
            raise KeyUnusable(f"{path}: {fault}") from None
        self._key = key

    @property
    def public_key(self) -> TokenPublicKey:
        """See `TokenKey`."""
        return self._key.public_key()

    def signer(self, key_url: str) -> TokenSigner:
        """See `TokenKey`."""
        return JwtSigner(self._key, key_url)


def create_token_key_file(path: Path) -> None:
    """Write a new P-256 private key to `path` (PEM, mode 0600). Raises `FileExistsError` rather than replace one."""
    key = generate_private_key(SECP256R1())
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

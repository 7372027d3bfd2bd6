"""A key in a file: development, tests, small deployments."""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from libs.common.signing.key import KeyUnusable

_LARGEST_BYTES = 10_000
_RAW_BYTES = 32


class LocalKey:
    """An Ed25519 private key in this process's memory."""

    def __init__(self, private_key: bytes) -> None:
        """`private_key` is 32 raw bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._public_key = self._key.public_key().public_bytes_raw()

    @property
    def public_key(self) -> bytes:
        """See `SigningKey`."""
        return self._public_key

    def sign(self, content: bytes) -> bytes:
        """See `SigningKey`."""
        return self._key.sign(content)

    def close(self) -> None:
        """See `SigningKey`; there is nothing to let go of."""


class FileKey(LocalKey):
    """An Ed25519 private key that was read from a file and stays in this process's memory."""

    def __init__(self, path: Path) -> None:
        """Reads PEM (PKCS#8, not encrypted) or 32 raw bytes; raises `KeyUnusable` if others than the owner may."""
        super().__init__(_read(path))


def create_key_file(path: Path) -> None:
    """Write a new Ed25519 private key to `path` (PEM, mode 0600). Raises `FileExistsError` rather than replace one."""
    write_private(path, Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_private(path: Path, content: bytes) -> None:
    """Write a private key to `path` (mode 0600). Raises `FileExistsError` rather than replace one."""
    # Mode and exclusiveness at creation: at no instant can anybody else read it.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_private(path: Path) -> bytes:
    """The content of a key's file; raises `KeyUnusable` if others than the owner may read it, or nobody can."""
    try:
        with path.open("rb") as file:
            # The mode of what was opened, not of what the path names a moment later.
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_LARGEST_BYTES)
    except OSError as fault:
        raise KeyUnusable(f"{path}: expected a readable key file, found {fault.strerror}") from None
    if mode & 0o077:
        raise KeyUnusable(f"{path}: expected a key that only its owner may read (0600), found mode {mode:04o}")
    return content


def _read(path: Path) -> bytes:
    content = read_private(path)
    if len(content) == _RAW_BYTES:
        return content
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        raise KeyUnusable(f"{path}: expected 32 raw bytes or an unencrypted PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{path}: expected an Ed25519 key, found {type(key).__name__.lstrip('_')}")
    return key.private_bytes_raw()

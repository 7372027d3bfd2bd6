"""What awarding's processes read from their environment, and the signing key that it names."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AwareDatetime, Field, SecretStr

from libs.common.settings import ServiceSettings

_RAW_KEY_BYTES = 32
_SHORTEST_PEPPER_BYTES = 16
_LARGEST_KEY_FILE_BYTES = 10_000


class SettingsError(Exception):
    """A setting cannot be used: which, what was expected and what was found (never a secret's text)."""


class AwardingSettings(ServiceSettings):
    """The secrets are the worker's alone; the api needs none of them."""

    port: int = Field(8103, ge=0, le=65535, description="port on which the api listens")
    signing_key_file: Path | None = Field(
        None, description="Ed25519 private key, PEM (PKCS#8) or 32 raw bytes, readable by its owner only"
    )
    signing_key_valid_from: AwareDatetime = Field(
        datetime(2000, 1, 1, tzinfo=UTC),
        description="since when the key may sign; not after the earliest achievement",
    )
    badge_namespace: SecretStr | None = Field(None, description="secret UUID under which badge ids are derived")
    subject_pepper: SecretStr | None = Field(
        None, description="secret text of 16 bytes or more under which learners' pseudonyms are derived"
    )
    recheck_learners: int = Field(500, ge=1, le=1000, description="learners looked at again in one transaction")

    def namespace(self) -> UUID:
        """The namespace of badge ids. Raises `SettingsError` when it is absent or no UUID."""
        if self.badge_namespace is None:
            raise SettingsError("CAIRN_BADGE_NAMESPACE: expected a secret UUID, found nothing")
        try:
            return UUID(self.badge_namespace.get_secret_value())
        except ValueError:
            raise SettingsError("CAIRN_BADGE_NAMESPACE: expected a UUID, found another text") from None

    def pepper(self) -> bytes:
        """The secret under pseudonyms and salts. Raises `SettingsError` when it is absent or short."""
        secret = b"" if self.subject_pepper is None else self.subject_pepper.get_secret_value().encode()
        if len(secret) < _SHORTEST_PEPPER_BYTES:
            expected = f"a secret of {_SHORTEST_PEPPER_BYTES} bytes or more"
            raise SettingsError(f"CAIRN_SUBJECT_PEPPER: expected {expected}, found {len(secret)} bytes")
        return secret

    def signing_key(self) -> bytes:
        """The raw private key. Raises `SettingsError` when it is absent, readable by others, or no Ed25519 key."""
        if self.signing_key_file is None:
            raise SettingsError("CAIRN_SIGNING_KEY_FILE: expected the path of a private key, found nothing")
        return read_signing_key(self.signing_key_file)


def read_settings() -> AwardingSettings:
    """The settings in the environment of this process."""
    return AwardingSettings()  # pyright: ignore[reportCallIssue] - every value comes from the environment


def read_signing_key(path: Path) -> bytes:
    """The 32 raw bytes of the Ed25519 private key in the file at `path`.

    Raises `SettingsError` when the file is no private key of that kind, or is open to group or others: who can
    read the key can issue badges.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LARGEST_KEY_FILE_BYTES)
    except OSError as fault:
        raise SettingsError(f"{path}: expected a readable key file, found {fault.strerror}") from None
    mode = stat.S_IMODE(status.st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path}: expected a key that only its owner may read (0600), found mode {mode:04o}")
    if len(content) == _RAW_KEY_BYTES:
        return content
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        raise SettingsError(f"{path}: expected 32 raw bytes or an unencrypted PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path}: expected an Ed25519 key, found {type(key).__name__.lstrip('_')}")
    return key.private_bytes_raw()

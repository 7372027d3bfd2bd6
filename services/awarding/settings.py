"""What awarding's processes read from their environment, and the keys that it names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, SecretStr

from libs.common.settings import ServiceSettings
from libs.common.signing.ring import Ring, RingUnusable, open_ring
from services.awarding.model import ListPurpose

_SHORTEST_PEPPER_BYTES = 16


class SettingsError(Exception):
    """A setting cannot be used: which, what was expected and what was found (never a secret's text)."""


class AwardingSettings(ServiceSettings):
    """The secrets are the worker's alone; the api needs none of them but `pace_secret`."""

    port: int = Field(8103, ge=0, le=65535, description="port on which the api listens")
    signing_key_file: Path | None = Field(
        None, description="one more such key, the first: PEM (PKCS#8) or 32 raw bytes, readable by its owner only"
    )
    signing_keys: str = Field(
        "",
        description="Ed25519 keys of badges, as URLs (`file:`, `pkcs11:`, `vault+https:`) between spaces, each in turn;"
        " `issuer=URL` is for one issuer",
    )
    jwt_keys: str = Field(
        "", description="P-256 or RSA keys of VC-JWTs, as URLs between spaces like these; without one there are none"
    )
    open_badge_2_keys: str = Field(
        "",
        description="RSA keys of signed Open Badges 2.0, as URLs between spaces like these; without one those of"
        " VC-JWTs that are RSA",
    )
    status_purposes: Literal["revocation", "revocation suspension"] = Field(
        "revocation",
        description="status lists that badges name; a second one is more than the schema of Open Badges 3.0 allows."
        " Choose before the first badge",
    )
    signing_key_valid_from: AwareDatetime = Field(
        datetime(2000, 1, 1, tzinfo=UTC),
        description="since when the first key of an issuer may sign; not after the earliest achievement",
    )
    badge_namespace: SecretStr | None = Field(None, description="secret UUID under which badge ids are derived")
    subject_pepper: SecretStr | None = Field(
        None, description="secret text of 16 bytes or more under which learners' pseudonyms are derived"
    )
    import_check_hours: float = Field(24, gt=0, le=8760, description="hours between two looks at an imported badge")
    imports_per_minute: int = Field(10, ge=1, le=10_000, description="imported badges verified for one caller a minute")
    log_key: str | None = Field(
        None, description="URL of the Ed25519 key that signs the log of issuance and nothing else; without one, no log"
    )
    log_seconds: float = Field(2.0, ge=0.05, le=60, description="shortest time between two signed heads of the log")
    recheck_learners: int = Field(500, ge=1, le=1000, description="learners looked at again in one transaction")

    def namespace(self) -> UUID:
        """The namespace of badge ids. Raises `SettingsError` when it is absent or no UUID."""
        if self.badge_namespace is None:
            raise SettingsError("CAIRN_BADGE_NAMESPACE: expected a secret UUID, found nothing")
        try:
            return UUID(self.badge_namespace.get_secret_value())
        except ValueError:
            raise SettingsError("CAIRN_BADGE_NAMESPACE: expected a UUID, found another text") from None

    def list_purposes(self) -> tuple[ListPurpose, ...]:
        """The purposes of the status lists that badges name."""
        return ("revocation",) if self.status_purposes == "revocation" else ("revocation", "suspension")

    def pepper(self) -> bytes:
        """The secret under pseudonyms and salts. Raises `SettingsError` when it is absent or short."""
        secret = b"" if self.subject_pepper is None else self.subject_pepper.get_secret_value().encode()
        if len(secret) < _SHORTEST_PEPPER_BYTES:
            expected = f"a secret of {_SHORTEST_PEPPER_BYTES} bytes or more"
            raise SettingsError(f"CAIRN_SUBJECT_PEPPER: expected {expected}, found {len(secret)} bytes")
        return secret

    def ring(self) -> Ring:
        """The keys to sign with, opened and tried out. Raises `SettingsError` when one cannot be used.

        It may ask an HSM or a server, and blocks while it does.
        """
        files = [] if self.signing_key_file is None else [self.signing_key_file.absolute().as_uri()]
        proofs = " ".join([*files, self.signing_keys])
        if not proofs.strip():
            raise SettingsError("CAIRN_SIGNING_KEYS: expected the URL of a private key, found nothing")
        try:
            return open_ring(proofs, self.jwt_keys, self.open_badge_2_keys)
        except RingUnusable as fault:
            names = {"proofs": "SIGNING_KEYS", "tokens": "JWT_KEYS", "assertions": "OPEN_BADGE_2_KEYS"}
            raise SettingsError(f"CAIRN_{names[fault.use]}: {fault}") from None


def read_settings() -> AwardingSettings:
    """The settings in the environment of this process."""
    return AwardingSettings()  # pyright: ignore[reportCallIssue] - every value comes from the environment

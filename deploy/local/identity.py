"""The secrets of one local system: made once in its state directory, readable by its owner only."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from libs.common.signing.file_key import create_key_file
from libs.common.signing.token_key import create_rsa_key_file, create_token_key_file

SCOPES = (
    "catalogue.write",
    "catalogue.override",
    "learners.write",
    "learners.read",
    "enrollments.write",
    "events.write",
    "records.read",
    "records.write",
    "badges.write",
    "badges.verify",
    "endorsements.write",
    "keys.write",
    "trust.write",
    "operations",
)
TOKEN_ISSUER = "cairn-local"  # noqa: S105 - a name
TOKEN_AUDIENCE = "cairn"  # noqa: S105 - a name
PACE_SECRET = "cairn_pace_secret"  # noqa: S105 - a name
_ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class Identity:
    """Where the secrets lie. `secrets_directory` is what awarding reads as `CAIRN_SECRETS_DIR`.

    In it lie the badge namespace, the pepper, and what callers are counted under, each in a file named like its
    setting; in `verification_secrets_directory` the last alone, for verification. The issuers' keys lie beside them,
    Ed25519 for badges, P-256 for VC-JWTs and RSA for signed Open Badges 2.0, and so do the key of the log of issuance
    and the key that signs access tokens, which no service may hold.
    """

    secrets_directory: Path
    signing_key_file: Path
    jwt_key_file: Path
    token_key_file: Path
    token_keys_file: Path
    log_key_file: Path
    open_badge_2_key_file: Path
    verification_secrets_directory: Path

    @property
    def signing_key_files(self) -> tuple[Path, ...]:
        """The issuers' Ed25519 keys in turn: the first, and whatever lies beside it as `issuer-key-….pem`."""
        return self.signing_key_file, *sorted(self.signing_key_file.parent.glob("issuer-key-*.pem"))

    def mint_token(
        self, subject: str, scopes: Sequence[str], *, learner_id: str | None = None, hours: float = 1.0
    ) -> str:
        """An access token (a JWT, RFC 9068) for `subject` that holds `scopes` for `hours` from now."""
        key = ECKey.import_key(orjson.loads(self.token_key_file.read_bytes()))
        now = int(time.time())
        claims = {
            "iss": TOKEN_ISSUER,
            "aud": TOKEN_AUDIENCE,
            "sub": subject,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + int(hours * 3600),
            "jti": str(uuid4()),
        }
        if learner_id is not None:
            claims["learner_id"] = learner_id
        return jwt.encode({"alg": _ALGORITHM, "kid": key.kid, "typ": "at+jwt"}, claims, key)


def load_identity(directory: Path) -> Identity:
    """The identity kept in `directory`; what is missing of it is made now."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    services, verification = directory / "services", directory / "verification"
    for folder in (services, verification):
        folder.mkdir(exist_ok=True, mode=0o700)
    identity = Identity(
        services, directory / "issuer-key.pem", directory / "issuer-jwt-key.pem", directory / "token-key.json",
        directory / "token-keys.json", directory / "log-key.pem", directory / "issuer-open-badge-2-key.pem",
        verification,
    )  # fmt: skip
    for file in (identity.signing_key_file, identity.log_key_file):
        if not file.exists():
            create_key_file(file)
    if not identity.jwt_key_file.exists():
        create_token_key_file(identity.jwt_key_file)
    if not identity.open_badge_2_key_file.exists():
        create_rsa_key_file(identity.open_badge_2_key_file)
    if not identity.token_key_file.exists():
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": _ALGORITHM}, auto_kid=True)
        _write(identity.token_key_file, orjson.dumps(key.as_dict(private=True)))
    if not identity.token_keys_file.exists():
        key = ECKey.import_key(orjson.loads(identity.token_key_file.read_bytes()))
        _write(identity.token_keys_file, orjson.dumps({"keys": [key.as_dict(private=False)]}))
    for name, content in _made_up().items():
        if not (services / name).exists():
            _write(services / name, content.encode())
    if not (verification / PACE_SECRET).exists():
        _write(verification / PACE_SECRET, secrets.token_hex(32).encode())
    return identity


def _made_up() -> dict[str, str]:
    """Fresh secrets of the awarding service by file name; each is used only where none is kept yet."""
    return {
        "cairn_badge_namespace": str(uuid4()),
        "cairn_subject_pepper": secrets.token_hex(32),
        PACE_SECRET: secrets.token_hex(32),
    }


def _write(path: Path, content: bytes) -> None:
    """Write a secret so that it is never readable by others nor half there."""
    aside = path.with_suffix(f".{os.getpid()}")
    aside.touch(mode=0o600)
    aside.write_bytes(content.rstrip() + b"\n")
    aside.replace(path)

"""`make compose-secrets`: make the secrets of the containers in docker-compose.yml, each only where it is missing.

They are files below `.compose/secrets`, a folder that only its owner may enter; a container sees those
that its process needs, under /run/secrets. Nothing here has a default: two deployments share no password.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from deploy.local.identity import load_identity
from libs.common.contracts.topics import SERVICES

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".compose"
IMAGE_USER = 10001  # deploy/Dockerfile


def make_secrets(state: Path) -> int:
    """Make what is missing below `state`/secrets; return the number of the user that containers must run as."""
    folder = state / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    identity = load_identity(folder)
    for name in ("postgres", *SERVICES):
        password = folder / f"{name}-password"
        if not password.exists():
            _write(password, secrets.token_urlsafe(32))
        if name in SERVICES and not (folder / f"{name}-dsn").exists():
            dsn = f"postgresql://cairn_{name}:{password.read_text()}@postgres:5432/cairn_{name}"
            _write(folder / f"{name}-dsn", dsn)
    # The processes read these as the user of the image, and awarding refuses a key that others may read.
    user = os.getuid() or IMAGE_USER
    for path in (
        identity.signing_key_file,
        identity.jwt_key_file,
        identity.open_badge_2_key_file,
        identity.log_key_file,
        identity.token_keys_file,
        *identity.secrets_directory.iterdir(),
        *identity.verification_secrets_directory.iterdir(),
    ):
        if os.getuid() == 0:
            os.chown(path, user, user)
    return user


def _write(path: Path, secret: str) -> None:
    # PostgreSQL's image reads its passwords as a user of its own: the folder keeps others out, not the file.
    path.touch(mode=0o644)
    path.write_text(secret)
    path.chmod(0o644)


def main() -> None:
    """Make the secrets, and write to `.env`, which compose reads, as which user the containers run."""
    user = make_secrets(STATE)
    settings = ROOT / ".env"
    kept = settings.read_text().splitlines() if settings.exists() else []
    kept = [line for line in kept if not line.startswith("CAIRN_USER=")]
    settings.write_text("\n".join([*kept, f"CAIRN_USER={user}", ""]))
    print(f"secrets are in {STATE / 'secrets'}; containers run as user {user}")


if __name__ == "__main__":
    main()

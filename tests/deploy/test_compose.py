"""What docker-compose.yml reads is made by `make compose-secrets`, is different everywhere, and is nobody else's."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from deploy.compose_secrets import IMAGE_USER, make_secrets
from deploy.local.install import UV
from libs.common.contracts.topics import SERVICES
from tests.house.tree import ROOT

COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()


def _kept(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_secret_that_compose_reads_is_made(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    read = set(re.findall(r"file: \.compose/(secrets/\S+?)}", COMPOSE))
    assert len(read) == 18
    assert read <= set(_kept(tmp_path))
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "secrets" / "issuer-key.pem").stat().st_mode) == 0o600


def test_what_was_made_is_kept_and_two_deployments_share_nothing(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    make_secrets(first)
    made = _kept(first)
    make_secrets(first)
    assert _kept(first) == made
    make_secrets(second)
    assert not set(made.values()) & set(_kept(second).values())


def test_each_service_has_its_own_password(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    for service in SERVICES:
        password = (tmp_path / "secrets" / f"{service}-password").read_text()
        dsn = (tmp_path / "secrets" / f"{service}-dsn").read_text()
        assert dsn == f"postgresql://cairn_{service}:{password}@postgres:5432/cairn_{service}"


def test_compose_runs_every_process_once() -> None:
    for service in SERVICES:
        for process in ("api", "worker", "migrate"):
            assert COMPOSE.count(f"command: [services.{service}, {process}]") == 1
    assert "PASSWORD:" not in COMPOSE, "passwords come from files"


def test_the_image_is_built_by_the_same_uv_and_runs_as_nobody() -> None:
    assert f"ARG UV_VERSION={UV.removeprefix('uv==')}\n" in DOCKERFILE
    assert f"USER {IMAGE_USER}:{IMAGE_USER}\n" in DOCKERFILE
    assert not DOCKERFILE.startswith("# syntax"), "a build needs no further image"

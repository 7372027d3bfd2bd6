"""A signing key that others can read, or that is none, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.awarding.settings import AwardingSettings, SettingsError, read_signing_key
from services.awarding.worker import open_office
from tests.services.awarding.support import KEY, NAMESPACE


def kept(path: Path, content: bytes, mode: int = 0o600) -> Path:
    """A file with this content and mode."""
    path.write_bytes(content)
    path.chmod(mode)
    return path


def pem(key: Ed25519PrivateKey) -> bytes:
    """The key as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_raw_or_pem_key_is_read(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(KEY)
    assert read_signing_key(kept(tmp_path / "raw", KEY)) == KEY
    assert read_signing_key(kept(tmp_path / "pem", pem(key), 0o400)) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SettingsError, match="only its owner"):
        read_signing_key(kept(tmp_path / "key", KEY, mode))


def test_what_is_no_ed25519_key_is_refused_without_saying_what_it_holds(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    tampered = pem(Ed25519PrivateKey.from_private_bytes(KEY)).replace(b"M", b"?")
    for content in (b"", b"secret words", other, tampered, KEY + b"\n"):
        with pytest.raises(SettingsError, match="expected") as refused:
            read_signing_key(kept(tmp_path / "key", content))
        assert "secret words" not in str(refused.value)
    with pytest.raises(SettingsError, match="No such file"):
        read_signing_key(tmp_path / "missing")


def test_a_worker_does_not_start_without_its_secrets(tmp_path: Path) -> None:
    values = {
        "database_dsn": "postgresql://nowhere/x",
        "signing_key_file": kept(tmp_path / "key", KEY),
        "badge_namespace": str(NAMESPACE),
        "subject_pepper": "sixteen bytes or more",
    }
    assert open_office(AwardingSettings.model_validate(values)).public_key.startswith("z6Mk")
    for name, wrong in (
        ("signing_key_file", None),
        ("badge_namespace", None),
        ("badge_namespace", "no uuid"),
        ("subject_pepper", None),
        ("subject_pepper", "short"),
    ):
        with pytest.raises(SettingsError, match=f"CAIRN_{name.upper()}: expected"):
            open_office(AwardingSettings.model_validate(values | {name: wrong}))

"""A signing key that others can read, or that is none, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from libs.common.credentials.keys import multikey
from libs.common.signing.token_key import IssuerTokenSigner, create_token_key_file
from services.awarding.settings import AwardingSettings, SettingsError
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


def settings(**changes: object) -> AwardingSettings:
    """The settings of a worker."""
    values = {
        "database_dsn": "postgresql://nowhere/x",
        "badge_namespace": str(NAMESPACE),
        "subject_pepper": "sixteen bytes or more",
    }
    return AwardingSettings.model_validate(values | changes)


def test_keys_are_named_by_urls_in_turn_for_all_issuers_or_one(tmp_path: Path) -> None:
    first, second, third = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
    raw, pems = kept(tmp_path / "raw", first.private_bytes_raw()), kept(tmp_path / "second.pem", pem(second))
    music = kept(tmp_path / "music.pem", pem(third), 0o400)
    create_token_key_file(tmp_path / "jwt.pem")
    ring = settings(
        signing_key_file=raw, signing_keys=f"{pems.as_uri()}\n music={music.as_uri()}",
        jwt_keys=(tmp_path / "jwt.pem").as_uri(),
    ).ring()  # fmt: skip
    names = [multikey(key.public_key().public_bytes_raw()) for key in (first, second, third)]
    assert [key.key_id for key in ring.at_hand][:3] == names
    assert [key.issuer_id for key in ring.at_hand] == [None, None, "music", None]
    assert ring.at_hand[3].jwk_text is not None
    assert not ring.blocks


def test_rsa_is_selectable_for_tokens(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    path = kept(tmp_path / "jwt", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    ring = settings(signing_key_file=kept(tmp_path / "raw", KEY), jwt_keys=f"file:{path}").ring()
    token = ring.at_hand[1]
    assert token.key_id.startswith("rsa-")
    assert (token.jwk or {})["alg"] == "RS256"
    signing = ring.token_key(token.key_id)
    assert signing is not None
    assert IssuerTokenSigner(signing, "https://a.example/k").algorithm == "RS256"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path / "key", KEY, mode)
    for named in ({"signing_key_file": path}, {"signing_keys": path.as_uri()}):
        with pytest.raises(SettingsError, match="only its owner"):
            settings(**named).ring()
    with pytest.raises(SettingsError, match="only its owner"):
        settings(signing_key_file=kept(tmp_path / "good", KEY), jwt_keys=path.as_uri()).ring()


def test_what_is_no_key_of_that_kind_is_refused_without_saying_what_it_holds(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    wide = generate_private_key(SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    tampered = pem(Ed25519PrivateKey.from_private_bytes(KEY)).replace(b"M", b"?")
    for content in (b"", b"secret words", other, tampered, KEY + b"\n"):
        with pytest.raises(SettingsError, match="expected") as refused:
            settings(signing_keys=kept(tmp_path / "key", content).as_uri()).ring()
        assert "secret words" not in str(refused.value)
    good = kept(tmp_path / "good", KEY)
    for content in (b"", b"secret words", wide, KEY, pem(Ed25519PrivateKey.from_private_bytes(KEY))):
        with pytest.raises(SettingsError, match="expected"):
            settings(signing_key_file=good, jwt_keys=kept(tmp_path / "key", content).as_uri()).ring()
    with pytest.raises(SettingsError, match="No such file"):
        settings(signing_keys=f"file:{tmp_path}/missing").ring()
    with pytest.raises(SettingsError, match="beginning with one of"):
        settings(signing_keys="https://a.example/key").ring()


def test_a_worker_does_not_start_without_its_secrets(tmp_path: Path) -> None:
    good: dict[str, object] = {"signing_keys": kept(tmp_path / "key", KEY).as_uri()}
    assert open_office(settings(**good)).free_keys[0].key_id.startswith("z6Mk")
    for name, wrong in (
        ("signing_keys", ""),
        ("badge_namespace", None),
        ("badge_namespace", "no uuid"),
        ("subject_pepper", None),
        ("subject_pepper", "short"),
    ):
        with pytest.raises(SettingsError, match=f"CAIRN_{name.upper()}: expected"):
            open_office(settings(**good | {name: wrong}))

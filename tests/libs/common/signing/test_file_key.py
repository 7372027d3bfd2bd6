"""Keys in files: the owner alone may read them, and a replay signs the same bytes (B8)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from libs.common.credentials.issue import Template
from libs.common.credentials.keys import LocalSigner
from libs.common.credentials.proof import verify_proof
from libs.common.signing.file_key import create_key_file
from libs.common.signing.key import KeyUnusable, require_sound
from libs.common.signing.opening import open_key, open_signer
from tests.libs.common.credentials.samples import CLAIM, ISSUER, TERMS

SEED = bytes(range(32))


def pem(key: object = None, password: bytes | None = None) -> bytes:
    """A private key, by default the Ed25519 key of `SEED`, as PEM."""
    key = key or Ed25519PrivateKey.from_private_bytes(SEED)
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)  # type: ignore[attr-defined]


def key_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    """A file with `content` and `mode`."""
    path = folder / "key.pem"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("content", [pem(), SEED], ids=["PEM", "raw"])
def test_it_signs_as_the_local_signer_does(tmp_path: Path, content: bytes) -> None:
    signer = open_signer(f"file:{key_file(tmp_path, content)}", ISSUER.id)
    local = LocalSigner(SEED, ISSUER.id)
    assert (signer.verification_method, signer.public_key) == (local.verification_method, local.public_key)
    assert signer.sign(b"content") == local.sign(b"content")
    issued = Template(ISSUER, TERMS).issue(CLAIM, signer)
    assert issued == Template(ISSUER, TERMS).issue(CLAIM, local)
    assert verify_proof(issued.credential, {signer.verification_method: signer.public_key}.get).ok
    signer.key.close()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyUnusable, match=f"found mode {mode:04o}"):
        open_key(f"file:{key_file(tmp_path, pem(), mode)}")


@pytest.mark.parametrize(
    ("found", "content"),
    [
        ("32 raw bytes or", b"no key"),
        ("32 raw bytes or", pem(password=b"secret")),
        ("an Ed25519 key, found ECPrivateKey", pem(generate_private_key(SECP256R1()))),
    ],
)
def test_what_is_no_ed25519_key_is_refused(tmp_path: Path, found: str, content: bytes) -> None:
    with pytest.raises(KeyUnusable, match=f"expected {found}"):
        open_key(f"file:{key_file(tmp_path, content)}")


def test_a_new_key_is_the_owners_alone_and_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "new.pem"
    create_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = open_key(f"file://{path}").public_key
    with pytest.raises(FileExistsError):
        create_key_file(path)
    assert open_key(f"file:{path}").public_key == before


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("file:/nowhere/key.pem", "readable key file, found No such file"),
        ("file:relative.pem", "an absolute path"),
        ("https://a.example/key", "beginning with one of file, pkcs11, vault"),
        ("", "beginning with"),
        ("pkcs11:token=a;object=b", "module-path"),
        ("pkcs11:object=b?module-path=/m.so", "a token"),
        ("pkcs11:token=a?module-path=/m.so", "an object or id"),
        ("pkcs11:token=a;objct=b?module-path=/m.so", "found 'objct'"),
        ("pkcs11:token=a;object=b?module-path=/m.so&pin-value=1", "found 'pin-value'"),
        ("vault+https://v.example/keys/issuer?token-file=/t", "server/mount/keys/name"),
        ("vault+https://v.example/transit/issuer?token-file=/t", "server/mount/keys/name"),
        ("vault+https://v.example/transit/keys/issuer", "token-file"),
        ("vault+https://v.example/transit/keys/issuer?token-file=/t&version=x", "a number"),
        ("vault+https://v.example/transit/keys/issuer?token-file=/nowhere", "expected a token"),
    ],
)
def test_urls_that_name_no_key_are_refused(url: str, found: str) -> None:
    with pytest.raises(KeyUnusable, match=found):
        open_key(url)


class Restless:
    """A key whose signatures hold, yet differ each time: two keys in turn, as with a load balancer gone wrong."""

    def __init__(self) -> None:
        self.keys = [Ed25519PrivateKey.from_private_bytes(SEED), Ed25519PrivateKey.from_private_bytes(b"\1" * 32)]
        self.public_key = self.keys[0].public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        self.keys.append(self.keys.pop(0))
        return self.keys[-1].sign(content)

    def close(self) -> None:
        self.keys = []


def test_a_key_that_signs_differently_each_time_is_refused() -> None:
    with pytest.raises(KeyUnusable, match="deterministic"):
        require_sound(Restless())
    other = Restless()
    other.public_key = bytes(32)
    with pytest.raises(KeyUnusable, match="belongs to the private one"):
        require_sound(other)

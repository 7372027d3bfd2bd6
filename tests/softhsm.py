"""SoftHSM2, a hardware security module in software: one token for a run, since its library reads its place once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PLACES = (
    os.environ.get("SOFTHSM2_MODULE", ""),
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
ED25519 = "1.3.101.112"
ED448 = "1.3.101.113"
P256, P384 = "secp256r1", "secp384r1"


@pytest.fixture(scope="session")
def softhsm() -> Path:
    found = next((Path(place) for place in PLACES if place and Path(place).is_file()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed (Debian: softhsm2; or name it in SOFTHSM2_MODULE)")
    return found


@pytest.fixture(scope="session")
def hsm_token(softhsm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a token with the Ed25519 keys `issuer` (id 1) and `other` (id 2), the P-256 keys `tokens` and
    `more tokens`, and the RSA key `assertions`; add `object` or `id`.
    """
    pkcs11: Any = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (the extra `hsm`)")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    (folder / "pin").write_text("5678\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(settings)  # the module reads it when it is loaded, once a process
    words = ["softhsm2-util", "--init-token", "--free", "--label", "our token", "--so-pin", "1234", "--pin", "5678"]
    subprocess.run(words, check=True, capture_output=True)
    library = pkcs11.lib(str(softhsm))
    with library.get_token(token_label="our token").open(user_pin="5678", rw=True) as session:
        for number, (label, curve) in enumerate((("issuer", ED25519), ("other", ED25519), ("wide", ED448)), 1):
            generate(session, label, bytes([number]), curve)
        for label, curve in (("tokens", P256), ("more tokens", P256), ("wide tokens", P384)):
            generate_token_key(session, label, curve)
        for label, bits in (("assertions", 2048), ("short", 1024)):
            session.generate_keypair(pkcs11.KeyType.RSA, bits, store=True, label=label)
    yield f"pkcs11:token=our%20token;{{}}?module-path={softhsm}&pin-source=file:{folder}/pin"
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def generate(session: Any, label: str, number: bytes, curve: str) -> None:
    """Make a key pair within the token."""
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    parameters = session.create_domain_parameters(
        pkcs11.KeyType.EC_EDWARDS, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
    )
    parameters.generate_keypair(mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=label, id=number)


def generate_token_key(session: Any, label: str, curve: str) -> None:
    """Make a key pair for ECDSA within the token."""
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    parameters = session.create_domain_parameters(
        pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
    )
    parameters.generate_keypair(store=True, label=label)

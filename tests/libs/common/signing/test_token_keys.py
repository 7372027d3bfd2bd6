"""Keys of VC-JWTs and Open Badges 2.0 in an HSM and in Vault: what they sign holds for any reader (B8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import import_key

from libs.common.credentials.issue import Template
from libs.common.credentials.keys import LocalSigner
from libs.common.credentials.token_keys import public_jwk
from libs.common.signing.key import KeyUnusable
from libs.common.signing.opening import open_token_key
from libs.common.signing.ring import RingUnusable, open_ring
from libs.common.signing.token_key import IssuerTokenSigner, TokenKey, create_rsa_key_file, create_token_key_file
from tests.libs.common.credentials.samples import CLAIM, ISSUER, TERMS
from tests.libs.common.signing.vault_server import TransitServer, transit_server

KEY_URL = "https://issuer.example/keys/1"
EC, RSA = generate_ec_key(SECP256R1()), generate_rsa_key(65537, 2048)
SHORT_RSA = generate_rsa_key(65537, 1024)


def token_of(key: TokenKey) -> str:
    """A badge as VC-JWT, signed by `key`: read by a library that knows nothing of us."""
    signer = LocalSigner(bytes(32), ISSUER.id)
    issued = Template(ISSUER, TERMS).issue(CLAIM, signer, token_signer=IssuerTokenSigner(key, KEY_URL))
    assert issued.credential_jwt is not None
    read = jwt.decode(issued.credential_jwt, import_key(public_jwk(key.public_key)), algorithms=["ES256", "RS256"])
    assert (read.header["kid"], read.claims["iss"]) == (KEY_URL, ISSUER.id)
    return issued.credential_jwt


@pytest.mark.parametrize(("which", "equal"), [("object=tokens", False), ("object=assertions", True)])
def test_an_hsm_signs_what_holds(hsm_token: str, which: str, equal: bool) -> None:
    key = open_token_key(hsm_token.format(which))
    # RSA by PKCS #1 v1.5 gives equal bytes; ECDSA of a module is randomised, so what it signed is kept.
    assert (token_of(key) == token_of(key)) is equal
    key.close()
    token_of(key)  # a lost session is opened again
    key.close()


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ("object=issuer", "P-256 or RSA key, found another kind"),
        ("object=wide%20tokens", "P-256 or RSA key, found another kind"),
        ("object=short", "2048 bits or more, found 1024"),
        ("object=nobody", "NoSuchKey"),
    ],
)
def test_another_kind_of_key_in_an_hsm_is_refused(hsm_token: str, which: str, found: str) -> None:
    with pytest.raises(KeyUnusable, match=found) as caught:
        open_token_key(hsm_token.format(which))
    assert not caught.value.passing


@pytest.fixture
def transit(tmp_path: Path) -> Iterator[TransitServer]:
    """Vault's transit engine; its URL names the key."""
    (tmp_path / "token").write_text("s.good\n")
    with transit_server(tmp_path) as server:
        server.url += f"?token-file={tmp_path}/token&ca-file={tmp_path}/ca.pem"
        yield server


@pytest.mark.parametrize(("kind", "private", "equal"), [("ecdsa-p256", EC, False), ("rsa-2048", RSA, True)])
def test_vault_signs_what_holds(transit: TransitServer, kind: str, private: object, equal: bool) -> None:
    transit.kind, transit.keys = kind, [private]
    key = open_token_key(transit.url + "&version=1")
    assert (token_of(key) == token_of(key)) is equal
    transit.keys.append(generate_ec_key(SECP256R1()))  # a rotation there is another key here
    token_of(key)
    transit.spoil_signatures = True
    with pytest.raises(KeyUnusable):
        token_of(key)
    key.close()


@pytest.mark.parametrize(
    ("kind", "private", "found"),
    [
        ("ed25519", None, "an ecdsa-p256 or rsa key, found ed25519"),
        ("ecdsa-p256", generate_ec_key(SECP384R1()), "the curve P-256, found secp384r1"),
        ("rsa-2048", SHORT_RSA, "2048 bits or more, found 1024"),
    ],
)
def test_another_kind_of_key_in_vault_is_refused(
    transit: TransitServer, kind: str, private: object, found: str
) -> None:
    transit.kind = kind
    if private is not None:
        transit.keys = [private]
    with pytest.raises(KeyUnusable, match=found):
        open_token_key(transit.url)


def test_a_ring_takes_them_from_anywhere_and_signs_in_a_thread_then(tmp_path: Path, hsm_token: str) -> None:
    proof, token, rsa = tmp_path / "proof", tmp_path / "token.pem", tmp_path / "rsa.pem"
    proof.write_bytes(bytes(32))
    proof.chmod(0o600)
    create_token_key_file(token)
    create_rsa_key_file(rsa)
    local = open_ring(proof.as_uri(), token.as_uri(), rsa.as_uri())
    assert not local.blocks
    assert [key.signs for key in local.at_hand] == ["proofs", "tokens", "assertions"]
    for tokens, assertions in ((hsm_token.format("object=tokens"), ""), ("", hsm_token.format("object=assertions"))):
        ring = open_ring(proof.as_uri(), tokens, assertions)
        assert ring.blocks
        ring.close()


def test_a_key_of_open_badges_2_is_rsa_and_signs_nothing_else(tmp_path: Path) -> None:
    proof, token, rsa, weak = (tmp_path / name for name in ("proof", "token.pem", "rsa.pem", "weak.pem"))
    proof.write_bytes(bytes(32))
    weak.write_bytes(SHORT_RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for file in (proof, weak):
        file.chmod(0o600)
    create_token_key_file(token)
    create_rsa_key_file(rsa)
    for tokens, assertions, found in (
        ("", token.as_uri(), "an RSA key"),
        (rsa.as_uri(), rsa.as_uri(), "a key of its own"),
        ("", weak.as_uri(), "2048 bits or more"),
    ):
        with pytest.raises(RingUnusable, match=found) as caught:
            open_ring(proof.as_uri(), tokens, assertions)
        assert caught.value.use == "assertions"

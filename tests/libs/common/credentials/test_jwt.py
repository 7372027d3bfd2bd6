"""The VC-JWT twin, verified by joserfc (OB 3.0 certification: the header and claims that a token must have)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import import_key

from libs.common.credentials.documents import open_badge_3
from libs.common.credentials.jwt import JwtSigner, vc_jwt
from tests.libs.common.credentials.samples import FULL_CLAIM, FULL_TERMS, ISSUER

KEY_URL = "https://badges.example/issuers/ou/keys/1"
P256 = JwtSigner(derive_private_key(12345, SECP256R1()), KEY_URL)
RSA = JwtSigner(generate_private_key(65537, 2048), KEY_URL)
DOCUMENT = open_badge_3(ISSUER, FULL_TERMS, FULL_CLAIM)
BEGIN, END = 1391247059, 2022364800


@pytest.mark.parametrize("signer", [P256, RSA], ids=["ES256", "RS256"])
def test_an_independent_library_reads_it(signer: JwtSigner) -> None:
    token = vc_jwt(DOCUMENT, BEGIN, END, signer)
    read = jwt.decode(token, import_key(signer.public_jwk()), algorithms=[signer.algorithm])
    assert read.header == {"alg": signer.algorithm, "kid": KEY_URL, "typ": "JWT"}
    assert {name: read.claims[name] for name in ("iss", "jti", "sub", "nbf", "exp")} == {
        "iss": DOCUMENT["issuer"]["id"],
        "jti": DOCUMENT["id"],
        "sub": DOCUMENT["credentialSubject"]["id"],
        "nbf": BEGIN,
        "exp": END,
    }
    assert {name: read.claims[name] for name in DOCUMENT} == DOCUMENT
    with pytest.raises(BadSignatureError):
        jwt.decode(token[:-6] + "AAAAAA", import_key(signer.public_jwk()), algorithms=[signer.algorithm])


@pytest.mark.parametrize("signer", [P256, RSA], ids=["ES256", "RS256"])
def test_equal_claims_give_equal_tokens(signer: JwtSigner) -> None:
    assert vc_jwt(DOCUMENT, BEGIN, None, signer) == vc_jwt(DOCUMENT, BEGIN, None, signer)


def test_es256_as_in_rfc_6979() -> None:
    # Appendix A.2.5, SHA-256, "sample"
    key = derive_private_key(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, SECP256R1())
    assert JwtSigner(key, KEY_URL).sign(b"sample").hex() == (
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    )


def test_a_public_key_has_no_private_part() -> None:
    for signer in (P256, RSA):
        assert not {"d", "p", "q", "dp", "dq", "qi"} & signer.public_jwk().keys()


def test_weak_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="P-256"):
        JwtSigner(derive_private_key(12345, SECP384R1()), KEY_URL)
    with pytest.raises(ValueError, match="2048"):
        JwtSigner(generate_private_key(65537, 1024), KEY_URL)

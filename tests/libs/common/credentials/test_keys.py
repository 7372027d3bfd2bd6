"""Keys in their published forms (B8)."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openbadgeslib.ob3.did import resolve_verification_method

from libs.common.credentials import base58
from libs.common.credentials.canonical import canonical_nquads
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document, jwks, multikey, public_key_of_multikey
from tests.libs.common.credentials.samples import ISSUER, SIGNER, published_json

OLD = PublishedKey(
    LocalSigner(b"\7" * 32, ISSUER.id).public_key,
    valid_from=datetime(2020, 1, 1, tzinfo=UTC),
    valid_until=datetime(2022, 1, 1, tzinfo=UTC),
    revoked_at=datetime(2021, 6, 1, tzinfo=UTC),
)
REPLACED = PublishedKey(
    LocalSigner(b"\6" * 32, ISSUER.id).public_key,
    valid_from=datetime(2020, 1, 1, tzinfo=UTC),
    valid_until=datetime(2022, 1, 1, tzinfo=UTC),
)
NOW = PublishedKey(SIGNER.public_key)


@given(st.binary(max_size=80))
def test_base58_there_and_back(content: bytes) -> None:
    assert base58.decode(base58.encode(content)) == content


@pytest.mark.parametrize(
    ("content", "text"),
    # draft-msporny-base58, section 5
    [
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (
            b"The quick brown fox jumps over the lazy dog.",
            "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
        ),
        (bytes.fromhex("0000287fb4cd"), "11233QC4"),
    ],
)
def test_base58_as_in_its_specification(content: bytes, text: str) -> None:
    assert base58.encode(content) == text
    assert base58.decode(text) == content


def test_multikey_of_the_published_key_pair() -> None:
    pair = published_json("vectors/vc-di-eddsa/keyPair.json")
    assert multikey(public_key_of_multikey(pair["publicKeyMultibase"])) == pair["publicKeyMultibase"]


def test_multikey_of_the_published_did_keys() -> None:
    for did, entry in published_json("vectors/did-key/ed25519-x25519.json").items():
        key = public_key_of_multikey(did.removeprefix("did:key:"))
        assert f"did:key:{multikey(key)}" == did
        if "publicKeyBase58" in entry["verificationKeyPair"]:
            assert base58.decode(entry["verificationKeyPair"]["publicKeyBase58"]) == key
        if "seed" in entry:
            assert LocalSigner(bytes.fromhex(entry["seed"]), did).public_key == key


@pytest.mark.parametrize(
    "text", ["", "z", "z6Mk", "x6Mk", "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", "z" * 70]
)
def test_what_is_no_ed25519_multikey_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        public_key_of_multikey(text)


def test_a_multikey_holds_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        multikey(b"short")


def test_the_did_document_lists_every_key_ever_as_plain_text() -> None:
    document = did_document(ISSUER.id, [OLD, REPLACED, NOW], also_known_as=[ISSUER.url])
    # A revoked key signs nothing any more; one that was only replaced still vouches for what it signed (B8).
    assert document["assertionMethod"] == [f"{ISSUER.id}#{REPLACED.text}", SIGNER.verification_method]
    assert document["@context"][:2] == ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
    old, replaced, now = document["verificationMethod"]
    assert old["revoked"] == "2021-06-01T00:00:00Z"
    assert not {"expires", "revoked"} & replaced.keys()
    assert now == {
        "id": SIGNER.verification_method,
        "type": "Multikey",
        "controller": ISSUER.id,
        "publicKeyMultibase": multikey(SIGNER.public_key),
    }
    canonical_nquads(document)  # every term of it is defined


def test_openbadgeslib_finds_each_key_in_it() -> None:
    content = orjson.dumps(did_document(ISSUER.id, [OLD, NOW]))
    for key in (OLD, NOW):
        pem = resolve_verification_method(f"{ISSUER.id}#{key.text}", lambda url: content)
        assert pem.startswith(b"-----BEGIN PUBLIC KEY-----")


def test_jwks() -> None:
    # RFC 8037, appendix A.2
    rfc = PublishedKey(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    [key] = jwks([rfc])["keys"]
    assert (key["kty"], key["crv"], key["x"]) == ("OKP", "Ed25519", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert key["kid"] == rfc.text


def test_signatures_as_in_rfc_8032() -> None:
    # Section 7.1, test 2
    signer = LocalSigner(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), ISSUER.id)
    assert signer.sign(b"\x72").hex().startswith("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da")

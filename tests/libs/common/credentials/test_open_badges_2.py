"""Open Badges 2.0: signed assertions, keys, revocations, endorsements, judged by openbadgeslib (M1.39)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc import jws
from joserfc.jwk import import_key
from openbadgeslib.ob2.verifier import OB2VerificationError, OB2Verifier

from libs.common.credentials.endorsement import Endorsement
from libs.common.credentials.jwt import JwtSigner
from libs.common.credentials.model import IssuerProfile
from libs.common.credentials.open_badges_2 import (
    RevokedAssertion,
    assertion,
    badge_class,
    cryptographic_key,
    endorsement,
    issuer_profile,
    revocation_list,
    signed_assertion,
)
from tests.libs.common.credentials.samples import AT, FULL_CLAIM, FULL_TERMS, ISSUER, published_json

KEY = AT.open_badge_2_key("ou", "1")
OLD_KEY = AT.open_badge_2_key("ou", "0")
REVOCATIONS = AT.open_badge_2_revocations("ou")
RSA = JwtSigner(generate_private_key(65537, 2048), AT.issuer_key("ou", "1"))
P256 = JwtSigner(derive_private_key(12345, SECP256R1()), AT.issuer_key("ou", "1"))


def internet(signer: JwtSigner, **changes: Any) -> dict[str, Any]:
    """What is served: the key, the BadgeClass, the issuer, its revocations."""
    return {
        KEY: cryptographic_key(KEY, ISSUER, signer.public_pem()),
        FULL_TERMS.badge_class_url: badge_class(ISSUER, FULL_TERMS),
        ISSUER.open_badge_2_url: issuer_profile(ISSUER, public_keys=[OLD_KEY, KEY], revocations=REVOCATIONS),
        REVOCATIONS: revocation_list(REVOCATIONS, ISSUER, []),
        **changes,
    }


def verifier(served: dict[str, Any]) -> OB2Verifier:
    """Somebody else's verifier on that internet."""
    return OB2Verifier(download=lambda url: orjson.dumps(served[url]))


@pytest.mark.parametrize("signer", [RSA, P256], ids=["RS256", "ES256"])
def test_openbadgeslib_accepts_the_signed_assertion(signer: JwtSigner) -> None:
    token = signed_assertion(FULL_TERMS, FULL_CLAIM, signer, KEY)
    judge = verifier(internet(signer))
    found = judge.verify(token, expected_recipient="ada@learners.example", check_revocation=True)
    assert found.id == FULL_CLAIM.assertion_url
    with pytest.raises(OB2VerificationError, match="Recipient"):
        judge.verify(token, expected_recipient="mallory@learners.example")
    with pytest.raises(OB2VerificationError, match="Invalid signature"):
        judge.verify(token[:-8] + "AAAAAAAA")


@pytest.mark.parametrize("signer", [RSA, P256], ids=["RS256", "ES256"])
def test_the_token_says_what_the_hosted_assertion_says(signer: JwtSigner) -> None:
    token = signed_assertion(FULL_TERMS, FULL_CLAIM, signer, KEY)
    read = jws.deserialize_compact(token, import_key(signer.public_jwk()), algorithms=[signer.algorithm])
    assert read.headers() == {"alg": signer.algorithm}
    payload = json.loads(read.payload or b"")
    assert payload.pop("verification") == {"type": "SignedBadge", "creator": KEY}
    hosted = assertion(FULL_TERMS, FULL_CLAIM)
    assert hosted.pop("verification") == {"type": "HostedBadge"}
    assert payload == hosted
    assert token == signed_assertion(FULL_TERMS, FULL_CLAIM, signer, KEY)


def test_a_key_that_the_issuer_does_not_list_proves_nothing() -> None:
    token = signed_assertion(FULL_TERMS, FULL_CLAIM, RSA, KEY)
    unlisted = internet(RSA, **{ISSUER.open_badge_2_url: issuer_profile(ISSUER, public_keys=[OLD_KEY])})
    with pytest.raises(OB2VerificationError, match="does not list"):
        verifier(unlisted).verify(token)
    other = IssuerProfile("did:web:m.example", "M", "https://m.example/", "https://m.example/ob2")
    of_another = internet(RSA, **{KEY: cryptographic_key(KEY, other, RSA.public_pem())})
    with pytest.raises(OB2VerificationError, match="owner"):
        verifier(of_another).verify(token)


def test_a_revoked_assertion_is_refused_with_the_reason() -> None:
    token = signed_assertion(FULL_TERMS, FULL_CLAIM, RSA, KEY)
    others = RevokedAssertion("https://badges.example/ob2/assertions/another")
    revoked = RevokedAssertion(FULL_CLAIM.assertion_url, "Awarded by mistake")
    served = internet(RSA, **{REVOCATIONS: revocation_list(REVOCATIONS, ISSUER, [others, revoked])})
    with pytest.raises(OB2VerificationError, match="Awarded by mistake"):
        verifier(served).verify(token, check_revocation=True)


def test_openbadgeslib_accepts_the_hosted_assertion_of_an_issuer_with_keys() -> None:
    served = internet(RSA, **{FULL_CLAIM.assertion_url: assertion(FULL_TERMS, FULL_CLAIM)})
    document = orjson.dumps(served[FULL_CLAIM.assertion_url]).decode()
    assert verifier(served).verify_hosted(document, check_revocation=True).id == FULL_CLAIM.assertion_url


def test_documents_have_the_members_of_published_ones() -> None:
    web = "fixtures/ob2/web/badges.example.com/"
    given = Endorsement(
        AT.endorsement("1"), AT.open_badge_2_endorsement("1"), ISSUER, FULL_TERMS.id, "Solid", FULL_CLAIM.valid_from
    )
    ours = {
        "key1.json": cryptographic_key(KEY, ISSUER, RSA.public_pem()),
        "revoked.json": revocation_list(REVOCATIONS, ISSUER, []),
        "endorsement.json": endorsement(given, FULL_TERMS.badge_class_url),
    }
    for name, document in ours.items():
        published = published_json(web + name)
        assert document.keys() == published.keys(), name
        assert document["type"] == published["type"]
    assert ours["endorsement.json"]["claim"] == {"id": FULL_TERMS.badge_class_url, "endorsementComment": "Solid"}


def test_endorsements_are_named_by_what_is_endorsed() -> None:
    urls = [AT.open_badge_2_endorsement("1"), AT.open_badge_2_endorsement("2")]
    for document in (
        assertion(FULL_TERMS, FULL_CLAIM, endorsements=urls),
        badge_class(ISSUER, FULL_TERMS, endorsements=urls),
        issuer_profile(ISSUER, endorsements=urls),
    ):
        assert document["endorsement"] == urls
    for document in (assertion(FULL_TERMS, FULL_CLAIM), badge_class(ISSUER, FULL_TERMS), issuer_profile(ISSUER)):
        assert not {"endorsement", "publicKey", "revocationList"} & document.keys()


def test_a_reason_may_be_kept_back() -> None:
    listed = revocation_list(REVOCATIONS, ISSUER, [RevokedAssertion(replace(FULL_CLAIM).assertion_url)])
    assert listed["revokedAssertions"] == [{"id": FULL_CLAIM.assertion_url}]

"""The documents are what the standards' own schemas want (M1.39, OB 3.0 and OB 2.0)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from jsonschema import Draft201909Validator, FormatChecker
from openbadgeslib.ob2.verifier import OB2VerificationError, OB2Verifier

from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3, OPEN_BADGES_EXTENSIONS, PINNED, context
from libs.common.credentials.documents import instant, open_badge_3, profile
from libs.common.credentials.issue import Template
from libs.common.credentials.model import Alignment, Claim, Evidence, IssuerProfile, StatusEntry
from libs.common.credentials.open_badges_2 import assertion, badge_class, issuer_profile
from tests.libs.common.credentials.samples import (
    CLAIM,
    FULL_CLAIM,
    FULL_TERMS,
    ISSUER,
    SIGNER,
    TERMS,
    claims,
    published_json,
)


def validator(flavour: str, name: str) -> Draft201909Validator:
    """The published schema `name`; the two flavours share an `$id`, and the `#` in `$schema` is a slip."""
    schema = published_json(f"schemas/ob_v3p0/{flavour}/ob_v3p0_{name}_schema.json")
    schema.pop("$id", None)
    schema["$schema"] = "https://json-schema.org/draft/2019-09/schema"
    return Draft201909Validator(schema, format_checker=FormatChecker())


@pytest.mark.parametrize("flavour", ["json", "json-ld"])
def test_signed_badges_are_valid_against_the_published_schema(flavour: str) -> None:
    schema = validator(flavour, "achievementcredential")
    for terms, claim in ((TERMS, CLAIM), (FULL_TERMS, FULL_CLAIM), (TERMS, FULL_CLAIM), (FULL_TERMS, CLAIM)):
        credential = json.loads(Template(ISSUER, terms).issue(claim, SIGNER).credential)
        assert [error.message for error in schema.iter_errors(credential)] == []


@settings(max_examples=30, deadline=None)
@given(claims)
def test_any_allowed_claim_is_valid_against_the_published_schema(claim: Claim) -> None:
    # The schema wants one status entry at most: a deployment that names several lists forgoes it.
    document = open_badge_3(ISSUER, FULL_TERMS, replace(claim, status=claim.status[:1]))
    assert [error.message for error in validator("json", "achievementcredential").iter_errors(document)] == []


def test_the_issuer_is_valid_against_the_published_schema() -> None:
    pictured = replace(ISSUER, image="https://badges.example/pictures/a.png", image_caption="A lighthouse.")
    for issuer in (ISSUER, pictured):
        assert list(validator("json", "profile").iter_errors(profile(issuer))) == []
    assert profile(pictured)["image"] == {"id": pictured.image, "type": "Image", "caption": "A lighthouse."}
    assert issuer_profile(pictured)["image"] == {"id": pictured.image, "caption": "A lighthouse."}


def test_contexts_stand_in_the_order_that_verifiers_look_for() -> None:
    document = open_badge_3(ISSUER, TERMS, CLAIM)
    assert document["@context"] == [CREDENTIALS_V2, OPEN_BADGES_3, OPEN_BADGES_EXTENSIONS]


def test_every_pinned_context_is_installed_unchanged() -> None:
    for url in PINNED:
        assert "@context" in context(url)


def test_the_pinned_contexts_are_the_published_ones() -> None:
    # Files may differ in layout; the definitions must not.
    for url, entry in published_json("contexts/index.json").items():
        if url in PINNED and url in (CREDENTIALS_V2, OPEN_BADGES_3, OPEN_BADGES_EXTENSIONS):
            assert context(url) == published_json(f"contexts/{entry['file']}"), url


def test_a_name_is_shown_only_when_the_learner_chose_it() -> None:
    assert "identifier" not in open_badge_3(ISSUER, TERMS, CLAIM)["credentialSubject"]
    shown = open_badge_3(ISSUER, TERMS, replace(CLAIM, shown_name="Ada"))["credentialSubject"]["identifier"]
    assert shown == [{"type": "IdentityObject", "hashed": False, "identityHash": "Ada", "identityType": "name"}]


def test_an_address_appears_only_hashed() -> None:
    issued = Template(ISSUER, FULL_TERMS).issue(FULL_CLAIM, SIGNER)
    assert b"learners.example" not in issued.credential + issued.open_badge_2


def test_open_badges_2() -> None:
    full = assertion(FULL_TERMS, FULL_CLAIM)
    assert full["recipient"] == {
        "type": "email",
        "hashed": True,
        "salt": FULL_CLAIM.recipient.salt,
        "identity": FULL_CLAIM.recipient.identity_hash,
    }
    assert full["verification"] == {"type": "HostedBadge"}
    assert (full["issuedOn"], full["expires"]) == ("2014-02-01T09:30:59Z", "2034-02-01T00:00:00Z")
    badge = badge_class(ISSUER, FULL_TERMS)
    assert full["badge"] == badge["id"]
    assert badge["issuer"] == issuer_profile(ISSUER)["id"]
    # OB 2.0: what each of the three must have.
    assert {"id", "type", "recipient", "badge", "verification", "issuedOn"} <= full.keys()
    assert {"id", "type", "name", "description", "image", "criteria", "issuer"} <= badge.keys()
    assert {"id", "type", "name", "url", "email"} <= issuer_profile(ISSUER).keys()
    assert assertion(TERMS, CLAIM)["recipient"]["type"] == "url"


@pytest.mark.parametrize("shape", ["full", "plain"])
def test_openbadgeslib_accepts_the_hosted_twin(shape: str) -> None:
    terms, claim = (FULL_TERMS, FULL_CLAIM) if shape == "full" else (TERMS, CLAIM)
    template = Template(ISSUER, terms)
    hosted = {
        claim.assertion_url: template.issue(claim, SIGNER).open_badge_2,
        terms.badge_class_url: template.open_badge_2_class,
        ISSUER.open_badge_2_url: template.open_badge_2_issuer,
    }
    verifier = OB2Verifier(download=hosted.__getitem__)
    document = hosted[claim.assertion_url].decode()
    recipient = "ada@learners.example" if shape == "full" else None
    assert verifier.verify_hosted(document, expected_recipient=recipient).id == claim.assertion_url
    if shape == "full":
        with pytest.raises(OB2VerificationError):
            verifier.verify_hosted(document, expected_recipient="mallory@learners.example")


def test_instants_are_utc_to_the_second() -> None:
    paris = timezone(timedelta(hours=1))
    assert instant(datetime(2024, 3, 1, 0, 30, 5, 999_999, tzinfo=paris)) == "2024-02-29T23:30:05Z"
    assert instant(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("id", lambda: IssuerProfile("ou", "n", "https://a.example/", "https://a.example/")),
        ("url", lambda: IssuerProfile("did:web:a", "n", "javascript:alert(1)", "https://a.example/")),
        ("name", lambda: IssuerProfile("did:web:a", "", "https://a.example/", "https://a.example/")),
        ("name", lambda: replace(CLAIM, name="half \ud800")),
        ("name", lambda: replace(CLAIM, name="x" * 20_001)),
        ("badge_url", lambda: replace(CLAIM, badge_url="https://a.example/a b")),
        ("valid_from", lambda: replace(CLAIM, valid_from=datetime(2024, 1, 1))),  # noqa: DTZ001
        ("id", lambda: Evidence("_:b0")),
        ("url", lambda: Alignment("n", "/relative")),
        ("list_url", lambda: StatusEntry("https://a.example/#x", 1)),
        ("index", lambda: StatusEntry("https://a.example/", -1)),
    ],
)
def test_values_that_no_document_could_carry_are_refused_by_name(field: str, make: object) -> None:
    with pytest.raises(ValueError, match=rf"^{field}: expected"):
        make()  # type: ignore[operator]

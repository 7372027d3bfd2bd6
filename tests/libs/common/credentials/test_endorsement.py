"""Endorsements: valid by themselves, and within the badge that carries them (OB 3.0; issue 4: credentials)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from hypothesis import given
from hypothesis import strategies as st
from openbadgeslib.ob3.ldp import OB3LdpVerifier, OB3VerificationError

from libs.common.credentials.canonical import canonical_nquads
from libs.common.credentials.documents import assemble, fixed_parts
from libs.common.credentials.endorsement import Endorsement, endorsement_credential
from libs.common.credentials.identifiers import did_web_url
from libs.common.credentials.issue import Template
from libs.common.credentials.jwt import JwtSigner, vc_jwt
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from libs.common.credentials.model import IssuerProfile, ShownIdentifier
from libs.common.credentials.proof import sign, verify_proof
from libs.common.credentials.shape import Shapes
from tests.libs.common.credentials.samples import (
    AT,
    CLAIM,
    FULL_CLAIM,
    FULL_TERMS,
    ISSUER,
    SIGNER,
    TERMS,
    texts,
)
from tests.libs.common.credentials.test_documents import validator
from tests.libs.common.credentials.test_shape import unhurried

ACCREDITOR = IssuerProfile(
    AT.issuer_did("acc"), "Accreditor", "https://acc.example/", AT.issuer_open_badge_2("acc"), "a@acc.example"
)
ACCREDITORS_KEY = LocalSigner(b"\x0d" * 32, ACCREDITOR.id)
TOKENS = JwtSigner(derive_private_key(54321, SECP256R1()), AT.issuer_key("acc", "1"))
SIGNED_ON = datetime(2025, 3, 1, tzinfo=UTC)
SHAPES = Shapes()


def endorsement(endorsed: str, comment: str = "A *solid* programme", number: int = 1) -> Endorsement:
    """What the accreditor says for `endorsed`."""
    return Endorsement(
        AT.endorsement(str(number)), AT.open_badge_2_endorsement(str(number)), ACCREDITOR, endorsed, comment, SIGNED_ON
    )


def signed(given: Endorsement) -> bytes:
    """The endorsement with its proof."""
    return orjson.dumps(sign(endorsement_credential(given), ACCREDITORS_KEY, SIGNED_ON, SHAPES).document)


def token(given: Endorsement) -> str:
    """The endorsement as VC-JWT."""
    return vc_jwt(endorsement_credential(given), int(SIGNED_ON.timestamp()), None, TOKENS)


def holds(content: Any) -> bool:
    """Whether the proof of a document holds, by the key of whoever issued it."""
    keys = {signer.verification_method: signer.public_key for signer in (SIGNER, ACCREDITORS_KEY)}
    return verify_proof(orjson.dumps(content), keys.get).ok


ENDORSED_TERMS = replace(
    FULL_TERMS, endorsements=(signed(endorsement(FULL_TERMS.id)),), endorsement_jwts=(token(endorsement(TERMS.id)),)
)
ENDORSED_CLAIM = replace(
    FULL_CLAIM,
    endorsements=tuple(
        signed(endorsement(FULL_CLAIM.badge_url, text, number)) for number, text in ((2, "A"), (3, "B"))
    ),
    endorsement_jwts=(token(endorsement(FULL_CLAIM.badge_url)),),
    shown_identifiers=(ShownIdentifier("sisSourcedId", "S-1"), ShownIdentifier("emailAddress", "ada@a.example")),
)


@pytest.mark.parametrize("flavour", ["json", "json-ld"])
def test_it_is_valid_against_the_published_schema(flavour: str) -> None:
    for given_endorsement in (
        endorsement(FULL_TERMS.id),
        replace(endorsement(ISSUER.id), valid_until=datetime(2030, 1, 1, tzinfo=UTC), status=FULL_CLAIM.status[0]),
    ):
        document = json.loads(signed(given_endorsement))
        assert [error.message for error in validator(flavour, "endorsementcredential").iter_errors(document)] == []
        assert holds(document)


def test_openbadgeslib_accepts_a_badge_with_endorsements() -> None:
    # It refuses a badge in which something else speaks of the badge itself: of that, only tokens.
    claim = replace(ENDORSED_CLAIM, evidence=(), endorsements=())
    badge = Template(ISSUER, ENDORSED_TERMS).issue(claim, SIGNER).credential
    document = orjson.dumps(did_document(ISSUER.id, [PublishedKey(SIGNER.public_key)]))
    verifier = OB3LdpVerifier.for_issuer_did(ISSUER.id)
    assert verifier.verify(badge, download={did_web_url(ISSUER.id): document}.__getitem__).issuer.id == ISSUER.id
    with pytest.raises(OB3VerificationError, match="described again"):
        verifier.verify(
            Template(ISSUER, TERMS).issue(replace(ENDORSED_CLAIM, evidence=()), SIGNER).credential,
            download={did_web_url(ISSUER.id): document}.__getitem__,
        )


@pytest.mark.parametrize("flavour", ["json", "json-ld"])
def test_a_badge_carries_endorsements_of_it_and_of_its_achievement(flavour: str) -> None:
    issued = Template(ISSUER, ENDORSED_TERMS).issue(ENDORSED_CLAIM, SIGNER)
    badge = json.loads(issued.credential)
    assert [error.message for error in validator(flavour, "achievementcredential").iter_errors(badge)] == []
    assert holds(badge)
    inner = [*badge["endorsement"], *badge["credentialSubject"]["achievement"]["endorsement"]]
    assert len(inner) == 3
    assert all(holds(document) for document in inner)
    assert badge["endorsementJwt"] == list(ENDORSED_CLAIM.endorsement_jwts)
    assert badge["credentialSubject"]["achievement"]["endorsementJwt"] == list(ENDORSED_TERMS.endorsement_jwts)


def test_no_endorsement_can_be_altered_added_or_taken_away() -> None:
    badge = json.loads(Template(ISSUER, ENDORSED_TERMS).issue(ENDORSED_CLAIM, SIGNER).credential)
    for change in (
        lambda d: d["endorsement"][0]["credentialSubject"].update(endorsementComment="Brilliant"),
        lambda d: d["endorsement"][0]["proof"][0].update(created="2025-03-02T00:00:00Z"),
        lambda d: d["endorsement"].pop(),
        lambda d: d.pop("endorsementJwt"),
        lambda d: d["credentialSubject"]["achievement"].pop("endorsement"),
        lambda d: d["credentialSubject"]["achievement"]["endorsement"].append(d["endorsement"][0]),
    ):
        altered = json.loads(json.dumps(badge))
        change(altered)
        assert not holds(altered)


FIXED = fixed_parts(ISSUER, ENDORSED_TERMS)
ENDORSED_SHAPES = Shapes(*FIXED.values())


@unhurried(40)
@given(st.lists(texts, max_size=2), st.lists(st.tuples(st.sampled_from(["name", "userName"]), texts), max_size=3))
def test_the_compiled_form_is_the_reference_form(comments: list[str], shown: list[tuple[Any, str]]) -> None:
    claim = replace(
        CLAIM,
        endorsements=tuple(
            orjson.dumps(
                {
                    **endorsement_credential(endorsement(CLAIM.badge_url, comment, number)),
                    "proof": [{"type": "DataIntegrityProof", "proofValue": "z" + str(number)}],
                }
            )
            for number, comment in enumerate(comments)
        ),
        endorsement_jwts=tuple(f"a.{number}.c" for number, _ in enumerate(comments)),
        shown_identifiers=tuple(ShownIdentifier(kind, value) for kind, value in shown),
    )
    document = assemble(FIXED, "A name", claim)
    assert ENDORSED_SHAPES.canonical(document).text == canonical_nquads(document)


def test_it_is_compiled() -> None:
    template = Template(ISSUER, ENDORSED_TERMS)
    assert template.issue(ENDORSED_CLAIM, SIGNER).compiled
    assert SHAPES.canonical(endorsement_credential(endorsement(TERMS.id, "Well done"))).compiled


def test_identifiers_are_shown_once_each_and_only_by_choice() -> None:
    twice = replace(CLAIM, shown_name="Ada", shown_identifiers=(ShownIdentifier("name", "Ada"),) * 2)
    subject = assemble(FIXED, "A name", twice)["credentialSubject"]
    assert [entry["identityHash"] for entry in subject["identifier"]] == ["Ada"]
    assert "identifier" not in assemble(FIXED, "A name", CLAIM)["credentialSubject"]


@pytest.mark.parametrize(
    ("what", "make"),
    [
        ("endorsed", lambda: endorsement("not an IRI")),
        ("comment", lambda: endorsement(TERMS.id, "")),
        ("valid_from", lambda: replace(endorsement(TERMS.id), valid_from=datetime(2025, 1, 1))),  # noqa: DTZ001
        ("endorsement_jwts", lambda: replace(CLAIM, endorsement_jwts=("no token",))),
        ("endorsement_jwts", lambda: replace(TERMS, endorsement_jwts=("a.b",))),
        ("value", lambda: ShownIdentifier("name", "")),
    ],
)
def test_values_that_no_document_could_carry_are_refused_by_name(what: str, make: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{what}: expected"):
        make()

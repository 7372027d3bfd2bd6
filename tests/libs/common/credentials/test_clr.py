"""Learner records (CLR 2.0): valid, signed, and every badge within still verifies (issue 4: credentials)."""

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
from joserfc import jws, jwt
from joserfc.jwk import import_key
from jsonschema import Draft201909Validator, FormatChecker

from libs.common.credentials.canonical import MAX_BYTES, RECORD_BOUNDS, NotCanonical, canonical_nquads, parse_json
from libs.common.credentials.clr import Association, LearnerRecord, PartBefore, clr_credential
from libs.common.credentials.contexts import CLR_2, CREDENTIALS_V2, OPEN_BADGES_3
from libs.common.credentials.identifiers import badge_id
from libs.common.credentials.issue import Template
from libs.common.credentials.jwt import JwtSigner, vc_jwt
from libs.common.credentials.model import AchievementTerms, ShownIdentifier
from libs.common.credentials.proof import sign, sign_canonical, verify_proof
from libs.common.credentials.shape import Shapes
from tests.libs.common.credentials.samples import (
    AT,
    CLAIM,
    FULL_CLAIM,
    FULL_TERMS,
    ISSUER,
    NAMESPACE,
    SIGNER,
    TERMS,
    published_json,
    texts,
)
from tests.libs.common.credentials.test_shape import unhurried

SIGNED_ON = datetime(2026, 5, 1, tzinfo=UTC)
BADGES = (
    Template(ISSUER, TERMS).issue(CLAIM, SIGNER).credential,
    Template(ISSUER, FULL_TERMS).issue(FULL_CLAIM, SIGNER).credential,
)
NEXT_TERMS = replace(TERMS, id=AT.achievement("ccc", "1"), name="Module CCC")
RECORD = LearnerRecord(
    url=AT.record("1"),
    name="Pathway: from AAA to CCC",
    issuer=ISSUER,
    subject_id=CLAIM.subject_id,
    recipient=FULL_CLAIM.recipient,
    valid_from=SIGNED_ON,
    badges=BADGES,
    associations=(
        Association("isPartOf", TERMS.id, NEXT_TERMS.id),
        Association("precedes", TERMS.id, FULL_TERMS.id),
        Association("precedes", TERMS.id, FULL_TERMS.id),
    ),
    achievements=(NEXT_TERMS,),
    valid_until=datetime(2036, 5, 1, tzinfo=UTC),
    description="Two of three modules",
    partial=True,
    shown_name="Ada Lovelace",
    shown_identifiers=(ShownIdentifier("sisSourcedId", "S-1"),),
    status=FULL_CLAIM.status[:1],
    refresh_url=AT.record("1") + "/refresh",
    before=PartBefore(AT.record("0"), "sha384-" + "A" * 64),
)
PLAIN = LearnerRecord(AT.record("2"), "Stack", ISSUER, CLAIM.subject_id, CLAIM.recipient, SIGNED_ON, BADGES[:1])


def holds(content: Any) -> bool:
    """Whether the proof of a document holds."""
    return verify_proof(orjson.dumps(content), {SIGNER.verification_method: SIGNER.public_key}.get).ok


def signed(record: LearnerRecord) -> Any:
    """The record with its proof, as a reader gets it."""
    document = clr_credential(record)
    return json.loads(orjson.dumps(sign_canonical(document, canonical_nquads(document), SIGNER, SIGNED_ON)))


def many(count: int, terms: AchievementTerms = TERMS) -> LearnerRecord:
    """A record of `count` badges of one achievement, renewed each time, each with the learner's name."""
    template = Template(ISSUER, terms)
    claims = [
        replace(CLAIM, badge_url=AT.badge(badge_id(NAMESPACE, "l", "aaa", "1", cycle)), shown_name="Ada")
        for cycle in range(count)
    ]
    return replace(PLAIN, badges=tuple(template.issue(claim, SIGNER).credential for claim in claims))


@pytest.mark.parametrize("record", [RECORD, PLAIN], ids=["full", "plain"])
def test_a_signed_record_is_valid_against_the_published_schema(record: LearnerRecord) -> None:
    schema = published_json("schemas/clr_v2p0/json-ld/clr_v2p0_clrcredential_schema.json")
    schema.pop("$id", None)
    schema["$schema"] = "https://json-schema.org/draft/2019-09/schema"
    document = signed(record)
    errors = Draft201909Validator(schema, format_checker=FormatChecker()).iter_errors(document)
    assert [error.message[:300] for error in errors] == []
    assert holds(document)


def test_contexts_stand_in_the_order_that_certification_wants() -> None:
    assert clr_credential(RECORD)["@context"][:3] == [CREDENTIALS_V2, CLR_2, OPEN_BADGES_3]


def test_every_badge_in_it_still_verifies_and_is_unchanged() -> None:
    document = signed(RECORD)
    inner = document["credentialSubject"]["verifiableCredential"]
    assert [json.loads(badge) for badge in BADGES] == inner
    assert all(holds(badge) for badge in inner)


def test_nothing_in_it_can_be_altered() -> None:
    document = signed(RECORD)
    for change in (
        lambda s: s["verifiableCredential"].pop(),
        lambda s: s["verifiableCredential"][0].update(name="Module ZZZ"),
        lambda s: s["verifiableCredential"][0]["proof"][0].update(proofValue="z1"),
        lambda s: s["association"][0].update(associationType="isParentOf"),
        lambda s: s["identifier"].pop(),
        lambda s: s["achievement"][0].update(name="Another"),
    ):
        altered = json.loads(json.dumps(document))
        change(altered["credentialSubject"])
        assert not holds(altered)
    for name in ("partial", "credentialStatus", "relatedResource"):
        assert not holds({member: value for member, value in document.items() if member != name})


SHAPES = Shapes()


@unhurried(25)
@given(texts, texts, st.lists(texts, min_size=1, max_size=2))
def test_the_compiled_form_is_the_reference_form(name: str, shown: str, narratives: list[str]) -> None:
    template = Template(ISSUER, FULL_TERMS)
    claims = [
        replace(CLAIM, badge_url=AT.badge(str(number)), narrative=narrative, shown_name=shown)
        for number, narrative in enumerate(narratives)
    ]
    badges = tuple(template.issue(claim, SIGNER).credential for claim in claims)
    document = clr_credential(replace(RECORD, name=name, shown_name=shown, badges=badges))
    assert SHAPES.canonical(document).text == canonical_nquads(document)


def test_what_says_the_same_is_said_once() -> None:
    assert len(clr_credential(RECORD)["credentialSubject"]["association"]) == 2
    twice = clr_credential(replace(PLAIN, badges=BADGES[:1] * 2))
    assert len(twice["credentialSubject"]["verifiableCredential"]) == 1
    assert "partial" not in clr_credential(PLAIN)


def test_one_achievement_renewed_many_times() -> None:
    # Each badge repeats the learner's name, alignments and lists of grades: statements that nothing tells apart.
    assert holds(signed(many(12, FULL_TERMS)))


def test_a_record_of_hundreds_is_signed_whole() -> None:
    document = signed(many(300))
    assert len(document["credentialSubject"]["verifiableCredential"]) == 300
    assert holds(document)


def test_only_a_record_may_be_so_large() -> None:
    whole = orjson.dumps(clr_credential(many(150)))
    assert MAX_BYTES < len(whole) < RECORD_BOUNDS.bytes
    assert len(parse_json(whole)["credentialSubject"]["verifiableCredential"]) == 150
    for content in (
        whole.replace(b'"ClrCredential"', b'"AchievementCredential"'),
        whole.replace(b'"name":"Stack"', b'"name":"ClrCredential"').replace(b',"ClrCredential"', b""),
        whole[:-1] + b" " * (RECORD_BOUNDS.bytes - len(whole) + 1) + b"}",
    ):
        with pytest.raises(NotCanonical, match="too-large"):
            parse_json(content)
    many_values = {**clr_credential(PLAIN), "name": [1] * RECORD_BOUNDS.nodes}
    with pytest.raises(NotCanonical, match="too-many-nodes"):
        canonical_nquads(many_values)


def test_a_canonical_form_made_elsewhere_gives_the_same_proof() -> None:
    document = clr_credential(RECORD)
    assert (
        sign_canonical(document, canonical_nquads(document), SIGNER, SIGNED_ON)
        == sign(document, SIGNER, SIGNED_ON, Shapes()).document
    )
    with pytest.raises(ValueError, match="without a proof"):
        sign_canonical({**document, "proof": []}, "", SIGNER, SIGNED_ON)


def test_a_record_is_signed_as_a_token_too() -> None:
    document = clr_credential(many(80))
    signer = JwtSigner(derive_private_key(12345, SECP256R1()), AT.issuer_key("ou", "1"))
    token = vc_jwt(document, int(SIGNED_ON.timestamp()), None, signer)
    registry = jws.JWSRegistry(algorithms=["ES256"])
    registry.max_payload_length = len(token)  # readers have bounds of their own; this one's is 128,000 bytes
    read = jwt.decode(token, import_key(signer.public_jwk()), registry=registry)
    inner = read.claims["credentialSubject"]["verifiableCredential"]
    assert len(inner) == 80
    assert all(holds(badge) for badge in (inner[0], inner[-1]))


@pytest.mark.parametrize(
    ("what", "make"),
    [
        ("badges", lambda: replace(PLAIN, badges=())),
        ("url", lambda: replace(PLAIN, url="records/1")),
        ("valid_from", lambda: replace(PLAIN, valid_from=datetime(2025, 1, 1))),  # noqa: DTZ001
        ("target", lambda: Association("precedes", TERMS.id, "x")),
        ("url", lambda: PartBefore("records/1", "sha384-A")),
        ("digest_sri", lambda: PartBefore(AT.record("1"), "")),
    ],
)
def test_values_that_no_document_could_carry_are_refused_by_name(what: str, make: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{what}: expected"):
        make()

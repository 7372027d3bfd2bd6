"""Badges to test with: one plain sample of everything, and strategies for arbitrary allowed values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import strategies as st

from libs.common.credentials.addresses import Addresses
from libs.common.credentials.identifiers import badge_id, hashed_email, hashed_subject, recipient_salt, subject_id
from libs.common.credentials.keys import LocalSigner, public_key_of_multikey
from libs.common.credentials.model import (
    AchievementTerms,
    Alignment,
    Claim,
    Evidence,
    IssuerProfile,
    Result,
    ResultDescription,
    RubricLevel,
    StatusEntry,
)

AT = Addresses("https://badges.example")
NAMESPACE = UUID("5e1c9f0e-7b39-4b7e-9a3c-7d7f4a1d5b10")
PEPPER = b"a pepper for tests"
PUBLISHED = Path(__file__).parents[5] / "shared" / "data" / "credentials"

ISSUER = IssuerProfile(
    id=AT.issuer_did("ou"),
    name="Université ouverte",
    url="https://ou.example/",
    open_badge_2_url=AT.issuer_open_badge_2("ou"),
    email="badges@ou.example",
)
TERMS = AchievementTerms(
    id=AT.achievement("aaa", "1"),
    name="Module AAA",
    description="Passed every assessment of one presentation of AAA.",
    type="MicroCredential",
    criteria_narrative="A score of 40 or more in *each* assessment.\n\n* no exam",
    criteria_url=AT.achievement("aaa", "1"),
    image=AT.achievement_image("aaa", "1"),
    badge_class_url=AT.badge_class("aaa", "1"),
    version="1",
)
FULL_TERMS = AchievementTerms(
    id=AT.achievement("bbb", "2"),
    name='Module BBB: 100 % "quoted" \\ \t and ☃',
    description="A description\nof two lines",
    type="ext:Milestone",
    criteria_narrative="Everything.",
    criteria_url=AT.achievement("bbb", "2"),
    image=AT.achievement_image("bbb", "2"),
    badge_class_url=AT.badge_class("bbb", "2"),
    version="2",
    language="en-GB",
    image_caption="A hexagon with %s on it",
    tags=("one", "two", "one"),
    alignments=(
        Alignment("Empathy", "https://case.example/items/1", framework="Skills", code="S.1", type="CFItem"),
        Alignment("Listening", "https://case.example/items/2", description="To listen"),
        Alignment("Listening", "https://case.example/items/2", description="To listen"),
    ),
    results=(
        ResultDescription(
            AT.achievement("bbb", "2") + "/results/grade", "Grade", "LetterGrade", ("C", "B", "A"), required_value="B"
        ),
        ResultDescription(
            AT.achievement("bbb", "2") + "/results/rubric",
            "Rubric",
            "RubricCriterionLevel",
            required_level=AT.achievement("bbb", "2") + "/levels/1",
            levels=(
                RubricLevel(AT.achievement("bbb", "2") + "/levels/1", "Pass", level="1", points="10"),
                RubricLevel(AT.achievement("bbb", "2") + "/levels/2", "Merit", "Above a pass", "2", "20"),
            ),
        ),
    ),
    human_code="BBB-2",
    field_of_study="Social sciences",
    specialization="Empathy",
    credits_available=7.5,
    creator=IssuerProfile("did:web:author.example", "Author", "https://author.example/", "https://author.example/2"),
)
SIGNER = LocalSigner(bytes(range(32)), ISSUER.id)
BADGE = badge_id(NAMESPACE, "learner-1", "aaa", "1", 0)
SALT = recipient_salt(PEPPER, BADGE)
SUBJECT = subject_id(PEPPER, "learner-1", ISSUER.id)
CLAIM = Claim(
    badge_url=AT.badge(BADGE),
    assertion_url=AT.assertion(BADGE),
    subject_id=SUBJECT,
    recipient=hashed_subject(SUBJECT, SALT),
    valid_from=datetime(2014, 2, 1, 9, 30, tzinfo=UTC),
)
FULL_CLAIM = Claim(
    badge_url=AT.badge(BADGE),
    assertion_url=AT.assertion(BADGE),
    subject_id=SUBJECT,
    recipient=hashed_email("ada@learners.example", SALT),
    valid_from=datetime(2014, 2, 1, 9, 30, 59, 123456, tzinfo=UTC),
    valid_until=datetime(2034, 2, 1, tzinfo=UTC),
    name="Module BBB, with merit",
    narrative="Ada did well.",
    shown_name="Ada Lovelace ✨",
    evidence=(
        Evidence("https://portfolio.example/ada/1?v=1&w=%20#top", "Portfolio", "d", "n", "ePortfolio", "Everybody"),
        Evidence(name="An interview", narrative="Control characters: \x00\x01\b\f\x0b\x7f\x85\u2028"),
    ),
    results=(
        Result(AT.achievement("bbb", "2") + "/results/grade", value="A", status="Completed"),
        Result(
            AT.achievement("bbb", "2") + "/results/rubric",
            achieved_level=AT.achievement("bbb", "2") + "/levels/2",
        ),
    ),
    status=(StatusEntry(AT.status_list("ou-revocation-1"), 94567),),
    credits_earned=7.5,
    refresh_url=AT.badge(BADGE) + "/refresh",
)


def published(path: str) -> Path:
    """A file of the published vectors and schemas; the test is skipped where they are not at hand."""
    found = PUBLISHED / path
    if not found.exists():
        pytest.skip(f"published material is not at hand: {found}")
    return found


def published_json(path: str) -> dict:
    """The JSON of `published(path)`."""
    return json.loads(published(path).read_text(encoding="utf-8"))


def key_in_name(method: str) -> bytes | None:
    """The key that a verification method ending in `#z6Mk…` names by itself."""
    return public_key_of_multikey(method.partition("#")[2])


# Anything, and in particular what has to be escaped somewhere or could be taken for syntax.
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40) | st.text(
    '"\\\0\x01\b\t\n\v\f\r\x1f\x7f\x85\u2028\ufffe\uffff\U0001f600%s<>{}_:@^. ', min_size=1, max_size=12
)
_segment = st.text("abcXYZ012-._~!$&'()*+,;=:@%25", min_size=1, max_size=12).map(lambda text: text.replace("%", "%2F"))
iris = st.one_of(
    st.builds("https://{}.example/{}".format, st.sampled_from(["a", "xn--bcher-kva"]), _segment),
    st.builds(
        "http://localhost:8080/{}?{}#{}".format, _segment, _segment, _segment.filter(lambda text: ":" not in text)
    ),
    st.uuids().map(lambda value: value.urn),
    st.builds("did:web:{}".format, st.sampled_from(["a.example", "a.example%3A8080:issuers:ou"])),
)
_instants = st.datetimes(timezones=st.just(UTC))
evidences = st.builds(
    Evidence,
    id=st.none() | iris,
    name=st.none() | texts,
    description=st.none() | texts,
    narrative=st.none() | texts,
    genre=st.none() | texts,
    audience=st.none() | texts,
)
results = st.builds(
    Result,
    description=st.none() | iris,
    value=st.none() | texts,
    status=st.none() | st.sampled_from(["Completed", "Failed", "Provisional"]),
    achieved_level=st.none() | iris,
)
recipients = st.builds(hashed_email, texts, texts) | st.builds(hashed_subject, texts, texts)
claims = st.builds(
    Claim,
    badge_url=iris,
    assertion_url=iris,
    subject_id=iris,
    recipient=recipients,
    valid_from=_instants,
    valid_until=st.none() | _instants,
    name=st.none() | texts,
    narrative=st.none() | texts,
    shown_name=st.none() | texts,
    evidence=st.lists(evidences, max_size=3).map(tuple),
    results=st.lists(results, max_size=3).map(tuple),
    status=st.lists(
        st.builds(
            StatusEntry,
            iris.filter(lambda iri: "#" not in iri),
            st.integers(0, 10**6),
            st.sampled_from(["revocation", "suspension"]),
        ),
        max_size=3,
    ).map(tuple),
    credits_earned=st.none() | st.sampled_from([0.0, 3, 5.5, 1.5e-7, 1e21]),
    refresh_url=st.none() | iris,
)

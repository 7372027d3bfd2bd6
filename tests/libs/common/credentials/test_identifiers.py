"""Derived ids: the same for the same, different for the different, and known forms (M1.28, B2, B7)."""

from __future__ import annotations

import hashlib
import re
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openbadgeslib.ob3.did import did_web_from_url

from libs.common.credentials.identifiers import (
    badge_id,
    did_web,
    did_web_url,
    hashed_email,
    log_salt,
    recipient_salt,
    subject_id,
)
from tests.libs.common.credentials.samples import NAMESPACE, PEPPER


def test_a_badge_id_is_what_it_always_was() -> None:
    # A change here would award every badge a second time.
    assert badge_id(NAMESPACE, "learner-1", "aaa", "1", 0) == UUID("45ce380f-49ae-5591-baf2-e2e792e5e67f")
    assert badge_id(NAMESPACE, "l", "a", "1", 0) == uuid5(NAMESPACE, '["l","a","1",0]')


@given(
    st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3), st.text(max_size=2), st.integers(0, 2)), unique=True)
)
def test_different_awards_have_different_ids(awards: list[tuple[str, str, str, int]]) -> None:
    assert len({badge_id(NAMESPACE, *award) for award in awards}) == len(awards)


def test_ids_depend_on_the_deployments_secrets() -> None:
    assert badge_id(NAMESPACE, "l", "a", "1", 0) != badge_id(UUID(int=1), "l", "a", "1", 0)
    assert subject_id(PEPPER, "l", "i") != subject_id(b"another pepper..", "l", "i")
    with pytest.raises(ValueError, match="pepper"):
        subject_id(b"short", "l", "i")


def test_a_learner_has_another_id_towards_each_issuer() -> None:
    ids = {subject_id(PEPPER, learner, issuer) for learner in ("l1", "l2") for issuer in ("i1", "i2")}
    assert len(ids) == 4
    for found in ids:
        # RFC 9562, section 5.8
        assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", found)


def test_a_salt_is_the_badges_own() -> None:
    salts = {recipient_salt(PEPPER, UUID(int=number)) for number in range(50)}
    assert len(salts) == 50
    assert all(re.fullmatch("[0-9a-f]{32}", salt) for salt in salts)


def test_a_salt_in_the_log_is_the_badges_own_and_no_other() -> None:
    salts = {log_salt(PEPPER, UUID(int=number)) for number in range(50)}
    assert len(salts) == 50
    assert {len(salt) for salt in salts} == {32}
    assert log_salt(PEPPER, UUID(int=1)) == log_salt(PEPPER, UUID(int=1)) != log_salt(b"another pepper..", UUID(int=1))
    # The recipient's salt is shown with the badge; it must tell nothing of this one.
    assert recipient_salt(PEPPER, UUID(int=1)) not in log_salt(PEPPER, UUID(int=1)).hex()


def test_a_hashed_address_can_be_checked_by_who_knows_it() -> None:
    hashed = hashed_email(" Ada@Learners.example", "5a17")
    assert hashed.identity_hash == "sha256$" + hashlib.sha256(b"ada@learners.example5a17").hexdigest()


@pytest.mark.parametrize(
    ("base_url", "path", "did", "url"),
    [
        (
            "https://w3c-ccg.github.io",
            "",
            "did:web:w3c-ccg.github.io",
            "https://w3c-ccg.github.io/.well-known/did.json",
        ),
        (
            "https://w3c-ccg.github.io/",
            "user/alice",
            "did:web:w3c-ccg.github.io:user:alice",
            "https://w3c-ccg.github.io/user/alice/did.json",
        ),
        (
            "https://example.com:3000",
            "user/alice",
            "did:web:example.com%3A3000:user:alice",
            "https://example.com:3000/user/alice/did.json",
        ),
    ],
)
def test_did_web_as_in_its_specification(base_url: str, path: str, did: str, url: str) -> None:
    assert did_web(base_url, path) == did
    assert did_web_url(did) == url
    assert did_web_from_url(f"{base_url}/{path}") == did


@pytest.mark.parametrize("did", ["did:key:z6Mk", "did:web:", "x did:web:a.example", ""])
def test_what_is_no_did_web_has_no_url(did: str) -> None:
    with pytest.raises(ValueError, match="did:web"):
        did_web_url(did)


def test_a_did_web_needs_a_host() -> None:
    with pytest.raises(ValueError, match="base_url"):
        did_web("mailto:x", "")

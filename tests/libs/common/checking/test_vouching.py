"""What only its place vouches for: not another site that a redirect leads to, nor a neighbour's folder (B8, SR-8)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libs.common.checking import Terms, check
from libs.common.checking.dialogue import (
    Answer,
    Canonical,
    Canonicalise,
    Fetched,
    Recall,
    Recorded,
    Refused,
    Unreachable,
    same_site,
)
from libs.common.checking.issuance import note_withdrawn_key, place_of
from libs.common.checking.model import Judgement
from libs.common.checking.notes import Notes
from libs.common.checking.places import is_place_of
from libs.common.credentials import open_badges_2
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from tests.libs.common.checking.test_own import BADGE, CREDENTIAL, DID
from tests.services.verification.support import ADDRESSES, KEY, at, profile, terms

ELSEWHERE = "https://evil.example/anything"
ASSERTION = ADDRESSES.assertion(BADGE.badge_id)
WEB: dict[str, Any] = {
    f"{ADDRESSES.issuer('prairie')}/did.json": did_document(DID, [PublishedKey(LocalSigner(KEY, DID).public_key)]),
    ASSERTION: json.loads(BADGE.open_badge_2),
    ADDRESSES.badge_class("coaching", "2"): open_badges_2.badge_class(profile(), terms()),
    ADDRESSES.issuer_open_badge_2("prairie"): open_badges_2.issuer_profile(profile()),
}


def judged(content: bytes, moved: dict[str, str]) -> Judgement:
    """The judgement where some addresses led elsewhere, and nothing has a canonical form."""
    asking = check(content, Terms(at(0)))
    try:
        question = next(asking)
        while True:
            answer: Answer = Unreachable("elsewhere")
            if isinstance(question, Canonicalise):
                answer = Refused("too-costly")
            elif not isinstance(question, Recall):
                told = WEB.get(question.url)
                if told is not None:
                    answer = Fetched(200, "", json.dumps(told).encode(), moved.get(question.url, ""))
            question = asking.send(answer)
    except StopIteration as end:
        return end.value


def found(judgement: Judgement, check: str) -> tuple[str, str]:
    (finding,) = [finding for finding in judgement.findings if finding.name == check]
    return finding.outcome, finding.reason


def test_keys_of_another_site_are_not_the_issuers() -> None:
    place = f"{ADDRESSES.issuer('prairie')}/did.json"
    assert found(judged(CREDENTIAL, {}), "proof") == ("unknown", "too-costly")  # the key was found
    assert found(judged(CREDENTIAL, {place: f"{place}?v=2"}), "proof") == ("unknown", "too-costly")
    assert found(judged(CREDENTIAL, {place: ELSEWHERE}), "key") == ("unknown", "key-unreachable")


def test_an_assertion_of_another_site_is_not_hosted() -> None:
    for content in (ASSERTION.encode(), BADGE.open_badge_2.encode()):
        assert found(judged(content, {}), "proof") == ("pass", "hosted")
        assert found(judged(content, {ASSERTION: ELSEWHERE}), "proof") == ("unknown", "not-reachable")


def test_a_profile_of_another_site_is_not_the_issuers() -> None:
    judgement = judged(ASSERTION.encode(), {ADDRESSES.issuer_open_badge_2("prairie"): ELSEWHERE})
    assert found(judgement, "schema") == ("unknown", "linked-unreachable")


def test_a_site_is_scheme_host_and_port() -> None:
    assert same_site("https://a.example/x", "https://A.example:443/y")
    for other in ("http://a.example/x", "https://a.example:8443/x", "https://b.example/x", "https://a.example:no/"):
        assert not same_site("https://a.example/x", other)


def key_noted(document: dict[str, Any], *, whole: bool) -> tuple[str, str]:
    """What is said of a withdrawn key, where the record holds our badge since before."""
    notes = Notes()
    asking = note_withdrawn_key(document, DID, at(0), notes, whole=whole)
    try:
        question = next(asking)
        while True:
            texts = tuple(map(str, question.documents)) if isinstance(question, Canonicalise) else ()
            answer: Any = Recorded(CREDENTIAL, at(-1))
            if isinstance(question, Canonicalise):
                answer = Canonical(texts)
            question = asking.send(answer)
    except StopIteration:
        return notes.outcome("key"), notes.reason("key")


def test_what_a_holder_left_out_does_not_make_it_false() -> None:
    whole = json.loads(CREDENTIAL)
    part = {name: told for name, told in whole.items() if name != "description"}
    assert key_noted(whole, whole=False) == ("pass", "key-logged")
    assert key_noted({**part, "name": "Part"}, whole=False) == ("unknown", "key-revoked-later")
    assert key_noted({**part, "name": "Part"}, whole=True) == ("fail", "not-as-logged")


def test_a_folder_of_another_on_the_host_is_not_the_issuers() -> None:
    tenant = "did:web:host.example%3A8443:users:ada"
    assert is_place_of("https://host.example:8443/users/ada/keys/1", tenant)
    for url in ("https://host.example:8443/users/adam/1", "https://host.example:8443/users/bob/1",
                "https://host.example:8443/users/ada/../bob/1", "https://host.example:8443/users/ada/%2e%2e/bob/1",
                "https://host.example:8443/users/ada/..", "https://host.example/users/ada/1"):  # fmt: skip
        assert not is_place_of(url, tenant)


@pytest.mark.parametrize(
    ("issuer", "badges", "log_key"),
    [
        ("did:web:a.example:issuers:p", "https://a.example/badges/", "https://a.example/log/key"),
        (
            "did:web:a.example%3A8443:x:issuers:p",
            "https://a.example:8443/x/badges/",
            "https://a.example:8443/x/log/key",
        ),
        ("did:web:a.example:users:p", "https://a.example/users/p/", "https://a.example/users/p/log/key"),
        ("did:web:a.example", "https://a.example/", "https://a.example/log/key"),
        ("https://a.example/issuers/p", "https://a.example/badges/", "https://a.example/log/key"),
    ],
)
def test_where_an_issuers_badges_and_its_logs_key_lie(issuer: str, badges: str, log_key: str) -> None:
    assert place_of(issuer) == (badges, log_key)
    assert place_of("did:key:z6Mk") is None

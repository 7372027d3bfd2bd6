"""Any badge, verified over HTTP: as JSON for programs, as a page without JavaScript for people (B6, M2.4)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from libs.common.checking.model import Judgement
from libs.common.checking.notes import CHECKS
from libs.common.checking.open_badges_3 import shown_of
from libs.common.checking.words import PASSED, REASONS, SENTENCES
from libs.common.credentials.canonical import MAX_BYTES
from libs.common.problems import Problem
from libs.common.web.pace import Pace
from services.verification.api import verifications
from services.verification.api.verifications import FINDING_NAMES, path_of_own
from tests.libs.common.checking.disclosing import badge as unsigned_badge
from tests.libs.common.checking.disclosing import issue
from tests.libs.common.checking.world import PNG
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    Service,
    badge_issued,
    event,
    key_published,
    revoked,
    suspended,
)

BADGE = badge_issued()
CREDENTIAL = BADGE.credential.encode()
FORGED = json.dumps({**json.loads(CREDENTIAL), "name": "Better"}).encode()


@pytest.fixture
async def served(service: Service) -> AsyncIterator[Service]:
    """Verification that knows one badge, its issuer and its key."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
    yield service
    service.app.state.parts.verifier.close()


async def answer_to(served: Service, content: bytes, media_type: str = "application/octet-stream") -> dict[str, object]:
    answer = await served.client.post("/verifications", content=content, headers={"content-type": media_type})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_our_own_badge_is_known_first_hand(served: Service) -> None:
    verdict = await answer_to(served, CREDENTIAL)
    assert (verdict["answer"], verdict["trusted"], verdict["sentence"]) == ("genuine", "pass", "Genuine and current")
    await served.hear(event(suspended(BADGE), minutes=1))
    assert (await answer_to(served, CREDENTIAL))["sentence"] == "Genuine, but suspended"
    await served.hear(event(revoked(BADGE), minutes=2))
    verdict = await answer_to(served, CREDENTIAL)
    assert (verdict["answer"], verdict["sentence"]) == ("not-genuine", "Genuine, but withdrawn")


async def test_whoever_writes_the_id_of_a_badge_learns_nothing_of_it(served: Service) -> None:
    await served.hear(event(revoked(BADGE), minutes=2))
    document = {**json.loads(CREDENTIAL), "issuer": {"id": "https://evil.example/me", "type": ["Profile"]}}
    genuine = Judgement("genuine", "Genuine", (), "pass", "pass", "unknown", "Open Badges 3.0", shown_of(document))
    parts = served.app.state.parts
    assert await verifications.with_our_own_word(genuine, parts, served.database) == genuine
    own = replace(genuine, shown=shown_of(json.loads(CREDENTIAL)))
    assert (await verifications.with_our_own_word(own, parts, served.database)).current == "fail"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (CREDENTIAL, "application/vc+ld+json"),
        (CREDENTIAL, "application/json"),
        (json.dumps({"text": BADGE.credential}).encode(), "application/json"),
        (json.dumps({"url": ADDRESSES.badge(BADGE.badge_id)}).encode(), "application/json"),
        (ADDRESSES.assertion(BADGE.badge_id).encode(), "text/plain"),
        (BADGE.open_badge_2.encode(), "application/json"),
    ],
)
async def test_a_badge_may_come_in_many_ways(served: Service, content: bytes, media_type: str) -> None:
    assert (await answer_to(served, content, media_type))["answer"] == "genuine"


async def test_a_form_takes_a_file_a_text_or_an_address(served: Service) -> None:
    client = served.client
    for sent in (
        await client.post("/verifications", files={"file": ("badge.json", CREDENTIAL)}),
        await client.post("/verifications", files={"file": ("", b"")}, data={"text": BADGE.credential}),
        await client.post("/verifications", data={"url": ADDRESSES.badge(BADGE.badge_id)}),
    ):
        assert (sent.status_code, sent.json()["answer"]) == (200, "genuine")


async def test_what_is_forged_is_a_verdict_not_an_error(served: Service) -> None:
    verdict = await answer_to(served, FORGED)
    assert (verdict["answer"], verdict["tone"], verdict["shown"]) == ("not-genuine", "bad", None)
    assert (await answer_to(served, PNG))["answer"] == "nothing-found"


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"", "application/json", 422),
        (b'{"url": 5}', "application/json", 422),
        (b'{"text": "x", "recipient": "nobody"}', "application/json", 422),
        (b"not a form", "multipart/form-data", 400),
        (b"text=", "application/x-www-form-urlencoded", 422),
        (b"x" * 5_000_000, "image/png", 413),
    ],
)
async def test_a_wrong_request_is_a_problem(served: Service, content: bytes, media_type: str, status: int) -> None:
    answer = await served.client.post("/verifications", content=content, headers={"content-type": media_type})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


async def test_another_person_is_told_apart(served: Service) -> None:
    asked = {"text": BADGE.credential, "recipient": "email:somebody@example.org"}
    verdict = await answer_to(served, json.dumps(asked).encode(), "application/json")
    assert verdict["sentence"] == "Genuine, but awarded to somebody else"


async def test_the_page_shows_the_verdict_above_the_form(served: Service) -> None:
    page = await served.get("/verify", "text/html")
    assert page.status_code == 200
    assert page.text.count("<script") == page.text.count('<script src="/static/verify.') == 1
    assert "script-src 'self'" in page.headers["content-security-policy"]
    answer = await served.client.post("/verify", data={"text": BADGE.credential}, headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert answer.text.index('id="verdict">Genuine and current') < answer.text.index("<form")
    assert answer.headers["cache-control"] == "no-store"
    french = await served.client.post(
        "/verify?lang=fr", data={"text": FORGED.decode()}, headers={"accept": "text/html"}
    )
    assert "Pas authentique" in french.text
    assert "modifié" in french.text


async def test_a_badge_of_which_its_holder_shows_a_part(served: Service) -> None:
    """Of a stranger, with a proof of `ecdsa-sd-2023`: for programs and for people (issue 5)."""
    issued = issue(unsigned_badge())
    for content, answer, reason, french in (
        (issued.derived(), "cannot-tell", "disclosed", "il se peut que son titulaire en ait omis des parties"),
        ({**issued.derived("/name"), "name": "Better"}, "not-genuine", "signature", "modifié"),
        (issued.undisclosed, "not-genuine", "base-proof", "réservé à son titulaire"),
    ):
        verdict = await answer_to(served, json.dumps(content).encode(), "application/vc+ld+json")
        assert verdict["answer"] == answer
        assert [finding["reason"] for finding in verdict["findings"] if finding["name"] == "proof"] == [reason]
        page = await served.client.post(
            "/verify?lang=fr", data={"text": json.dumps(content)}, headers={"accept": "text/html"}
        )
        assert french in page.text


async def test_what_strangers_write_is_only_text(served: Service) -> None:
    evil = b'{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"<script>alert(1)</script>"}'
    answer = await served.client.post("/verify", data={"text": evil.decode()}, headers={"accept": "text/html"})
    assert "<script>" not in answer.text


async def test_one_caller_has_so_many_turns(served: Service) -> None:
    served.app.state.parts = replace(served.app.state.parts, pace=Pace(2))
    for status in (200, 200, 429):
        answer = await served.client.post("/verifications", content=PNG)
        assert answer.status_code == status
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_large_record_costs_as_much_as_many(served: Service) -> None:
    """It may take a process a while, whether it is one or not (SR-11)."""
    served.app.state.parts = replace(served.app.state.parts, pace=Pace(20))
    large = b'{"type": ["ClrCredential"], "@context": [], "name": "%s"}' % (b"x" * MAX_BYTES)
    for status, content in ((200, PNG), (200, large), (429, PNG)):
        assert (await served.client.post("/verifications", content=content)).status_code == status


async def test_turns_come_back() -> None:
    now = [0.0]
    pace = Pace(60, lambda: now[0])
    for _ in range(60):
        await pace.take("192.0.2.1")
    with pytest.raises(Problem):
        await pace.take("192.0.2.1")
    await pace.take("192.0.2.2")
    for _ in range(60):
        await pace.take("2001:db8::1")
    with pytest.raises(Problem):
        await pace.take("2001:db8::2")
    now[0] = 1.0
    await pace.take("192.0.2.1")
    await pace.charge("192.0.2.3", 61)
    with pytest.raises(Problem):
        await pace.take("192.0.2.3")
    now[0] = 4.0
    await pace.take("192.0.2.3")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://badges.example/badges/1", "/badges/1"),
        ("https://badges.example:444/badges/1", None),
        ("https://badges.example.evil/badges/1", None),
        ("https://evil.example/badges.example/", None),
    ],
)
def test_only_our_own_addresses_are_answered_here(url: str, path: str | None) -> None:
    assert path_of_own(url, "https://badges.example") == path


def test_every_word_is_translated() -> None:
    with Path("services/verification/pages/fr.po").open("rb") as file:
        translated = {message.id for message in read_po(file) if message.string}
    said = {*PASSED.values(), *REASONS.values(), *SENTENCES.values(), *FINDING_NAMES.values(), "Verify"}
    assert said <= translated, said - translated
    assert set(FINDING_NAMES) == set(CHECKS)

"""The edge cache of deploy/edge, run by a real nginx in front of the real app (issue 5, "Speed"; B6, B7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.verification.edge import BROWSER, GONE, GOOD, JSON, Edge, before, needs_nginx
from tests.services.verification.support import Service, badge_issued

pytestmark = needs_nginx


@pytest.fixture
async def edge(service: Service, tmp_path: Path) -> AsyncIterator[Edge]:
    """An edge with its cache alone."""
    async with before(service, tmp_path, tmp_path / "nowhere") as started:
        yield started


async def test_a_document_is_served_from_the_cache_byte_for_byte_as_it_was_signed(edge: Edge) -> None:
    behind = await edge.service.get(JSON)
    answers = [await edge.get(JSON, "application/json") for _ in range(2)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT"]
    for answer in answers:
        assert answer.content == GOOD.credential.encode() == behind.content
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == behind.headers["Cache-Control"]


async def test_who_has_it_gets_304_from_the_cache(edge: Edge) -> None:
    first = await edge.get(JSON, "application/json", Accept_Encoding="identity")
    etag = first.headers["ETag"]
    assert etag == (await edge.service.get(JSON)).headers["ETag"]
    await edge.upstream.stop()
    held = await edge.get(JSON, "application/json", If_None_Match=etag)
    assert (held.status_code, held.content, held.headers["X-Cache"]) == (304, b"", "HIT")
    other = await edge.get(JSON, "application/json", If_None_Match='"other"')
    assert (other.status_code, other.content) == (200, first.content)
    await edge.upstream.start()


async def test_pages_and_documents_at_one_address_are_kept_apart(edge: Edge) -> None:
    path = f"/badges/{GOOD.badge_id}"
    assert await edge.caches(path, accept=BROWSER) == ["MISS", "HIT"]
    assert await edge.caches(path, accept="application/json") == ["MISS", "HIT"]
    assert await edge.caches(path, accept=BROWSER, Accept_Language="fr-CA,fr;q=0.9,en;q=0.8") == ["MISS", "HIT"]
    page, document = await edge.get(path, BROWSER), await edge.get(path, "application/json")
    french = await edge.get(path, BROWSER, Accept_Language="fr")
    assert page.headers["Content-Type"].startswith("text/html")
    assert document.content == GOOD.credential.encode()
    assert ('lang="en"' in page.text, 'lang="fr"' in french.text) == (True, True)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for type_ in ("application/ld+json", "application/vc+ld+json"):
        assert (await edge.get(JSON, type_)).headers["Content-Type"] == type_


async def test_an_unusual_wish_is_asked_of_verification_itself(edge: Edge) -> None:
    path, wish = f"/badges/{GOOD.badge_id}", "text/html;q=0.1, application/ld+json;q=0.9"
    assert await edge.caches(path, times=3, accept=wish) == ["BYPASS"] * 3
    assert (await edge.get(path, wish)).headers["Content-Type"] == "application/ld+json"
    assert (await edge.get(path, "audio/ogg")).status_code == 406


async def test_what_was_seen_is_shown_while_verification_is_away_and_renewed_after(edge: Edge) -> None:
    path = f"/badges/{GONE.badge_id}"
    seen = await edge.get(path, BROWSER)
    assert seen.status_code == 200
    await edge.upstream.stop()
    await asyncio.sleep(2.5)
    again = await edge.get(path, BROWSER)
    assert (again.status_code, again.content, again.headers["X-Cache"]) == (200, seen.content, "STALE")
    assert (await edge.get(f"/badges/{GOOD.badge_id}", BROWSER)).status_code == 502
    await edge.upstream.start()
    assert (await edge.get(f"/badges/{GOOD.badge_id}", BROWSER)).status_code == 200
    # The stale one is shown once more while it is asked for anew.
    for _ in range(50):
        if (renewed := await edge.get(path, BROWSER)).headers["X-Cache"] == "HIT":
            break
        await asyncio.sleep(0.05)
    assert (renewed.headers["X-Cache"], renewed.content) == ("HIT", seen.content)


async def test_nothing_private_is_kept(edge: Edge) -> None:
    path = f"/badges/{GOOD.badge_id}"
    assert await edge.caches(path, accept=BROWSER) == ["MISS", "HIT"]
    assert await edge.caches(path, accept=BROWSER, Cookie="cairn_session=somebody") == ["BYPASS"] * 2
    assert await edge.caches(path, accept=BROWSER, Authorization="Bearer a.b.c") == ["BYPASS"] * 2
    signing_in = await edge.get(f"{path}?access=nonsense", BROWSER)
    assert (signing_in.status_code, signing_in.headers["Cache-Control"]) == (303, "no-store")
    answers = [await edge.get("/learners/learner-1/badges", "application/json") for _ in range(2)]
    assert {(answer.status_code, answer.headers.get("X-Cache", "")) for answer in answers} == {(401, "")}
    for operators in ("/operations/delivery", "/metrics", "/readyz"):
        assert (await edge.get(operators)).status_code == 404
    form = await edge.get("/verify", BROWSER)
    assert (form.status_code, form.headers["Cache-Control"], form.headers.get("X-Cache", "")) == (200, "no-store", "")


async def test_what_its_learner_takes_back_is_not_shown_once_more(edge: Edge) -> None:
    path = f"/badges/{GOOD.badge_id}"
    assert await edge.caches(path, accept=BROWSER) == ["MISS", "HIT"]
    headers = {"authorization": f"Bearer {edge.service.mint.token(learner_id='learner-1')}"}
    decided = await edge.service.client.put(f"{path}/sharing", headers=headers, json={"audience": "private"})
    assert decided.status_code == 200
    await asyncio.sleep(2.5)
    assert [(await edge.get(path, BROWSER)).status_code for _ in range(3)] == [404] * 3


async def test_a_missing_badge_is_missing_and_not_kept(edge: Edge) -> None:
    late = badge_issued("learner-3")
    path = f"/badges/{late.badge_id}.json"
    assert (await edge.get(path, "application/json")).status_code == 404
    await edge.service.hear_all(late)
    assert (await edge.get(path, "application/json")).content == late.credential.encode()


async def test_pages_travel_packed_and_limits_hold(edge: Edge) -> None:
    packed = await edge.get(f"/badges/{GOOD.badge_id}", BROWSER, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    large = await edge.client.post("/verifications", content=b"x" * (5 * 1024 * 1024))
    assert large.status_code == 413
    many = [(await edge.client.post("/verifications", content=b"{")).status_code for _ in range(45)]
    assert 429 in many

"""Badges as files for the web server in front (decision 25; issue 5, "Speed"; M1.3, B6, B7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.services.verification.edge import BROWSER, GOOD, JSON, TYPE, Edge, before, needs_nginx
from tests.services.verification.support import at, running

pytestmark = needs_nginx


@pytest.fixture
async def beside(database_dsn: str, tmp_path: Path) -> AsyncIterator[Edge]:
    """An edge that finds the files of the verification behind it."""
    files = tmp_path / "public"
    (files / "badges").mkdir(parents=True)
    (files / "badges" / f"{GOOD.badge_id}.json").write_text("of an earlier process")
    async with running(database_dsn, tmp_path, public_files=files) as service, before(service, tmp_path, files) as edge:
        service.set_clock(at(60))
        yield edge


async def from_file(edge: Edge, path: str, **headers: str) -> httpx.Response:
    """The answer once it comes from the file that a reading behind the edge left: nginx looks again within a second."""
    await edge.service.get(path, TYPE)
    files = edge.service.app.state.parts.files
    async with asyncio.timeout(10):
        while not (files.folder / path.strip("/")).exists():  # noqa: ASYNC110 - a thread writes
            await asyncio.sleep(0.01)
    for _ in range(60):
        answer = await edge.get(path, TYPE, **{"Accept_Encoding": "identity", **headers})
        if answer.headers.get("X-Cache") == "FILE":
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError("expected a file to be there by now")


async def test_what_everybody_may_see_is_served_as_a_file_with_the_same_headers(beside: Edge) -> None:
    behind = await beside.service.get(JSON, TYPE)
    answer = await from_file(beside, JSON)
    assert answer.content == behind.content == GOOD.credential.encode()
    by_nginx = ("server", "date", "connection", "x-cache", "accept-ranges")
    said = {name: content for name, content in answer.headers.items() if name not in by_nginx}
    assert said == {**behind.headers, "vary": "Accept-Encoding, Accept"}  # it packs what it sends
    head = await beside.client.head(JSON, headers={"Accept-Encoding": "identity"})
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", behind.headers["etag"])


async def test_whoever_answers_knows_what_the_caller_has(beside: Edge) -> None:
    etag = (await from_file(beside, JSON)).headers["ETag"]
    since = (await from_file(beside, JSON)).headers["Last-Modified"]
    later = "Fri, 01 Jan 2027 00:00:00 GMT"
    for held in ({"if_none_match": etag}, {"if_modified_since": since}, {"if_modified_since": later}):
        for _ in range(2):
            answers = [await beside.get(JSON, TYPE, **held), await beside.service.get(JSON, TYPE, **held)]
            assert [(answer.status_code, answer.content, answer.headers["etag"]) for answer in answers] == [
                (304, b"", etag)
            ] * 2
    other = {"if_none_match": '"other"', "if_modified_since": later}
    assert [(await side.get(JSON, TYPE, **other)).status_code for side in (beside, beside.service)] == [200, 200]


async def test_who_wants_more_than_the_file_is_asked_on(beside: Edge) -> None:
    await from_file(beside, JSON)
    for accept in ("application/ld+json", "application/json", "application/json;q=0.5, */*;q=0.1"):
        answer = await beside.get(JSON, accept)
        assert (answer.headers["Content-Type"], answer.headers["X-Cache"] != "FILE") == (accept.split(";")[0], True)
        assert answer.content == GOOD.credential.encode()
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    preflight = await beside.client.options(JSON, headers=asked)
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert (await beside.get(f"/badges/{GOOD.badge_id}", BROWSER)).headers["Content-Type"].startswith("text/html")
    assert (await beside.get(f"/badges/{GOOD.badge_id}.jwt", "*/*")).status_code == 404
    assert (await beside.client.post(JSON)).status_code == 405
    for aside in ("/badges/", "/badges/.new", "/badges/../.new", "/.new"):
        assert (await beside.get(aside)).status_code == 404


async def test_what_is_written_passes_with_its_body(beside: Edge) -> None:
    await from_file(beside, JSON)
    token = beside.service.mint.token(learner_id="learner-1")
    headers = {"authorization": f"Bearer {token}"}
    path, note = f"/badges/{GOOD.badge_id}/sharing", "x" * 20_000
    assert (await beside.client.put(path, json={"audience": "public"})).status_code == 404
    decided = await beside.client.put(path, headers=headers, json={"audience": "private"})
    assert (decided.status_code, decided.json()["audience"]) == (200, "private")
    refused = await beside.client.put(path, headers=headers, json={"audience": note})
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json")
    link = await beside.client.post(f"/badges/{GOOD.badge_id}/links", headers=headers, json={"purpose": "work"})
    assert link.status_code == 201
    assert (await beside.client.delete(f"{path}/nothing", headers=headers)).status_code == 404


async def test_what_is_taken_back_is_no_file_any_more(beside: Edge) -> None:
    await from_file(beside, JSON)
    headers = {"authorization": f"Bearer {beside.service.mint.token(learner_id='learner-1')}"}
    path = f"/badges/{GOOD.badge_id}/sharing"
    assert (await beside.service.client.put(path, headers=headers, json={"audience": "private"})).status_code == 200
    await asyncio.sleep(2.5)
    assert [(await beside.get(JSON, TYPE)).status_code for _ in range(3)] == [404] * 3
    # With an end in sight it is shown, and no file.
    shown = {"audience": "public", "until": "2027-01-01T00:00:00Z"}
    assert (await beside.service.client.put(path, headers=headers, json=shown)).status_code == 200
    await asyncio.sleep(1.5)
    answers = [await beside.get(JSON, TYPE) for _ in range(3)]
    assert {(answer.status_code, answer.headers["X-Cache"] == "FILE") for answer in answers} == {(200, False)}


async def test_files_are_served_while_verification_is_away(beside: Edge) -> None:
    await from_file(beside, JSON)
    await beside.upstream.stop()
    assert [(await beside.get(JSON, TYPE)).content for _ in range(2)] == [GOOD.credential.encode()] * 2
    await beside.upstream.start()

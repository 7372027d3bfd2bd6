"""The edge cache of deploy/edge, run by a real nginx in front of the real app (issue 5, "Speed"; B6, B7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from deploy.local.edge import LocalNginx, edge_settings, nginx
from deploy.local.server import free_port
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    Service,
    badge_issued,
    event,
    key_published,
    revoked,
)

pytestmark = pytest.mark.skipif(nginx() is None, reason="needs nginx: none is installed")

GOOD, GONE = badge_issued(), badge_issued("learner-2")
JSON = f"/badges/{GOOD.badge_id}.json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Upstream:
    """The app behind the edge, which can be stopped and started again on its port."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.port = free_port()
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        config = uvicorn.Config(
            self._app, port=self.port, interface="asgi3", log_level="warning", lifespan="off", ws="none"
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(10):
            while not self._server.started:  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(0.01)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        """The app, what it says of a status fresh for one second only."""

        async def hurried(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name, content.replace(b"max-age=30,", b"max-age=1,")) for name, content in message["headers"]
                ]
                message = {**message, "headers": headers}
            await send(message)

        await self._service.app(scope, receive, hurried)

    async def stop(self) -> None:
        assert self._server is not None
        assert self._serving is not None
        self._server.should_exit = True
        await self._serving


@dataclass
class Edge:
    """A caller of the edge."""

    upstream: Upstream
    client: httpx.AsyncClient
    service: Service

    async def get(self, path: str, accept: str | None = None, **headers: str) -> httpx.Response:
        """One GET: headers are written with underscores."""
        given = {name.replace("_", "-"): content for name, content in headers.items()}
        if accept is not None:
            given["Accept"] = accept
        return await self.client.get(path, headers=given)

    async def caches(self, path: str, times: int = 2, accept: str | None = None, **headers: str) -> list[str]:
        """What the cache says of this many GETs, one after the other."""
        answers = [await self.get(path, accept, **headers) for _ in range(times)]
        return [answer.headers.get("X-Cache", "") for answer in answers]


@pytest.fixture
async def edge(service: Service, tmp_path: Path) -> AsyncIterator[Edge]:
    """An nginx before a verification with a good and a withdrawn badge."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), GOOD, GONE)
    await service.hear(event(revoked(GONE), minutes=1))
    upstream, port = Upstream(service), free_port()
    await upstream.start()
    settings = edge_settings(
        listen=f"127.0.0.1:{port}", upstream=f"127.0.0.1:{upstream.port}", cache=tmp_path / "cache",
        requests_per_second=50,
    )  # fmt: skip
    server = LocalNginx(tmp_path / "nginx", port, settings)
    await asyncio.to_thread(server.start)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, headers={"Accept": ""}
        ) as client:
            yield Edge(upstream, client, service)
    finally:
        await asyncio.to_thread(server.stop)
        await upstream.stop()


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

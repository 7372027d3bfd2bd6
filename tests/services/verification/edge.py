"""A running verification, and a real nginx with the configuration of deploy/edge in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

needs_nginx = pytest.mark.skipif(nginx() is None, reason="needs nginx: none is installed")

GOOD, GONE = badge_issued(), badge_issued("learner-2")
JSON = f"/badges/{GOOD.badge_id}.json"
TYPE = "application/vc+ld+json"
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


@asynccontextmanager
async def before(service: Service, folder: Path, files: Path) -> AsyncIterator[Edge]:
    """An nginx before a verification with a good and a withdrawn badge."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), GOOD, GONE)
    await service.hear(event(revoked(GONE), minutes=1))
    upstream, port = Upstream(service), free_port()
    await upstream.start()
    settings = edge_settings(
        listen=f"127.0.0.1:{port}", upstream=f"127.0.0.1:{upstream.port}", cache=folder / "cache",
        requests_per_second=50, files=files,
    )  # fmt: skip
    server = LocalNginx(folder / "nginx", port, settings)
    await asyncio.to_thread(server.start)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, headers={"Accept": ""}
        ) as client:
            yield Edge(upstream, client, service)
    finally:
        await asyncio.to_thread(server.stop)
        await upstream.stop()

"""The services' public HTTP doors, as the commands use them: waits out what passes, says what does not."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

SERVICES = ("enrollment", "progress", "awarding", "verification")
PATIENCE_SECONDS = 120.0
# A service that starts, or whose database or broker is away: the same request may be sent again.
_PASSING = frozenset({429, 502, 503, 504})


class Refused(Exception):
    """A service answered no, and will again: the message says which, to what, and why."""


class Unreachable(Exception):
    """A service could not be reached for `PATIENCE_SECONDS`: the message says which and where."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the services are (base URL by service name) and the bearer token to show them."""

    urls: Mapping[str, str]
    token: str


class Doors:
    """A client of the four services. `retries` counts the requests that had to be sent again."""

    def __init__(self, access: Access, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._urls = {service: access.urls[service].rstrip("/") for service in SERVICES}
        self._patience_seconds = patience_seconds
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {access.token}", "Accept": "application/json"},
            timeout=httpx.Timeout(60, connect=5),
            # The services are named by address: a proxy for the outside world must not be asked for them.
            trust_env=False,
        )
        self.retries = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, service: str, path: str, **query: str | int) -> Any:
        """The JSON answer to a GET."""
        return (await self._send(service, "GET", path, query=query)).json()

    async def put(self, service: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """PUT one JSON document."""
        return await self._send(service, "PUT", path, content=orjson.dumps(body))

    async def post(
        self, service: str, path: str, body: object, content_type: str = "application/json"
    ) -> httpx.Response:
        """POST one JSON document."""
        return await self._send(service, "POST", path, content=orjson.dumps(body), content_type=content_type)

    async def post_content(
        self, service: str, path: str, content: bytes, content_type: str, **query: str | int
    ) -> httpx.Response:
        """POST a file as it is."""
        return await self._send(service, "POST", path, content=content, content_type=content_type, query=query)

    async def put_content(
        self, service: str, path: str, content: bytes, content_type: str, **query: str | int
    ) -> httpx.Response:
        """PUT a file as it is."""
        return await self._send(service, "PUT", path, content=content, content_type=content_type, query=query)

    async def delete(self, service: str, path: str) -> None:
        """DELETE what is at an address."""
        await self._send(service, "DELETE", path)

    async def get_text(self, service: str, path: str, **query: str | int) -> str:
        """The text that answers a GET."""
        return (await self._send(service, "GET", path, query=query)).text

    async def _send(
        self,
        service: str,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        content_type: str = "application/json",
        query: Mapping[str, str | int] | None = None,
    ) -> httpx.Response:
        """Send until there is an answer that stays; every door may be asked twice without harm."""
        headers = {"Content-Type": content_type} if content is not None else {}
        deadline, attempt = time.monotonic() + self._patience_seconds, 0
        while True:
            attempt += 1
            url = self._urls[service] + path
            try:
                answer = await self._client.request(method, url, content=content, headers=headers, params=query)
            except httpx.TransportError as fault:
                why, wait_seconds = f"{type(fault).__name__}", 0.2
            else:
                if answer.status_code not in _PASSING:
                    return _accepted(service, method, path, answer)
                why, wait_seconds = f"status {answer.status_code}", _retry_after(answer)
            if time.monotonic() + wait_seconds > deadline:
                raise Unreachable(f"{service} at {url} did not answer for {self._patience_seconds:.0f} s ({why})")
            self.retries += 1
            await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.0) * min(attempt, 5))  # noqa: S311 - jitter


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 10.0) if text.isdecimal() else 0.5


def _accepted(service: str, method: str, path: str, answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        said = "; ".join(str(problem[part]) for part in ("title", "detail", "errors") if problem.get(part))
    except (ValueError, AttributeError):
        said = answer.text
    raise Refused(f"{service} refused {method} {path} with {answer.status_code}: {said[:500]}")

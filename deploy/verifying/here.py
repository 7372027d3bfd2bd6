"""A verifier on this machine: it looks at the network, at folders, and at a Cairn that somebody named."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from libs.common.checking import Terms
from libs.common.checking.dialogue import JSON_FIRST, Fetched
from libs.common.fetching import MAX_BYTES, Fetcher, Reach
from libs.common.sandbox import Sandbox
from libs.common.verifying import Verifier

_CODE = re.compile(r"[0-9A-Za-z]{12}")
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A Cairn at the address `url`, without a slash at its end; `token` opens its doors, if there is one."""

    url: str
    token: str | None

    def address_of(self, name: str) -> bytes | None:
        """The address of a badge by its short code or its id, or None if `name` is neither."""
        code = name.replace("-", "").replace(" ", "")
        if _CODE.fullmatch(code):
            return f"{self.url}/c/{code}".encode()
        try:
            return f"{self.url}/badges/{UUID(name)}".encode()
        except ValueError:
            return None

    async def answer(self, client: httpx.AsyncClient, url: str) -> Fetched | None:
        """What lies at `url` if that is in this place, which may be on a private network: its user named it."""
        asked, own = urlsplit(url), urlsplit(self.url)
        if asked.netloc != own.netloc:
            return None
        path = f"{asked.path}?{asked.query}" if asked.query else asked.path
        try:
            found = await client.get(f"{own.scheme}://{own.netloc}{path}", headers={"Accept": JSON_FIRST})
        except httpx.HTTPError:
            return None
        media_type = found.headers.get("content-type", "").partition(";")[0]
        return Fetched(found.status_code, media_type, found.content[: MAX_BYTES + 1])


@dataclass(frozen=True, slots=True)
class Here:
    """What badges are checked against here, and the folders and the place that answer for addresses."""

    folders: Mapping[str, Path]
    terms: Terms
    place: Place | None = None

    @asynccontextmanager
    async def verifier(self) -> AsyncGenerator[Verifier]:
        """A verifier, with a sandbox that ends with it."""
        sandbox, place = Sandbox(), self.place
        try:
            async with (
                Fetcher(Reach(self.folders)) as fetcher,
                httpx.AsyncClient(timeout=_SECONDS, follow_redirects=True, trust_env=False) as client,
            ):

                async def own(url: str) -> Fetched | None:
                    return None if place is None else await place.answer(client, url)

                yield Verifier(fetcher, sandbox, own)
        finally:
            sandbox.close()

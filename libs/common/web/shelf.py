"""Immutable documents in memory, served by a bare ASGI layer in front of everything else.

A hit costs a dictionary look-up: no routing, no database, no span (the first reading of a document, which puts
it here, has one). A miss goes on to the app behind. Bounded by bytes: the least recently read goes first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from libs.common.telemetry import HTTP_SECONDS
from libs.common.web.documents import Document

Headers = list[tuple[bytes, bytes]]
# About what the entry takes beside its body: the object, its headers, the key.
_ENTRY_BYTES = 2_000


class _Entry:
    """A document made ready to send."""

    __slots__ = ("document", "full", "held", "kept_at", "size")

    def __init__(self, document: Document, kept_at: float) -> None:
        self.document = document
        self.full = [*_raw(document.all_headers), (b"content-length", str(len(document.body)).encode())]
        self.held = _raw(document.not_modified_headers)
        self.kept_at = kept_at
        self.size = len(document.body) + _ENTRY_BYTES


def _raw(headers: dict[str, str]) -> Headers:
    return [(name.lower().encode("latin-1"), content.encode("latin-1")) for name, content in headers.items()]


class Shelf:
    """Documents by key, at most `largest_bytes` together, each for at most `longest_seconds`.

    The time limit is there so that what was erased from the database leaves memory too (B7).
    """

    def __init__(self, largest_bytes: int, longest_seconds: float) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._largest = largest_bytes
        self._longest = longest_seconds
        self.size = 0

    def put(self, key: str, document: Document) -> None:
        """Keep `document`; the least recently read ones make room. One that is too large is not kept."""
        self.drop(key)
        entry = _Entry(document, time.monotonic())
        if entry.size > self._largest:
            return
        self._entries[key] = entry
        self.size += entry.size
        while self.size > self._largest:
            _, oldest = self._entries.popitem(last=False)
            self.size -= oldest.size

    def drop(self, key: str) -> None:
        """Forget the document under `key`, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry.size

    def find(self, key: str) -> _Entry | None:
        """The entry under `key`, or None when there is none (any more)."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if time.monotonic() - entry.kept_at > self._longest:
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def __len__(self) -> int:
        return len(self._entries)


class FromShelf:
    """ASGI middleware: answers GET and HEAD from `shelf`, and passes everything else on to `app`.

    `key_of(path, accept)` says under which key a document for that path and Accept header would stand, or None;
    it sees every request, so it has to be quick. `route` names the answers in the metrics.
    """

    def __init__(
        self, app: ASGIApp, *, shelf: Shelf, key_of: Callable[[str, str | None], str | None], service: str, route: str
    ) -> None:
        self._app = app
        self._shelf = shelf
        self._key_of = key_of
        self._seconds = {
            status: HTTP_SECONDS.labels(service, route, str(status)) for status in (200, 304)
        }  # looked up once: labels() costs more than the answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        accept = if_none_match = if_modified_since = None
        for name, content in scope["headers"]:
            if name == b"accept":
                accept = content.decode("latin-1") if accept is None else f"{accept},{content.decode('latin-1')}"
            elif name == b"if-none-match":
                if_none_match = content.decode("latin-1")
            elif name == b"if-modified-since":
                if_modified_since = content.decode("latin-1")
        key = self._key_of(scope["path"], accept)
        entry = None if key is None else self._shelf.find(key)
        if entry is None:
            await self._app(scope, receive, send)
            return
        held = entry.document.is_held_by(if_none_match, if_modified_since)
        status, body = (304, b"") if held else (entry.document.status, entry.document.body)
        await send({"type": "http.response.start", "status": status, "headers": entry.held if held else entry.full})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        self._seconds[304 if held else 200].observe(time.perf_counter() - started)

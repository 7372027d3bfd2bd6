"""Immutable documents in memory, served by a bare ASGI layer in front of everything else.

A hit costs a dictionary look-up: no routing, no database, no span (the first reading of a document, which puts
it here, has one), and nothing waits, so that the server may have it at once (libs/common/server.py). A miss goes on
to the app behind. Bounded by bytes: the least recently read goes first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from libs.common.connection import Answer
from libs.common.telemetry import HTTP_FROM_MEMORY
from libs.common.web.documents import Document

Headers = Sequence[tuple[bytes, bytes]]
# How many ways to ask are known by heart, and how long they may be (path and Accept): some megabytes together.
_KNOWN_KEYS, _LONGEST_KNOWN = 16_384, 200
# About what an entry takes beside its body: the document, its answers, the key.
_ENTRY_BYTES = 3_000
_OK = b"HTTP/1.1 200 OK\r\n"
_NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\n"


class _Entry:
    """A document made ready to send: its heads are made once, and shared by all who get them."""

    __slots__ = ("document", "etag", "held", "held_wire", "kept_at", "size", "whole", "whole_wire")

    def __init__(self, document: Document, kept_at: float) -> None:
        self.document = document
        self.etag = document.etag.encode("latin-1")
        length = str(len(document.body)).encode()
        raw = {name: _raw(name, content) for name, content in document.all_headers.items()}
        self.whole = [*raw.values(), (b"content-length", length)]
        self.held = [raw[name] for name in document.not_modified_headers]
        self.whole_wire = _wire(self.whole)
        self.held_wire = _wire(self.held)
        self.kept_at = kept_at
        self.size = len(document.body) + _ENTRY_BYTES


# Most headers are the same for all documents: kept once, they are near at hand, and memory holds more documents.
@lru_cache(maxsize=1024)
def _raw(name: str, content: str) -> tuple[bytes, bytes]:
    return name.lower().encode("latin-1"), content.encode("latin-1")


def _wire(headers: Headers) -> bytes:
    """Headers as they go over the wire (RFC 9112, section 5), with the empty line behind them."""
    return b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n"


class Shelf:
    """Documents by key, at most `largest_bytes` together, each for at most `longest_seconds`.

    The time limit is there so that what was erased from the database leaves memory too (B7).
    """

    def __init__(self, largest_bytes: int, longest_seconds: float) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._largest = largest_bytes
        self._longest = longest_seconds
        self.size = 0
        self.dropped = 0

    def put(self, key: str, document: Document) -> None:
        """Keep `document`; the least recently read ones make room. One that is too large is not kept.

        Raises `ValueError` for one that is a refusal.
        """
        if document.status != 200:
            raise ValueError(f"expected a document of status 200, found {document.status}")
        entry = _Entry(document, time.monotonic())
        self._drop(key)
        if entry.size > self._largest:
            return
        self._entries[key] = entry
        self.size += entry.size
        while self.size > self._largest:
            _, oldest = self._entries.popitem(last=False)
            self.size -= oldest.size

    def find(self, key: str) -> _Entry | None:
        """The entry under `key`, or None when there is none (any more)."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if time.monotonic() - entry.kept_at > self._longest:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def drop(self, key: str) -> None:
        """Forget the document under `key`, if there is one. `dropped` counts the calls, so that who read a document
        before does not put it back after."""
        self.dropped += 1
        self._drop(key)

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry.size

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
        # Programs ask in few ways: the same words need not be weighed each time.
        self._known_key_of = lru_cache(_KNOWN_KEYS)(key_of)
        self._counts = HTTP_FROM_MEMORY.of(service, route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (method := scope["method"]) in ("GET", "HEAD"):
            found = self._find(scope["path"], scope["headers"])
            if found is not None:
                status, entry = found
                headers = entry.held if status == 304 else entry.whole
                await send({"type": "http.response.start", "status": status, "headers": headers})
                body = entry.document.body if status != 304 and method == "GET" else b""
                await send({"type": "http.response.body", "body": body})
                return
        await self._app(scope, receive, send)

    def at_once(self, method: bytes, target: bytes, headers: Headers) -> Answer | None:
        """The whole answer to a request as it goes over the wire, if memory has it (libs/common/connection.py).

        `method` is GET or HEAD, `target` what stands in the request's first line, `headers` have small names.
        """
        path, _, _ = target.partition(b"?")
        found = self._find(path.decode("latin-1"), headers)
        if found is None:
            return None
        status, entry = found
        if status == 304:
            return _NOT_MODIFIED, entry.held_wire
        return (_OK, entry.whole_wire, entry.document.body) if method == b"GET" else (_OK, entry.whole_wire)

    def _find(self, path: str, headers: Headers) -> tuple[int, _Entry] | None:
        """What memory answers: the status, and from which entry. Every answer is counted here."""
        accept = if_none_match = if_modified_since = None
        for name, content in headers:
            if name == b"accept":
                accept = content.decode("latin-1") if accept is None else f"{accept},{content.decode('latin-1')}"
            elif name == b"if-none-match":
                if_none_match = content
            elif name == b"if-modified-since":
                if_modified_since = content
        is_short = len(path) + len(accept or "") <= _LONGEST_KNOWN
        key = (self._known_key_of if is_short else self._key_of)(path, accept)
        entry = None if key is None else self._shelf.find(key)
        if entry is None:
            return None
        status = 304 if _is_held(entry, if_none_match, if_modified_since) else 200
        self._counts[status] += 1
        return status, entry


def _is_held(entry: _Entry, if_none_match: bytes | None, if_modified_since: bytes | None) -> bool:
    if if_none_match is None and if_modified_since is None:
        return False
    if if_none_match == entry.etag:
        return True  # what nearly everybody sends who has it
    return entry.document.is_held_by(
        None if if_none_match is None else if_none_match.decode("latin-1"),
        None if if_modified_since is None else if_modified_since.decode("latin-1"),
    )

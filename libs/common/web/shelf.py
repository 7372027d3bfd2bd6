"""Immutable documents in memory, served by a bare ASGI layer in front of everything else.

A hit costs a dictionary look-up: no routing, no database, no span (the first reading of a document, which puts
it here, has one), and nothing waits, so that the server may have it at once (libs/common/server.py). A miss goes on
to the app behind. Bounded by bytes: the least recently read goes first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from threading import Lock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.telemetry import HTTP_SECONDS
from libs.common.web.documents import Document

Answer = tuple[Message, Message]
# About what an entry takes beside its body: the document, its answers, the key.
_ENTRY_BYTES = 3_000
_NO_BODY: Message = {"type": "http.response.body", "body": b""}


class _Entry:
    """A document made ready to send: its answers are made once, and shared by all who get them."""

    __slots__ = ("document", "etag", "head", "held", "kept_at", "size", "whole")

    def __init__(self, document: Document, kept_at: float) -> None:
        self.document = document
        self.etag = document.etag.encode("latin-1")
        length = str(len(document.body)).encode()
        raw = {name: _raw(name, content) for name, content in document.all_headers.items()}
        start = _start(document.status, [*raw.values(), (b"content-length", length)])
        self.whole: Answer = (start, {"type": "http.response.body", "body": document.body})
        self.head: Answer = (start, _NO_BODY)
        self.held: Answer = (_start(304, [raw[name] for name in document.not_modified_headers]), _NO_BODY)
        self.kept_at = kept_at
        self.size = len(document.body) + _ENTRY_BYTES


# Most headers are the same for all documents: kept once, they are near at hand, and memory holds more documents.
@lru_cache(maxsize=1024)
def _raw(name: str, content: str) -> tuple[bytes, bytes]:
    return name.lower().encode("latin-1"), content.encode("latin-1")


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


class Shelf:
    """Documents by key, at most `largest_bytes` together, each for at most `longest_seconds`.

    The time limit is there so that what was erased from the database leaves memory too (B7). Any thread may use it.
    """

    def __init__(self, largest_bytes: int, longest_seconds: float) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._largest = largest_bytes
        self._longest = longest_seconds
        self._lock = Lock()
        self.size = 0

    def put(self, key: str, document: Document) -> None:
        """Keep `document`; the least recently read ones make room. One that is too large is not kept."""
        entry = _Entry(document, time.monotonic())
        with self._lock:
            self._drop(key)
            if entry.size > self._largest:
                return
            self._entries[key] = entry
            self.size += entry.size
            while self.size > self._largest:
                _, oldest = self._entries.popitem(last=False)
                self.size -= oldest.size

    def drop(self, key: str) -> None:
        """Forget the document under `key`, if there is one."""
        with self._lock:
            self._drop(key)

    def find(self, key: str) -> _Entry | None:
        """The entry under `key`, or None when there is none (any more)."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if time.monotonic() - entry.kept_at > self._longest:
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return entry

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
        self._seconds = {
            status: HTTP_SECONDS.labels(service, route, str(status)) for status in (200, 304)
        }  # looked up once: labels() costs more than the answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.at_once(scope)
        if answer is None:
            await self._app(scope, receive, send)
            return
        for message in answer:
            await send(message)

    def at_once(self, scope: Scope) -> Answer | None:
        """The whole answer to a request, if memory has it: two messages of ASGI, which nobody may change.

        Any thread may ask.
        """
        if scope["type"] != "http" or (method := scope["method"]) not in ("GET", "HEAD"):
            return None
        started = time.perf_counter()
        accept = if_none_match = if_modified_since = None
        for name, content in scope["headers"]:
            if name == b"accept":
                accept = content.decode("latin-1") if accept is None else f"{accept},{content.decode('latin-1')}"
            elif name == b"if-none-match":
                if_none_match = content
            elif name == b"if-modified-since":
                if_modified_since = content
        key = self._key_of(scope["path"], accept)
        entry = None if key is None else self._shelf.find(key)
        if entry is None:
            return None
        if _is_held(entry, if_none_match, if_modified_since):
            status, answer = 304, entry.held
        else:
            status, answer = 200, entry.whole if method == "GET" else entry.head
        self._seconds[status].observe(time.perf_counter() - started)
        return answer


def _is_held(entry: _Entry, if_none_match: bytes | None, if_modified_since: bytes | None) -> bool:
    if if_none_match is None and if_modified_since is None:
        return False
    if if_none_match == entry.etag and entry.document.status == 200:
        return True  # what nearly everybody sends who has it
    return entry.document.is_held_by(
        None if if_none_match is None else if_none_match.decode("latin-1"),
        None if if_modified_since is None else if_modified_since.decode("latin-1"),
    )

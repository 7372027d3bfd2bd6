"""One connection of HTTP/1.1: uvicorn's own, which answers what is there at once, and has a limit for slow callers.

uvicorn makes a task of each request, and the task waits for the loop. What `AtOnce` knows is written as soon as the
request was read (decision 17). Parsing, all other requests, the order of answers and back-pressure are uvicorn's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

log = structlog.get_logger(__name__)

# An answer as it goes over the wire: its status line, then what follows it, in pieces; the server adds the date.
Answer = Sequence[bytes]
# The whole answer to a request of this method, for this target, with these headers (names in small letters), if there
# is one that takes no waiting.
AtOnce = Callable[[bytes, bytes, Sequence[tuple[bytes, bytes]]], Answer | None]

SLOWEST_HEADERS_SECONDS = 15.0
# Longer than proxies keep a connection that nobody uses (nginx: 60 s), so that it is they who end it.
KEEP_ALIVE_SECONDS = 75.0
LARGEST_HEADERS_BYTES = 64 * 1024
_QUICK = (b"GET", b"HEAD")


def protocol_of(at_once: AtOnce | None) -> type[HttpToolsProtocol]:
    """The class of connections for uvicorn's setting `http`, which ask `at_once` first."""

    class Connected(Connection):
        known = None if at_once is None else staticmethod(at_once)

    return Connected


class Connection(HttpToolsProtocol):
    """A caller's connection. `known` is what may answer without waiting."""

    known: AtOnce | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # Whether the request that is being read was answered, so that nobody else is to hear of it.
        self._is_answered = False
        # Whether headers are awaited or half read, since when, and how much of them there is.
        self._is_reading_headers = True
        self._reading_since = self._heard_at = self.loop.time()
        self._headers_bytes = 0
        self._watch: asyncio.TimerHandle | None = None
        self._is_modern = False
        self._dated_by: list[tuple[bytes, bytes]] = []
        self._date = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller is there."""
        super().connection_made(transport)
        self._watch = self.loop.call_later(SLOWEST_HEADERS_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, received: bytes) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The parser gets what came, and calls what is below."""
        self._heard_at = self.loop.time()
        super().data_received(received)
        if self._is_reading_headers:
            self._headers_bytes += len(received)
            if self._headers_bytes > LARGEST_HEADERS_BYTES and not self.transport.is_closing():
                self._refuse(431, "Headers too large", f"Expected at most {LARGEST_HEADERS_BYTES} bytes of headers.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_answered = False
        self._is_reading_headers = True
        self._reading_since = self._heard_at
        self._headers_bytes = 0
        # What uvicorn makes ready here is for its task alone, so it waits until there is to be one.
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of it."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Its headers are all there: it is answered at once, or becomes a task."""
        self._is_reading_headers = False
        method: bytes = self._parsed.get_method()
        if self.known is not None and method in _QUICK and self._may_answer():
            try:
                answer = self.known(method, self.url, self.headers)
            except Exception as fault:  # the parser would take it for the caller's
                log.error("unforeseen fault", exc_info=fault)
                answer = None
            if answer is not None:
                self._is_answered = True
                self._write(answer)
                return
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, content in headers:
            super().on_header(name, content)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of its body, which nobody needs who was answered."""
        if not self._is_answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """It is all there."""
        if not self._is_answered:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """It is none."""
        self._refuse(400, "Not a request", f"Expected a request of HTTP/1.1, found another thing: {msg}")

    @property
    def _parsed(self) -> Any:
        """The parser, which is there as long as the connection is."""
        return self.parser

    def _is_busy(self) -> bool:
        """Whether the app works on a request of this connection."""
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _may_answer(self) -> bool:
        """Whether it is this request's turn, and nothing about it needs more than an answer."""
        parser = self._parsed
        if not self._is_modern:
            # Asked until it is so: who speaks HTTP/1.1 does not go back.
            self._is_modern = parser.get_http_version() == "1.1"
        return (
            self._is_modern
            # Answers go out in the order of requests, and no faster than they are taken.
            and not self._is_busy()
            and not self.flow.write_paused
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.transport.is_closing()
        )

    def _write(self, answer: Answer) -> None:
        headers = self.server_state.default_headers
        if headers is not self._dated_by:  # uvicorn makes them anew each second
            self._dated_by = headers
            self._date = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"".join((answer[0], self._date, *answer[1:])))

    def _refuse(self, status: int, title: str, detail: str) -> None:
        """Say what is wrong (RFC 9457), and hang up: what follows on this connection could be anything."""
        body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
        head = (
            f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _look(self) -> None:
        """Hang up on who sends nothing, or headers too slowly. One timer a connection, which looks now and then: to
        wind one up for each request would cost more than most answers."""
        if self.transport.is_closing():
            return
        now = self.loop.time()
        if self._is_reading_headers:
            left = self._reading_since + SLOWEST_HEADERS_SECONDS - now
        elif self._is_busy():
            left = SLOWEST_HEADERS_SECONDS
        else:
            left = self._heard_at + KEEP_ALIVE_SECONDS - now
        if left <= 0:
            self.transport.close()
            return
        self._watch = self.loop.call_later(min(left, SLOWEST_HEADERS_SECONDS), self._look)

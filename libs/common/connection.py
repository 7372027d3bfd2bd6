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
# So long a caller may send nothing of a body that is awaited, or take nothing of an answer.
STUCK_SECONDS = 60.0
# Longer than proxies keep a connection that nobody uses (nginx: 60 s), so that it is they who end it.
KEEP_ALIVE_SECONDS = 75.0
LOOK_SECONDS = 5.0
# Of the target, headers and trailers of one request together.
LARGEST_HEADERS_BYTES = 64 * 1024
# Requests of one connection that wait for the answer to an earlier one.
MOST_WAITING = 64
_QUICK = (b"GET", b"HEAD")


def protocol_of(at_once: AtOnce | None) -> type[HttpToolsProtocol]:
    """The class of connections for uvicorn's setting `http`, which ask `at_once` first."""

    class Connected(Connection):
        known = None if at_once is None else staticmethod(at_once)

    return Connected


class TooMuch(Exception):
    """More than one request may bring, or one connection ask for at a time."""


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
        # Whether the request that is being read was answered, so that nobody else is to hear of it; what of it is read.
        self._is_answered = False
        self._is_reading_headers = True
        self._is_reading_body = False
        self._reading_since = self._heard_at = self.loop.time()
        # What its headers take, and how much came of which the parser has said nothing yet: a line without an end.
        self._headers_bytes = 0
        self._unsaid_bytes = 0
        self._is_said = False
        self._has_too_much = False
        # Since when the caller takes nothing, while so much waits for it.
        self._stuck_since: float | None = None
        self._unsent_bytes = 0
        self._watch: asyncio.TimerHandle | None = None
        self._dated_by: list[tuple[bytes, bytes]] = []
        self._date = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller is there."""
        super().connection_made(transport)
        self._watch = self.loop.call_later(LOOK_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, received: bytes) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The parser gets what came, and calls what is below."""
        self._heard_at = self.loop.time()
        self._is_said = False
        super().data_received(received)
        self._unsaid_bytes = 0 if self._is_said else self._unsaid_bytes + len(received)
        if self._unsaid_bytes > LARGEST_HEADERS_BYTES and not self.transport.is_closing():
            self._has_too_much = True
            if self._is_busy():
                self.transport.close()  # to wait for its turn would be to read on
            else:
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_said = True
        self._is_answered = False
        self._is_reading_headers = True
        self._reading_since = self._heard_at
        self._headers_bytes = 0
        # What uvicorn makes ready here is for its task alone, so it waits until there is to be one.
        self.url = b""
        self.headers = []

    def on_url(self, url: bytes) -> None:
        """A piece of its target."""
        self._spend(len(url))
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of it. Trailers, which come after the body, nobody reads: who cleans headers on the way to us may
        not look at them."""
        self._spend(len(name) + len(value) + 4)
        if self._is_reading_headers:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Its headers are all there: it is answered at once, or becomes a task."""
        self._is_said = True
        self._is_reading_headers = False
        method: bytes = self._parsed.get_method()
        if self.known is not None and method in _QUICK and self._may_answer():
            try:
                answer = self.known(method, self.url, self.headers)
            except Exception as fault:  # the parser would take it for the caller's
                log.error("unforeseen fault", exc_info=fault)
                answer = None
            if answer is not None:
                self._is_answered = self._is_reading_body = True
                self._write(answer)
                return
        if len(self.pipeline) >= MOST_WAITING:
            raise TooMuch
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, content in headers:
            super().on_header(name, content)
        super().on_headers_complete()
        self._is_reading_body = True
        if self._parsed.should_upgrade():
            # To what nobody speaks here. The parser takes what follows for the next request, though it may be a body.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A piece of its body, which nobody needs when the request was answered."""
        self._is_said = True
        if self._is_answered:
            self._spend(len(body))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """It is all there."""
        self._is_said = True
        if not self._is_answered:
            super().on_message_complete()
        self._is_answered = self._is_reading_body = False

    def on_response_complete(self) -> None:
        """The app has answered."""
        self._heard_at = self._reading_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The caller takes less than it is sent."""
        self._stuck_since = self.loop.time()
        self._unsent_bytes = self.transport.get_write_buffer_size()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The caller took it."""
        self._stuck_since = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """It is none, or too much: say so (RFC 9457), and hang up, for what follows could be anything.

        Requests before it are answered first. Nothing is said to who was answered already: the words would stand for
        the answer to another request.
        """
        if self._is_busy() and not self._is_reading_body:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if not self._is_reading_body:
            self.transport.write(_refusal(msg, has_too_much=self._has_too_much))
        self.transport.close()

    def _spend(self, size_bytes: int) -> None:
        """Raise `TooMuch`, at which the parser ends, where a request brings more than headers may be."""
        self._is_said = True
        self._headers_bytes += size_bytes
        if self._headers_bytes > LARGEST_HEADERS_BYTES:
            self._has_too_much = True
            raise TooMuch

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
        return (
            parser.get_http_version() == "1.1"
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

    def _look(self) -> None:
        """Hang up on who is too slow. One timer a connection, which looks now and then: to wind one up for each
        request would cost more than most answers."""
        now = self.loop.time()
        if self._stuck_since is not None:
            unsent = self.transport.get_write_buffer_size()
            if unsent < self._unsent_bytes:
                self._stuck_since = now
            self._unsent_bytes = unsent
            if now - self._stuck_since >= STUCK_SECONDS:
                self.transport.abort()  # to close it would wait for what is not taken
                return
        if self._is_overdue(now):
            self.transport.close()
        if self.transport.is_closing() and self._stuck_since is None:
            self._stuck_since = now
            self._unsent_bytes = self.transport.get_write_buffer_size()
        self._watch = self.loop.call_later(LOOK_SECONDS, self._look)

    def _is_overdue(self, now: float) -> bool:
        """Whether the caller lets itself be waited for too long."""
        if self._is_busy():
            awaits_body = self.cycle.more_body and not self.flow.read_paused
            return awaits_body and now - self._heard_at >= STUCK_SECONDS
        if self._is_reading_headers:
            return now - self._reading_since >= SLOWEST_HEADERS_SECONDS
        return now - self._heard_at >= KEEP_ALIVE_SECONDS


def _refusal(why: str, *, has_too_much: bool) -> bytes:
    if has_too_much:
        status, title = 431, "Headers too large"
        said = f"Expected a target and headers of at most {LARGEST_HEADERS_BYTES} bytes."
    else:
        status, title, said = 400, "Not a request", f"Expected a request of HTTP/1.1, found another thing: {why}"
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": said})
    head = (
        f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body

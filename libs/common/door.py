"""The outermost middleware of every api: it bounds the body, opens the server span and counts the time."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import structlog
from fastapi import HTTPException, Request
from opentelemetry.trace import SpanKind
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.contracts.envelope import is_traceparent
from libs.common.problems import INTERNAL_ERROR, Problem
from libs.common.telemetry import HTTP_SECONDS, parent_context, tracer

log = structlog.get_logger(__name__)

_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
# Of a body that is too large, so many times the limit is read and dropped, for so long.
_DROPPED_TIMES, _DROPPED_SECONDS = 4, 2.0


class TooLarge(HTTPException):
    """The body grew past the limit. An HTTPException: FastAPI makes 400 of any other fault while it reads."""

    def __init__(self, largest_bytes: int) -> None:
        super().__init__(413)
        self.problem = Problem(413, "Body too large", f"Expected at most {largest_bytes} bytes.")


async def too_large(_: Request, fault: Exception) -> Response:
    """Answer `TooLarge` with its problem document."""
    assert isinstance(fault, TooLarge)
    return fault.problem.response()


class Door:
    """ASGI middleware; `largest_body_bytes` bounds a request's body, whether its length is told or not."""

    def __init__(self, app: ASGIApp, *, service: str, largest_body_bytes: int) -> None:
        self._app = app
        self._service = service
        self._largest = largest_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        traceparent = headers.get(b"traceparent", b"").decode("latin-1")
        parent = parent_context(traceparent) if is_traceparent(traceparent) else None
        exchange = _Exchange(receive, send, self._largest)
        started, method = time.perf_counter(), scope["method"]
        with tracer.start_as_current_span(method, parent, SpanKind.SERVER, {"http.request.method": method}) as span:
            try:
                await exchange.expect(int(headers.get(b"content-length", b"0") or 0))
                await self._app(scope, exchange.receive, exchange.send)
            except TooLarge as refused:
                await refused.problem.response()(scope, receive, exchange.send)
            except Exception as fault:
                # Caught here, within the span: further out the server would log the fault's text.
                log.error("unforeseen fault", exc_info=fault)
                if exchange.begun:
                    raise ConnectionError("the answer was cut off by a fault") from None
                await INTERNAL_ERROR.response()(scope, receive, exchange.send)
            finally:
                # The route's template, not the path: ids and short codes stay out of traces and metrics.
                route = getattr(scope.get("route"), "path", "unmatched")
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": exchange.status})
                seconds = time.perf_counter() - started
                HTTP_SECONDS.labels(self._service, route, str(exchange.status)).observe(seconds)


class _Exchange:
    """One request and its answer, as they pass: how large the one grew, and what status the other has."""

    def __init__(self, receive: Receive, send: Send, largest_bytes: int) -> None:
        self._receive, self._send, self._largest = receive, send, largest_bytes
        self._seen_bytes = 0
        self.status, self.begun = 500, False

    async def expect(self, size_bytes: int) -> None:
        if size_bytes > self._largest:
            await self._drop()
            raise TooLarge(self._largest)

    async def receive(self) -> Message:
        message = await self._next()
        if message.get("more_body"):
            await self.expect(self._seen_bytes)
        elif self._seen_bytes > self._largest:
            raise TooLarge(self._largest)
        return message

    async def _next(self) -> Message:
        message = await self._receive()
        self._seen_bytes += len(message.get("body", b""))
        return message

    async def _drop(self) -> None:
        """Read on: a connection that is closed on somebody who still sends may lose them the answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DROPPED_SECONDS):
                while self._seen_bytes <= _DROPPED_TIMES * self._largest:
                    if not (await self._next()).get("more_body"):
                        return

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.begun = message["status"], True
        await self._send(message)

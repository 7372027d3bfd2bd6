"""What every service's api shares: the FastAPI app with its bounds, traces, health pages and metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import SpanKind
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.contracts.envelope import is_traceparent
from libs.common.postgres.database import Database
from libs.common.problems import AWAY, INTERNAL_ERROR, RETRY_AFTER_SECONDS, Problem, install_problem_handlers
from libs.common.security import Tokens
from libs.common.settings import ServiceSettings
from libs.common.telemetry import HTTP_SECONDS, parent_context, tracer

log = structlog.get_logger(__name__)

# FastAPI's own spans carry whole paths and queries, so learner ids and access tokens; ours (`_Door`) do not.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})


def create_app(
    service: str,
    settings: ServiceSettings,
    *,
    title: str,
) -> FastAPI:
    """A FastAPI app with database, tokens, problem documents, traces, `/healthz`, `/readyz` and `/metrics`.

    `app.state.database` is the `Database`, `app.state.settings` the settings, `app.state.tokens` the `Tokens`.
    The app starts when the database is away: requests then answer 503 until it is back.
    """

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncGenerator[None]:
        app.state.database = await Database.connect(
            settings.database_dsn.get_secret_value(), application_name=f"cairn-{service}-api", min_size=0
        )
        try:
            yield
        finally:
            await app.state.database.close()

    app = FastAPI(title=title, version="1.0", lifespan=run, docs_url="/docs", redoc_url=None, telemetry=_NO_TELEMETRY)
    app.state.settings = settings
    app.state.tokens = Tokens(settings.token_keys_file, issuer=settings.token_issuer, audience=settings.token_audience)
    install_problem_handlers(app)
    app.add_exception_handler(_TooLarge, _too_large)
    _add_health(app)
    app.add_middleware(_Door, service=service, largest_body_bytes=settings.largest_body_bytes)
    return app


async def _too_large(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, _TooLarge)
    return fault.problem.response()


def _add_health(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"status": "alive"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz(request: Request) -> Response:
        database: Database = request.app.state.database
        try:
            async with asyncio.timeout(2):
                await database.ping()
        except AWAY as fault:
            return JSONResponse(
                {"status": "not ready", "database": type(fault).__name__},
                503,
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class _TooLarge(HTTPException):
    """The body grew past the limit. An HTTPException: FastAPI makes 400 of any other fault while it reads."""

    def __init__(self, largest_bytes: int) -> None:
        super().__init__(413)
        self.problem = Problem(413, "Body too large", f"Expected at most {largest_bytes} bytes.")


class _Door:
    """The outermost middleware: bounds the body, opens the server span, counts the time."""

    def __init__(self, app: ASGIApp, *, service: str, largest_body_bytes: int) -> None:
        self._app = app
        self._service = service
        self._largest = largest_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        headers = {name: content for name, content in scope["headers"] if name in (b"traceparent", b"content-length")}
        traceparent = headers.get(b"traceparent", b"").decode("latin-1")
        started, status, seen, begun = time.perf_counter(), 500, 0, False

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._largest:
                raise _TooLarge(self._largest)
            return message

        async def noted(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
            await send(message)

        parent = parent_context(traceparent) if is_traceparent(traceparent) else None
        with tracer.start_as_current_span(
            f"{scope['method']}", parent, SpanKind.SERVER, {"http.request.method": scope["method"]}
        ) as span:
            try:
                if int(headers.get(b"content-length", b"0") or 0) > self._largest:
                    raise _TooLarge(self._largest)
                await self._app(scope, bounded, noted)
            except _TooLarge as refused:
                await refused.problem.response()(scope, receive, noted)
            except Exception as fault:
                # Caught here, within the span: further out the server would log the fault's text.
                log.error("unforeseen fault", exc_info=fault)
                if begun:
                    raise ConnectionError("the answer was cut off by a fault") from None
                await INTERNAL_ERROR.response()(scope, receive, noted)
            finally:
                # The route's template, not the path: ids and short codes stay out of traces and metrics.
                route = getattr(scope.get("route"), "path", "unmatched")
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                HTTP_SECONDS.labels(self._service, route, str(status)).observe(time.perf_counter() - started)

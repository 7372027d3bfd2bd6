"""What every service's api shares: the FastAPI app with its bounds, traces, health pages and metrics."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from libs.common.door import Door, TooLarge, too_large
from libs.common.postgres.database import Database
from libs.common.problems import AWAY, PROBLEM_RESPONSES, RETRY_AFTER_SECONDS, install_problem_handlers
from libs.common.security import Tokens
from libs.common.settings import ServiceSettings

log = structlog.get_logger(__name__)

# FastAPI's own spans carry whole paths and queries, so learner ids and access tokens; ours (`Door`) do not.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(
    service: str,
    settings: ServiceSettings,
    *,
    title: str,
    aside: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> FastAPI:
    """A FastAPI app with database, tokens, problem documents, traces, `/healthz`, `/readyz` and `/metrics`.

    `app.state.database` is the `Database`, `app.state.settings` the settings, `app.state.tokens` the `Tokens`.
    The app starts when the database is away: requests then answer 503 until it is back. `aside` runs beside the app as
    long as it does.
    """

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncGenerator[None]:
        app.state.database = await Database.connect(
            settings.database_dsn.get_secret_value(), application_name=f"cairn-{service}-api", min_size=0
        )
        beside = None if aside is None else asyncio.create_task(aside())
        try:
            yield
        finally:
            if beside is not None:
                beside.cancel()
                await asyncio.wait([beside])
            await app.state.database.close()

    app = FastAPI(
        title=title, version="1.0", lifespan=run, docs_url="/docs", redoc_url=None, telemetry=_NO_TELEMETRY,
        responses=PROBLEM_RESPONSES,
    )  # fmt: skip
    app.openapi = partial(_description, app)
    app.state.settings = settings
    app.state.tokens = Tokens(settings.token_keys_file, issuer=settings.token_issuer, audience=settings.token_audience)
    install_problem_handlers(app)
    app.add_exception_handler(TooLarge, too_large)
    _add_health(app)
    app.add_middleware(Door, service=service, largest_body_bytes=settings.largest_body_bytes)
    return app


def _description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. HEAD goes with GET and is left out: two operations may not have one id."""
    if app.openapi_schema is None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Duplicate Operation ID", UserWarning)
            app.openapi_schema = FastAPI.openapi(app)
        for operations in app.openapi_schema["paths"].values():
            if "get" in operations:
                operations.pop("head", None)
    return app.openapi_schema


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

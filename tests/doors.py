"""A service's real app behind an HTTP client, without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from libs.common.postgres.migrate import migrate
from libs.common.process import MESSAGING_MIGRATIONS

SERVICES = Path(__file__).parents[1] / "services"


async def prepare_database(dsn: str, service: str) -> None:
    """Bring the database at `dsn` to where `service` needs it, as `python -m services.<name> migrate` does."""
    await migrate(dsn, [MESSAGING_MIGRATIONS, SERVICES / service / "sql" / "migrations"])


@asynccontextmanager
async def open_doors(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Start `app` and give a client of it; faults that the app answers with 500 are not raised."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            yield client

"""Progress with its own database: its doors, its delivery, and what a learning event looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from libs.common.messaging.delivery import Delivery
from libs.common.postgres.database import Database
from services.progress import api
from services.progress.settings import ProgressSettings
from services.progress.worker import HEARS
from tests.doors import open_doors, prepare_database
from tests.tokens import ISSUER, TokenMint


@pytest.fixture
def mint(tmp_path: Path) -> TokenMint:
    """Mints the tokens that the doors accept."""
    return TokenMint(tmp_path)


@pytest.fixture
async def dsn(database_dsn: str) -> str:
    """A database with progress's tables."""
    await prepare_database(database_dsn, "progress")
    return database_dsn


@pytest.fixture
def settings(dsn: str, mint: TokenMint) -> ProgressSettings:
    """Settings with small limits."""
    return ProgressSettings(
        database_dsn=dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=ISSUER,
        most_events_a_request=50,
        largest_body_bytes=64 * 1024,
    )


@pytest.fixture
async def doors(settings: ProgressSettings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app."""
    async with open_doors(api.create(settings)) as client:
        yield client


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A pool of the test's own."""
    database = await Database.connect(dsn, application_name="test")
    yield database
    await database.close()


@pytest.fixture
def delivery(database: Database) -> Delivery:
    """The inside of progress's worker."""
    return Delivery(database, service="progress", hears=HEARS)

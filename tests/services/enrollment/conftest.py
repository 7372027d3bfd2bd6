"""Enrollment with its own database, behind its doors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from libs.common.postgres.database import Database
from services.enrollment import api
from services.enrollment.settings import EnrollmentSettings
from tests.doors import open_doors, prepare_database
from tests.tokens import ISSUER, TokenMint


@pytest.fixture
def mint(tmp_path: Path) -> TokenMint:
    """Mints the tokens that the doors accept."""
    return TokenMint(tmp_path)


@pytest.fixture
async def dsn(database_dsn: str) -> str:
    """A database with enrollment's tables."""
    await prepare_database(database_dsn, "enrollment")
    return database_dsn


@pytest.fixture
async def doors(dsn: str, mint: TokenMint) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app, with small limits, that may do everything."""
    settings = EnrollmentSettings(
        database_dsn=dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=ISSUER,
        most_rows_a_request=50,
        largest_body_bytes=64 * 1024,
    )
    scopes = ("catalogue.write", "learners.write", "learners.read", "enrollments.write")
    async with open_doors(api.create(settings)) as client:
        client.headers.update(mint.headers(*scopes, subject="registrar"))
        yield client


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A pool of the test's own."""
    database = await Database.connect(dsn, application_name="test")
    yield database
    await database.close()

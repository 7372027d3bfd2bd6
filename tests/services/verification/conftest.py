"""A running verification service on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.verification.support import Service, at, running


@pytest.fixture
async def service(database_dsn: str, tmp_path: Path) -> AsyncIterator[Service]:
    """Verification with empty tables, an hour after the tests' beginning."""
    async with running(database_dsn, tmp_path) as started:
        started.set_clock(at(60))
        yield started

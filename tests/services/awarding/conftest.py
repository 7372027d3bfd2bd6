"""A running awarding service on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.services.awarding.support import Service


@pytest.fixture
async def service(database_dsn: str) -> AsyncIterator[Service]:
    """Awarding with empty tables."""
    started = await Service.start(database_dsn)
    yield started
    await started.database.close()

"""A running verification service on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.services.verification.browsing import CHROMIUM, GONE, GOOD, UNKNOWN, listening
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    Service,
    at,
    event,
    key_published,
    revoked,
    running,
)


@pytest.fixture
async def service(database_dsn: str, tmp_path: Path) -> AsyncIterator[Service]:
    """Verification with empty tables, an hour after the tests' beginning."""
    async with running(database_dsn, tmp_path) as started:
        started.set_clock(at(60))
        yield started


@pytest.fixture
async def site(service: Service) -> AsyncIterator[str]:
    """The address of a running verification with a good, a withdrawn and an unverifiable badge."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), GOOD, GONE, UNKNOWN)
    await service.hear(event(revoked(GONE), minutes=1))
    async with listening(service) as address:
        yield address


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        await started.close()

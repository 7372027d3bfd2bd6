"""A running verification with three badges, and a real browser before it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page

from tests.services.verification.support import OTHER_KEY, Service, badge_issued
from tests.services.verification.test_results import DESCRIBED, RESULTS

CHROMIUM = Path("/usr/bin/chromium")
needs_browser = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser: {CHROMIUM} is not installed")

GOOD = badge_issued(results=(DESCRIBED, RESULTS))
GONE, UNKNOWN = badge_issued("learner-2"), badge_issued("learner-3", private_key=OTHER_KEY)


@asynccontextmanager
async def listening(service: Service) -> AsyncIterator[str]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(service.app, log_level="warning", lifespan="off", ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[door]))
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


async def opened(browser: Browser, site: str, token: str, **options: Any) -> Page:
    """A page of a person who is signed in as somebody who may read records."""
    context = await browser.new_context(java_script_enabled=True, **options)
    page = await context.new_page()
    await page.goto(f"{site}/learners/learner-1/badges?access={token}")
    assert "access=" not in page.url
    return page

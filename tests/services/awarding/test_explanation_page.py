"""The page of an explanation in a real browser: steps, what comes first, whose move it is (B1, M1.7)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright

from services.awarding import api
from services.awarding.settings import AwardingSettings
from tests.libs.common.messaging.waiting import until
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    completed,
    done,
    passed,
    published,
    registered,
    scored,
    step,
    steps,
    verified,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser: {CHROMIUM} is not installed")

WAY = steps(
    step("theory", done("theory"), facilitation="supervised"),
    step("chart", passed("chart"), "theory", milestone=True),
    step("berth", all_of(verified("berthing"), done("log")), "theory", "chart",
         facilitation="fully-facilitated", facilitator="Captain Reed"),
    step("night", done("night"), "berth", optional=True),
)  # fmt: skip
PAGE = "/learners/ada/achievements/skipper/explanation"


@pytest.fixture
async def site(service: Service, database_dsn: str, tmp_path: Path) -> AsyncIterator[tuple[str, TokenMint]]:
    """The address of a running awarding where Ada is half-way."""
    await service.hear(
        *published(ISSUER, achievement("skipper", WAY, kind="pathway")),
        *registered("ada"),
        completed("ada", "theory", 1),
        scored("ada", "chart", "30", 2),
        completed("ada", "log", 3),
    )
    mint = TokenMint(tmp_path)
    app = api.create(
        AwardingSettings(
            database_dsn=database_dsn,  # type: ignore[arg-type]
            token_keys_file=mint.keys_file,
            token_issuer=TOKEN_ISSUER,
        )
    )
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[door]))

        async def is_listening() -> bool:
            return server.started

        await until(is_listening)
        yield f"http://127.0.0.1:{door.getsockname()[1]}", mint
        server.should_exit = True
        await serving


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("width", "scheme"), [(1240, "light"), (390, "dark")])
async def test_steps_are_shown_in_their_order_and_without_a_violation(
    site: tuple[str, TokenMint], tmp_path: Path, language: str, width: int, scheme: Any
) -> None:
    address, mint = site
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 844})
        await page.goto(f"{address}{PAGE}?access={mint.token('records.read')}")
        await page.goto(f"{address}{PAGE}?lang={language}")
        assert await page.locator("ol.checks > li").count() == 4
        berth = page.locator("ol.checks > li").nth(2)
        words = ("First: Step chart", "Captain Reed") if language == "en" else ("D’abord : Step chart", "Captain Reed")
        for word in words:
            assert await berth.get_by_text(word).is_visible()
        found = (await Axe().run(page)).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.screenshot(path=tmp_path / f"explanation-{language}-{width}.png", full_page=True)
        await browser.close()

"""The pages in a real browser: no accessibility violation, no overflow, usable by keyboard (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
import zxingcpp
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser

from libs.common.contracts import ImportRefused
from libs.common.messaging.work import begin
from services.verification.handlers.backpack import keep_pushed_badge
from services.verification.handlers.granting.desk import SCOPES
from services.verification.store.backpack import Held
from tests.services.verification.browsing import GONE, GOOD, UNKNOWN, needs_browser, opened
from tests.services.verification.support import (
    Service,
    at,
    event,
)

pytestmark = needs_browser

PATHS = (
    f"/badges/{GOOD.badge_id}", f"/badges/{GONE.badge_id}", f"/badges/{UNKNOWN.badge_id}", "/", "/issuers/prairie",
    "/achievements/coaching/versions/2", "/learners/learner-1/badges", "/badges/nothing", "/verify",
    f"/badges/{GOOD.badge_id}/sharing", f"/badges/{GOOD.badge_id}/embed", "/learners/learner-1/programs",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1240, 390])
async def test_no_page_has_a_violation(service: Service, site: str, browser: Browser, scheme: Any, width: int) -> None:
    token = service.mint.token("records.read", learner_id="learner-1")
    page = await opened(browser, site, token, color_scheme=scheme, viewport={"width": width, "height": 844})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in PATHS:
        for language in ("en", "fr") if scheme == "light" else ("en",):
            await page.goto(f"{site}{path}?lang={language}")
            for summary in await page.locator("summary").all():
                if await summary.locator("..").get_attribute("open") is None:
                    await summary.click()
            found = (await Axe().run(page)).response["violations"]
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], path
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
    # The policy blocked nothing, and nothing was missing but the page that is not there.
    assert [text for text in complaints if "404" not in text] == []


async def test_the_keyboard_leads_to_everything(service: Service, site: str, browser: Browser) -> None:
    page = await opened(browser, site, service.mint.token("records.read", learner_id="learner-1"))
    await page.goto(f"{site}/badges/{GOOD.badge_id}")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert not await page.get_by_text("unchanged since it was signed").is_visible()
    await page.keyboard.press("Enter")
    assert await page.get_by_text("unchanged since it was signed").is_visible()


async def test_the_verdict_comes_before_the_buttons_on_a_phone(service: Service, site: str, browser: Browser) -> None:
    token = service.mint.token("records.read", learner_id="learner-1")
    page = await opened(browser, site, token, viewport={"width": 390, "height": 844})
    await page.goto(f"{site}/badges/{GOOD.badge_id}")
    verdict = await page.locator(".verdict").bounding_box()
    buttons = await page.locator(".actions").bounding_box()
    assert verdict is not None
    assert buttons is not None
    assert verdict["y"] < buttons["y"]


async def test_a_learner_lets_a_program_in(service: Service, site: str, browser: Browser) -> None:
    registered = await service.client.post(
        "/oauth/register", json={"client_name": "A wallet", "redirect_uris": [f"{site}/verify"]}
    )
    asked = {
        "client_id": registered.json()["client_id"], "response_type": "code", "redirect_uri": f"{site}/verify",
        "scope": " ".join(SCOPES), "code_challenge": "x" * 43, "code_challenge_method": "S256", "state": "s",
    }  # fmt: skip
    page = await browser.new_page(viewport={"width": 390, "height": 844})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(f"{site}/learners/learner-1/badges?access={service.mint.token(learner_id='learner-1')}")
    for language in ("fr", "en"):
        await page.goto(f"{site}/oauth/authorize?{urlencode(asked)}&lang={language}")
        assert (await Axe().run(page)).response["violations"] == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.get_by_role("button", name="Allow", exact=True).click()
    await page.wait_for_url(f"{site}/verify?code=*")
    assert page.url.endswith("&state=s")
    await page.goto(f"{site}/learners/learner-1/programs")
    await _pushed(service)
    for language in ("fr", "en"):
        for width in (1240, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            await page.goto(f"{site}/learners/learner-1/programs?lang={language}")
            assert (await Axe().run(page)).response["violations"] == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    # What was let in is ended by keyboard, and without a script.
    await page.get_by_role("button", name="End the access of A wallet").focus()
    await page.keyboard.press("Enter")
    await page.get_by_text("No program gets at your badges.").wait_for()
    assert await page.get_by_text("You ended its access.").is_visible()
    assert complaints == []
    await page.close()


async def _pushed(service: Service) -> None:
    async with begin(service.database) as work:
        held = Held(GONE.credential.encode(), is_token=False)
        await keep_pushed_badge(work, "learner-1", f"urn:x:{'y' * 90}", held, issued_at=at(1), at=at(2), most=9)
    # It waits for its learner to say to whom it was awarded, and the page leads there.
    service.app.state.parts = replace(service.app.state.parts, awarding_url="https://awards.example")
    row = await service.database.pool.fetchrow("select push_id, digest from pushed_badge")
    assert row is not None
    word = ImportRefused(
        import_id=row["push_id"], learner_id="learner-1", digest=row["digest"], cause="unbound", detail="Say so.",
        is_final=False,
    )  # fmt: skip
    await service.hear(event(word, minutes=3))


async def test_a_learner_shares_without_javascript(service: Service, site: str, browser: Browser) -> None:
    token = service.mint.token(learner_id="learner-1")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site}/badges/{GOOD.badge_id}?access={token}")
    await page.get_by_role("link", name="Who may see it").click()
    await page.get_by_label("What is the link for?").fill("For the application at the harbour")
    await page.get_by_role("button", name="Make a link").click()
    await page.get_by_label("Only me, and those to whom I give a link").check()
    await page.get_by_role("button", name="Save").click()
    assert await page.get_by_text("Only you see this badge, and those to whom you gave a link.").is_visible()
    link = await page.locator(".links code").inner_text()
    stranger = await (await browser.new_context()).new_page()
    assert (await stranger.goto(f"{site}/badges/{GOOD.badge_id}")).status == 404  # pyright: ignore
    assert (await stranger.goto(site + link.removeprefix("https://badges.example"))).status == 200  # pyright: ignore
    await page.get_by_role("button", name="End the link: For the application at the harbour").click()
    assert (await stranger.reload()).status == 404  # pyright: ignore
    await stranger.context.close()
    await context.close()


async def test_pages_turn_round_for_right_to_left_readers(service: Service, site: str, browser: Browser) -> None:
    page = await opened(
        browser,
        site,
        service.mint.token("records.read", learner_id="learner-1"),
        viewport={"width": 1240, "height": 844},
    )
    await page.goto(f"{site}/badges/{GOOD.badge_id}")

    async def art_is_left() -> bool:
        art, said = await page.locator(".art").bounding_box(), await page.locator(".said").bounding_box()
        assert art is not None
        assert said is not None
        return art["x"] < said["x"]

    assert await art_is_left()
    await page.evaluate("document.documentElement.dir = 'rtl'")
    assert not await art_is_left()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 1240


async def test_a_learner_offers_a_badge_to_a_wallet(service: Service, site: str, browser: Browser) -> None:
    token = service.mint.token(learner_id="learner-1")
    context = await browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = await context.new_page()
    await page.goto(f"{site}/badges/{GOOD.badge_id}?access={token}")
    await page.get_by_text("More ways to use it").click()
    await page.get_by_role("link", name="Put it into a wallet").click()
    await page.get_by_role("button", name="Make an offer for a wallet").click()
    link = await page.get_by_role("link", name="Or open the wallet on this device").get_attribute("href")
    assert link is not None
    await page.wait_for_load_state("load")  # the picture is there only then
    picture = await page.get_by_role("img", name="QR code of the offer").screenshot()
    assert [code.text for code in zxingcpp.read_barcodes(Image.open(BytesIO(picture)))] == [link]
    # Whoever photographs the page has no PIN: it is shown once it is asked for.
    pin = page.locator("details code", has_text=re.compile(r"^\d{6}$"))
    assert not await pin.is_visible()
    await page.get_by_text("Show the PIN that the wallet asks for").click()
    await pin.wait_for()
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_of_an_offer_has_no_violation(
    service: Service, site: str, browser: Browser, scheme: Any
) -> None:
    page = await opened(
        browser, site, service.mint.token(learner_id="learner-1"), color_scheme=scheme,
        viewport={"width": 390, "height": 844},
    )  # fmt: skip
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for language in ("en", "fr"):
        await page.goto(f"{site}/badges/{GOOD.badge_id}/sharing?lang={language}")
        await page.locator("form:has(input[value=offer]) button").click()
        await page.locator("summary").click()
        found = (await Axe().run(page)).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []

"""Uploaded pictures in a real browser: seen, said, and running nothing (issue 5; WCAG 2.2 AA)."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.libs.common.pictures.hostile import GOOD as PICTURE
from tests.services.verification.browsing import needs_browser
from tests.services.verification.support import ADDRESSES, PUBLIC_URL, Service, badge_issued, event
from tests.services.verification.test_pictures import CAPTION, made_safe, third, uploaded, with_logo

pytestmark = needs_browser

SAFE = made_safe(PICTURE.encode(), "image/svg+xml")


async def test_an_uploaded_picture_is_seen_and_said(service: Service, site: str, browser: Browser) -> None:
    await service.hear_all(uploaded(SAFE), third(SAFE))
    await service.hear(event(with_logo(SAFE), minutes=2))
    badge = badge_issued(achievement=third(SAFE))
    await service.hear_all(badge)
    page = await (await browser.new_context()).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in (f"/badges/{badge.badge_id}", f"/badges/{badge.badge_id}/embed", "/issuers/prairie"):
        await page.goto(f"{site}{path}")
        for picture in await page.get_by_role("img", name=CAPTION).all():
            assert await picture.evaluate("one => one.complete && one.naturalWidth > 0"), path
        assert await page.get_by_role("img", name=CAPTION).count() == (2 if "issuers" in path else 1)
        found = (await Axe().run(page)).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], path
    # By itself it is a document that runs and loads nothing, and is seen all the same.
    await page.goto(f"{site}{ADDRESSES.picture(SAFE.digest, SAFE.media_type).removeprefix(PUBLIC_URL)}")
    assert await page.locator("circle").count() == 1
    assert [text for text in complaints if "404" not in text] == []  # a picture by itself has no icon

"""The page that verifies, in a real browser: dropped, pasted, chosen, and without script (M2.4; WCAG 2.2 AA)."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.services.verification.browsing import GOOD, needs_browser

pytestmark = needs_browser


async def test_a_dropped_file_shows_its_verdict(site: str, browser: Browser) -> None:
    page = await browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(f"{site}/verify")
    await page.evaluate(
        """text => {
          const carried = new DataTransfer();
          carried.items.add(new File([text], 'badge.json', {type: 'application/json'}));
          document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: carried, bubbles: true}));
        }""",
        GOOD.credential,
    )
    await page.locator("#verdict").get_by_text("Genuine and current").wait_for()
    # Whoever does not see the page hears the verdict: the focus is on it.
    assert await page.evaluate("document.activeElement.id") == "verdict"
    assert "Genuine and current" in await page.title()
    forged = GOOD.credential.replace("Coaching", "Flying")
    await page.locator("#text").fill(forged)
    await page.keyboard.press("Tab")
    await page.locator("button[type=submit]").focus()
    await page.keyboard.press("Enter")
    await page.locator("#verdict").get_by_text("Not genuine").wait_for()
    chosen = {"name": "badge.json", "mimeType": "application/json", "buffer": GOOD.credential.encode()}
    await page.locator("#file").set_input_files([chosen])  # type: ignore[list-item]
    await page.locator("#verdict").get_by_text("Genuine and current").wait_for()
    assert (await Axe().run(page)).response["violations"] == []
    assert complaints == []
    await page.close()


async def test_a_pasted_text_or_picture_shows_its_verdict(site: str, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(f"{site}/verify")
    paste = """([text, name]) => {
      const carried = new DataTransfer();
      if (name) carried.items.add(new File([text], name, {type: 'application/json'}));
      else carried.setData('text/plain', text);
      document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: carried, bubbles: true}));
    }"""
    await page.evaluate(paste, [GOOD.credential.replace("Coaching", "Flying"), ""])
    await page.locator("#verdict").get_by_text("Not genuine").wait_for()
    await page.evaluate(paste, [GOOD.credential, "badge.json"])
    await page.locator("#verdict").get_by_text("Genuine and current").wait_for()
    await page.close()


async def test_the_form_needs_no_script(site: str, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site}/verify?lang=fr")
    assert not await page.locator("#drop").is_visible()
    await page.locator("#text").fill(GOOD.credential)
    await page.locator("button[type=submit]").click()
    await page.locator("#verdict").get_by_text("Authentique").wait_for()
    await context.close()

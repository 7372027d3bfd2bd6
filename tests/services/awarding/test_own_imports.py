"""A learner says on a page to which address a pushed badge was awarded, and it is told no wider (B12, B7)."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright

from libs.common.security import SESSION_COOKIE
from services.awarding.model import Import
from services.awarding.rules.shown_imports import address_in, import_shown, is_awarded_to
from tests.libs.common.messaging.waiting import until
from tests.services.awarding.abroad import DOOR, EMAIL, Abroad, abroad, foreign, sandbox
from tests.services.awarding.support import START
from tests.services.awarding.test_explanation_page import CHROMIUM
from tests.services.awarding.test_pushes import PUSH, hear, pushed, refusals
from tests.services.awarding.test_states import holding

__all__ = ["abroad", "sandbox"]
FORM = f"{DOOR}/{PUSH}/recipient"
PERSON = "select person_identity from imported_badge"


def session(abroad: Abroad, learner_id: str = "ada") -> dict[str, str]:
    """A browser that is signed in, with the cookie that such a session has."""
    token = abroad.mint.token(subject=learner_id, learner_id=learner_id)
    return {"cookie": f"{SESSION_COOKIE}={token}", "accept": "text/html"}


async def waiting(abroad: Abroad, content: bytes | None = None) -> None:
    """A badge that names its recipient by a hash alone is pushed, and waits."""
    await hear(abroad, pushed(content or foreign()))
    await abroad.look_again()
    assert await refusals(abroad) == [("unbound", False)]


def token_on(page: str) -> str:
    """What the form of the page sends back to be believed."""
    (token,) = set(re.findall(r'name="token" value="([0-9a-f]+)"', page))
    return token


async def test_the_address_is_said_and_the_badge_counts(abroad: Abroad) -> None:
    await waiting(abroad)
    headers = session(abroad)
    page = await abroad.client.get(DOOR, headers=headers)
    assert (page.status_code, page.headers["cache-control"]) == (200, "private, no-store")
    assert f'action="{FORM}"' in page.text
    assert "Coaching and Mentoring" in page.text
    sent = {"token": token_on(page.text), "address": f" {EMAIL.lower()} "}
    answer = await abroad.client.post(f"{FORM}?lang=fr", data=sent, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{DOOR}?lang=fr")
    assert await abroad.service.database.pool.fetchval(PERSON) == EMAIL.lower()
    # Sent twice, it says nothing more.
    assert (await abroad.client.post(FORM, data={**sent, "address": "x@y"}, headers=headers)).status_code == 303
    assert "recipient" not in (await abroad.client.get(DOOR, headers=headers)).text
    assert await abroad.look_again() == 1
    assert await abroad.count() == 1
    assert await holding(abroad.service) == {"stack"}
    assert await abroad.service.database.pool.fetchval(PERSON) is None
    told = b"".join(row["value"] for row in await abroad.service.database.pool.fetch("select value from outbox"))
    assert EMAIL.lower().encode() not in told.lower()
    assert "Il compte ici" in (await abroad.client.get(f"{DOOR}?lang=fr", headers=headers)).text


@pytest.mark.parametrize("address", ["ben@learner.example", "no address", "", "a@b\0", "ada@" + "x" * 400 + ".example"])
async def test_an_address_that_the_badge_does_not_name_costs_nothing(abroad: Abroad, address: str) -> None:
    await waiting(abroad)
    headers = session(abroad)
    token = token_on((await abroad.client.get(DOOR, headers=headers)).text)
    answer = await abroad.client.post(FORM, data={"token": token, "address": address}, headers=headers)
    assert answer.status_code == 422
    assert "The badge does not name this address." in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert not address or address not in answer.text
    assert await abroad.service.database.pool.fetchval(PERSON) is None
    assert await abroad.look_again(days=1) == 0
    # It waits as before.
    again = await abroad.client.post(FORM, data={"token": token, "address": EMAIL}, headers=headers)
    assert again.status_code == 303


async def test_nobody_else_says_it(abroad: Abroad) -> None:
    await waiting(abroad)
    token = token_on((await abroad.client.get(DOOR, headers=session(abroad))).text)
    staff = {**abroad.mint.headers("records.read", "records.write"), "accept": "text/html"}
    for headers, sent in (
        ({}, token), (session(abroad), "x"), (session(abroad), ""), (session(abroad, "ben"), token), (staff, token),
        (abroad.own(), token),
    ):  # fmt: skip
        answer = await abroad.client.post(FORM, data={"token": sent, "address": EMAIL}, headers=headers)
        assert answer.status_code == 404
    assert await abroad.service.database.pool.fetchval(PERSON) is None
    unknown = f"{DOOR}/{UUID(int=9)}/recipient"
    sent = {"token": token, "address": EMAIL}
    assert (await abroad.client.post(unknown, data=sent, headers=session(abroad))).status_code == 404
    # Who may read records sees what there is, and no form; others see nothing.
    page = await abroad.client.get(DOOR, headers=staff)
    assert (page.status_code, "<form" in page.text) == (200, False)
    assert (await abroad.client.get(DOOR, headers=session(abroad, "ben"))).status_code == 403
    assert (await abroad.client.get(DOOR, headers={"accept": "text/html"})).status_code == 401


async def test_who_wants_json_gets_it_as_before(abroad: Abroad) -> None:
    await waiting(abroad)
    answer = await abroad.client.get(DOOR, headers=abroad.own())
    assert (answer.headers["content-type"], answer.headers["vary"]) == ("application/json", "Accept")
    assert [one["state"] for one in answer.json()["imported_badges"]] == ["unclear"]


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser: {CHROMIUM} is not installed")
async def test_it_is_done_in_a_browser_without_a_violation(abroad: Abroad) -> None:
    await hear(abroad, pushed(foreign(2, plain=True), push_id=UUID(int=2)))
    await abroad.look_again()
    await abroad.count()
    await waiting(abroad)
    app: Any = abroad.client._transport.app  # type: ignore[attr-defined]
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[door]))

        async def is_listening() -> bool:
            return server.started

        await until(is_listening)
        try:
            await browsed(abroad, f"http://127.0.0.1:{door.getsockname()[1]}{DOOR}")
        finally:
            server.should_exit = True
            await serving
    assert await abroad.service.database.pool.fetchval(f"{PERSON} where import_id = $1", PUSH) == EMAIL


async def browsed(abroad: Abroad, page_url: str) -> None:
    """Ada says it wrongly, and then rightly; each page is looked at on a screen and a phone, in both languages."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context()
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(f"{page_url}?access={abroad.mint.token(subject='ada', learner_id='ada')}")

        async def is_good() -> None:
            for width, scheme in ((1240, "light"), (390, "dark")):
                await page.set_viewport_size({"width": width, "height": 844})
                await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                found = (await Axe().run(page)).response["violations"]
                assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
                assert await page.evaluate("document.documentElement.scrollWidth") <= width

        for language in ("fr", "en"):
            await page.goto(f"{page_url}?lang={language}")
            await is_good()
        field = page.get_by_label("E-mail address to which it was awarded")
        await field.fill("ben@learner.example")
        await page.keyboard.press("Enter")
        await page.get_by_role("alert").wait_for()
        await is_good()
        # The one message is the browser's own, on the status of the answer.
        assert all("422" in complaint for complaint in complaints)
        await field.fill(EMAIL)
        await page.get_by_role("button", name="Say so").click()
        await page.wait_for_url(f"{page_url}?lang=en")
        assert await page.get_by_text("It is being looked at: whether it is genuine, and yours.").is_visible()
        await is_good()
        await browser.close()


def an_import(content: bytes | None, **more: Any) -> Import:
    """An import of Ada's."""
    values: dict[str, Any] = {"state": "unclear", "person": None, "is_vouched": False, "actor": "program", **more}
    return Import(PUSH, "ada", brought=content, digest="", asked_at=START, badge=None, checked_at=START, **values)


def test_what_is_asked_and_what_is_named() -> None:
    assert is_awarded_to(an_import(foreign()), "ada@learner.example")
    assert is_awarded_to(an_import(foreign(plain=True)), EMAIL)
    for content in (b"", None, b"{}", b"https://x.example/1", b"a.b.c", b'{"credentialSubject": 3}'):
        assert not is_awarded_to(an_import(content), EMAIL)
        assert import_shown(an_import(content)).name == ""
    unbound = {"cause": "unbound: it waits", "is_pushed": True}
    assert import_shown(an_import(foreign(), **unbound)).is_asked
    for other in ({**unbound, "is_pushed": False}, {**unbound, "cause": None}, {**unbound, "state": "refused"}):
        assert not import_shown(an_import(foreign(), **other)).is_asked
    assert not import_shown(an_import(None, **unbound)).is_asked


@pytest.mark.parametrize(
    ("text", "address"),
    [(" ada@b.example ", "ada@b.example"), ("ada", None), ("@b", None), ("a@", None), ("a b@c", None), ("a\n@c", None)],
)
def test_an_address_is_read_or_not(text: str, address: str | None) -> None:
    assert address_in(text) == address

"""What becomes of offers to wallets when a badge is withdrawn, taken back or erased; and the page that makes them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from libs.common.messaging.work import begin
from libs.common.security import SESSION_COOKIE
from services.verification import store
from services.verification.handlers import wallet as handlers
from tests.services.verification.support import PUBLIC_URL, Service, at, event, reinstated, revoked, suspended
from tests.services.verification.test_erasure import erase
from tests.services.verification.test_wallet import (
    BADGE,
    OTHER,
    PAGE,
    code,
    error,
    fetch,
    offered,
    own,
    redeem,
    reference,
    served,
    taken,
)

__all__ = ["served"]


async def test_a_withdrawn_badge_is_not_offered_and_not_given(served: Service) -> None:
    told = await offered(served)
    token = await taken(served, told)
    await served.hear(event(suspended(BADGE), minutes=61))
    assert error(await fetch(served, token)) == (400, "credential_request_denied")
    answer = await served.client.post(f"{PAGE}/wallet-offer", headers=own(served), json={})
    assert answer.status_code == 409
    await served.hear(event(reinstated(BADGE), minutes=62))
    assert (await fetch(served, token)).status_code == 200
    told = await offered(served)
    shown = await code(served, told)
    await served.hear(event(revoked(BADGE), minutes=63))
    assert (await served.get(reference(told))).status_code == 404
    assert error(await redeem(served, shown, told["pin"])) == (400, "invalid_grant")
    answer = await served.client.post(f"{PAGE}/wallet-offer", headers=own(served), json={})
    assert answer.status_code == 409


async def test_what_its_learner_takes_back_is_not_given(served: Service) -> None:
    token = await taken(served, await offered(served))
    gone = await served.client.delete(f"{PAGE}/wallet-offer", headers=own(served))
    assert gone.status_code == 204
    assert error(await fetch(served, token)) == (401, "invalid_token")
    assert (await served.client.delete(f"{PAGE}/wallet-offer", headers=own(served))).status_code == 404
    # Who takes the badge back takes the offer back; who then makes one means it.
    told = await offered(served)
    await served.client.put(f"{PAGE}/sharing", headers=own(served), json={"audience": "private"})
    assert (await served.get(reference(told))).status_code == 404
    token = await taken(served, await offered(served))
    assert (await fetch(served, token)).status_code == 200
    # A new offer takes the place of the one before, with all that came of it.
    await offered(served)
    assert error(await fetch(served, token)) == (401, "invalid_token")


async def test_an_erased_badge_is_gone_from_offers_too(served: Service) -> None:
    told = await offered(served)
    shown = await code(served, told)
    await erase(served, minutes=10)
    assert (await served.get(reference(told))).content == (await served.get("/wallet/offers/nothing")).content
    assert error(await redeem(served, shown, told["pin"])) == (400, "invalid_grant")
    assert await served.database.pool.fetchval("select count(*) from wallet_offer") == 0
    theirs = await offered(served, page=f"/badges/{OTHER.badge_id}", learner_id="learner-2")
    token = await taken(served, theirs)
    await erase(served, minutes=11)
    assert (await fetch(served, token)).status_code == 200
    # A badge that went while its learner was offering it leaves nothing behind.
    badge = await store.badge(served.database.pool, OTHER.badge_id)
    assert badge is not None
    await served.database.pool.execute("delete from badge where badge_id = $1", OTHER.badge_id)
    assert error(await fetch(served, token)) == (401, "invalid_token")
    async with begin(served.database) as work:
        assert await handlers.record_offer(work, badge, with_pin=True, now=at(60)) is None


async def test_the_database_has_no_secret_and_forgets(served: Service) -> None:
    told = await offered(served)
    shown = await code(served, told)
    token = await taken(served, told)
    kept = repr(dict(await served.database.pool.fetchrow("select * from wallet_offer") or {}))
    for secret in (told["pin"], shown, token, reference(told).rpartition("/")[2]):
        assert secret not in kept
    served.set_clock(at(60 + 26 * 60))
    await offered(served, page=f"/badges/{OTHER.badge_id}", learner_id="learner-2")
    assert await served.database.pool.fetchval("select array_agg(badge_id) from wallet_offer") == [OTHER.badge_id]


@pytest.fixture
async def browser(served: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A learner's browser without scripts, signed in."""
    cookies = {SESSION_COOKIE: served.mint.token(learner_id="learner-1")}
    transport = httpx.ASGITransport(served.app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, cookies=cookies) as client:
        client.headers["accept"] = "text/html"
        yield client


@pytest.mark.parametrize(
    ("language", "words"), [("en", "once, within 10 minutes"), ("fr", "une fois, pendant 10 minutes")]
)
async def test_the_page_offers_without_scripts(
    served: Service, browser: httpx.AsyncClient, language: str, words: str
) -> None:
    address = f"{PAGE}/sharing?lang={language}"
    page = (await browser.get(address)).text
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None
    form = {"token": found[1], "do": "offer", "pin": "on"}
    made = await browser.post(address, data=form)
    assert made.status_code == 200
    assert made.headers["cache-control"] == "private, no-store"
    assert words in made.text
    assert 'src="data:image/svg+xml;base64,' in made.text
    link = re.search(r'href="(openid-credential-offer://[^"]+)"', made.text)
    pin = re.search(r'<code dir="ltr">(\d{6})</code>', made.text)
    assert link is not None
    assert pin is not None
    told = {"link": unescape(link[1]), "pin": pin[1]}
    # Read again, it is not shown again: only that it is open, and can be ended.
    again = (await browser.get(address)).text
    assert told["pin"] not in again
    assert 'value="withdraw"' in again
    assert (await fetch(served, await taken(served, told))).status_code == 200
    assert 'value="withdraw"' not in (await browser.get(address)).text
    await browser.post(address, data={**form, "do": "offer"})
    assert (await browser.post(address, data={**form, "do": "withdraw"})).status_code == 303
    assert 'value="withdraw"' not in (await browser.get(address)).text
    await served.hear(event(revoked(BADGE), minutes=63))
    assert 'value="offer"' not in (await browser.get(address)).text
    assert (await browser.post(address, data=form)).status_code == 409


async def test_a_wallet_that_is_a_web_page_may_ask(served: Service) -> None:
    for path in ("/oauth/token", "/wallet/credential"):
        answer = await served.client.options(path)
        assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
        assert "Authorization" in answer.headers["access-control-allow-headers"]
    for path in ("/oauth/authorize", f"{PAGE}/wallet-offer"):
        assert "POST" not in (await served.client.options(path)).headers["access-control-allow-methods"]
    # What the learner is told about their offer is for no other site.
    told = await served.client.post(f"{PAGE}/wallet-offer", headers=own(served), json={})
    assert "access-control-allow-origin" not in told.headers

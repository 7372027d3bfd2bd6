"""A learner offers a badge to a wallet, which gets it exactly as it was signed (OpenID4VCI 1.0; M1.3, issue 5)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from cryptography.hazmat.primitives.asymmetric import ec

from libs.common.credentials.jwt import JwtSigner
from libs.common.messaging.work import begin
from libs.common.security import SESSION_COOKIE
from services.verification import store
from services.verification.handlers import wallet as handlers
from services.verification.rules.wallet import EMBEDDED, MOST_WRONG_PINS, PRE_AUTHORIZED, TOKEN
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    PUBLIC_URL,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    reinstated,
    revoked,
    running,
    suspended,
)
from tests.services.verification.test_erasure import erase

SIGNER = JwtSigner(ec.derive_private_key(7, ec.SECP256R1()), "https://badges.example/issuers/prairie/keys/x")
BADGE = badge_issued(shown_name="Ada Lovelace", token_signer=SIGNER)
OTHER = badge_issued("learner-2")
PAGE = f"/badges/{BADGE.badge_id}"
Json = dict[str, Any]


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with a badge of learner-1, which has a VC-JWT too, and one of learner-2."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE, OTHER)
    return service


def own(service: Service, learner_id: str = "learner-1") -> dict[str, str]:
    return {"authorization": f"Bearer {service.mint.token(learner_id=learner_id)}"}


async def offered(service: Service, *, pin: bool = True, page: str = PAGE, learner_id: str = "learner-1") -> Json:
    """What the learner is told: link, PIN and end."""
    answer = await service.client.post(f"{page}/wallet-offer", headers=own(service, learner_id), json={"pin": pin})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    return answer.json()


def reference(told: Json) -> str:
    """The path of the offer that a link leads to."""
    link = urlsplit(told["link"])
    assert (link.scheme, link.netloc) == ("openid-credential-offer", "")
    address = parse_qs(link.query)["credential_offer_uri"][0]
    assert address.startswith(f"{PUBLIC_URL}/wallet/offers/")
    return address.removeprefix(PUBLIC_URL)


async def code(service: Service, told: Json) -> str:
    answer = await service.get(reference(told), "application/json")
    assert answer.status_code == 200, answer.text
    return answer.json()["grants"][PRE_AUTHORIZED]["pre-authorized_code"]


async def redeem(service: Service, shown: str, pin: str | None = None, **more: str) -> httpx.Response:
    fields = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": shown, **more}
    if pin is not None:
        fields["tx_code"] = pin
    answer = await service.client.post("/oauth/token", data=fields)
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("application/json")
    return answer


async def fetch(service: Service, token: str, configuration: str = EMBEDDED, **more: Any) -> httpx.Response:
    answer = await service.client.post(
        "/wallet/credential",
        headers={"authorization": f"Bearer {token}"},
        json={"credential_configuration_id": configuration, **more},
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    return answer


async def taken(service: Service, told: Json) -> str:
    """The access token of a wallet that takes the offer."""
    answer = await redeem(service, await code(service, told), told["pin"])
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_a_wallet_gets_the_badge_as_it_was_signed(served: Service) -> None:
    told = await offered(served)
    assert told["ends_at"] == at(70).isoformat()
    assert re.fullmatch(r"\d{6}", told["pin"])
    offer = (await served.get(reference(told))).json()
    assert offer["credential_issuer"] == PUBLIC_URL
    assert offer["credential_configuration_ids"] == [EMBEDDED, TOKEN]
    tx_code = offer["grants"][PRE_AUTHORIZED]["tx_code"]
    assert (tx_code["input_mode"], tx_code["length"]) == ("numeric", 6)
    answer = await redeem(served, await code(served, told), told["pin"], client_id="some-wallet")
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    assert set(tokens) == {"access_token", "token_type", "expires_in"}
    # A key proof, from a wallet that always sends one, changes nothing.
    for more in ({}, {"proofs": {"jwt": ["a.b.c"]}}):
        got = await fetch(served, tokens["access_token"], **more)
        assert got.content == b'{"credentials":[{"credential":' + BADGE.credential.encode() + b"}]}"
    assert got.headers["access-control-allow-origin"] == "*"
    assert orjson.loads(got.content)["credentials"][0]["credential"] == orjson.loads(BADGE.credential)
    twin = await fetch(served, tokens["access_token"], TOKEN)
    assert twin.json() == {"credentials": [{"credential": BADGE.credential_jwt}]}


async def test_the_metadata_are_true(served: Service) -> None:
    found = (await served.get("/.well-known/openid-credential-issuer")).json()
    assert found["credential_issuer"] == PUBLIC_URL
    assert found["credential_endpoint"] == f"{PUBLIC_URL}/wallet/credential"
    configurations = found["credential_configurations_supported"]
    credential = orjson.loads(BADGE.credential)
    assert configurations[EMBEDDED]["format"] == "ldp_vc"
    definition = configurations[EMBEDDED]["credential_definition"]
    assert definition == {"@context": credential["@context"], "type": credential["type"]}
    assert configurations[EMBEDDED]["credential_signing_alg_values_supported"] == [
        credential["proof"][0]["cryptosuite"]
    ]
    assert configurations[TOKEN]["format"] == "jwt_vc_json"
    for one in configurations.values():
        # No key of the wallet is bound: what is signed is signed.
        assert not {"cryptographic_binding_methods_supported", "proof_types_supported"} & set(one)
    server = (await served.get("/.well-known/oauth-authorization-server")).json()
    AuthorizationServerMetadata(server).validate()
    assert found["authorization_servers"] == [server["issuer"]]
    assert PRE_AUTHORIZED in server["grant_types_supported"]
    assert server["pre-authorized_grant_anonymous_access_supported"] is True


async def test_only_its_learner_offers_a_badge(served: Service) -> None:
    for headers in ({}, own(served, "learner-2"), served.mint.headers("records.read")):
        for call in (
            served.client.post(f"{PAGE}/wallet-offer", headers=headers, json={}),
            served.client.delete(f"{PAGE}/wallet-offer", headers=headers),
        ):
            assert (await call).status_code == 404
    foreign = "/badges/00000000-0000-4000-8000-000000000000"
    answer = await served.client.post(f"{foreign}/wallet-offer", headers=own(served), json={})
    assert answer.status_code == 404
    # A session alone is not enough: other sites cannot make the browser offer.
    cookie = {"cookie": f"{SESSION_COOKIE}={served.mint.token(learner_id='learner-1')}"}
    assert (await served.client.post(f"{PAGE}/wallet-offer", headers=cookie, json={})).status_code == 404
    assert (await served.client.post(f"{PAGE}/sharing", headers=cookie, data={"do": "offer"})).status_code == 404


async def test_a_token_opens_its_own_badge_alone(served: Service) -> None:
    theirs = await offered(served, page=f"/badges/{OTHER.badge_id}", learner_id="learner-2")
    assert (await served.get(reference(theirs))).json()["credential_configuration_ids"] == [EMBEDDED]
    token = await taken(served, theirs)
    got = await fetch(served, token)
    assert orjson.loads(got.content)["credentials"][0]["credential"]["id"] == ADDRESSES.badge(OTHER.badge_id)
    # It has no VC-JWT.
    assert error(await fetch(served, token, TOKEN)) == (400, "unknown_credential_configuration")
    # And no way into what programs may see by OAuth, nor the other way round.
    answer = await served.client.get("/ims/ob/v3p0/credentials", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    refused = await fetch(served, served.mint.token(learner_id="learner-2"))
    assert error(refused) == (401, "invalid_token")
    assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_an_offer_is_good_for_ten_minutes_and_its_token_for_five(served: Service) -> None:
    told = await offered(served)
    shown = await code(served, told)
    served.set_clock(at(70))
    assert (await served.get(reference(told))).status_code == 404
    assert error(await redeem(served, shown, told["pin"])) == (400, "invalid_grant")
    token = await taken(served, await offered(served))
    served.set_clock(at(74.9))
    assert (await fetch(served, token)).status_code == 200
    served.set_clock(at(75))
    assert error(await fetch(served, token)) == (401, "invalid_token")


async def test_a_code_is_good_once_and_who_shows_it_again_ends_what_came_of_it(served: Service) -> None:
    told = await offered(served, pin=False)
    assert told["pin"] is None
    shown = await code(served, told)
    answers = await asyncio.gather(*(redeem(served, shown) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert {error(answer) for answer in answers if answer.status_code == 400} == {(400, "invalid_grant")}
    token = next(answer.json()["access_token"] for answer in answers if answer.status_code == 200)
    # Two had the code, and nobody can tell which of them is the learner's wallet.
    assert error(await fetch(served, token)) == (401, "invalid_token")
    assert (await served.get(reference(told))).status_code == 404


async def test_wrong_pins_end_the_offer(served: Service) -> None:
    told = await offered(served)
    shown = await code(served, told)
    wrong = f"{(int(told['pin']) + 1) % 1_000_000:06}"
    for pin in ("", "x", "😀", f" {told['pin']}", wrong)[: MOST_WRONG_PINS - 1]:
        assert error(await redeem(served, shown, pin)) == (400, "invalid_grant")
    assert (await served.get(reference(told))).status_code == 200
    # What lacks a PIN is malformed, and counts for nothing.
    assert error(await redeem(served, shown)) == (400, "invalid_request")
    answers = await asyncio.gather(*(redeem(served, shown, wrong) for _ in range(3)))
    assert {error(answer) for answer in answers} == {(400, "invalid_grant")}
    assert error(await redeem(served, shown, told["pin"])) == (400, "invalid_grant")
    assert (await served.get(reference(told))).status_code == 404
    # A new one is as good as new.
    assert await taken(served, await offered(served))


async def test_the_last_wrong_pin_leaves_one_try(served: Service) -> None:
    told = await offered(served)
    shown = await code(served, told)
    for _ in range(MOST_WRONG_PINS - 1):
        await redeem(served, shown, "nothing")
    assert (await redeem(served, shown, told["pin"])).status_code == 200


async def test_requests_that_are_not_as_they_must_be(served: Service) -> None:
    without = await code(served, await offered(served, pin=False))
    assert error(await redeem(served, without, "123456")) == (400, "invalid_request")
    assert error(await redeem(served, "nothing")) == (400, "invalid_grant")
    assert error(await redeem(served, "")) == (400, "invalid_request")
    answer = await served.client.post("/oauth/token", data={"grant_type": PRE_AUTHORIZED})
    assert error(answer) == (400, "invalid_request")
    token = (await redeem(served, without)).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    for content, why in (
        (b"", "invalid_credential_request"),
        (b"[]", "invalid_credential_request"),
        (b"{}", "invalid_credential_request"),
        (b'{"credential_configuration_id": 7}', "invalid_credential_request"),
        (b'{"x": "' + b"x" * 70_000 + b'"}', "invalid_credential_request"),
        (b'{"credential_configuration_id": "other"}', "unknown_credential_configuration"),
        (b'{"credential_identifier": "x"}', "unknown_credential_identifier"),
        (
            b'{"credential_configuration_id": "open-badge", "credential_response_encryption": {}}',
            "invalid_encryption_parameters",
        ),
    ):
        answer = await served.client.post("/wallet/credential", headers=headers, content=content)
        assert error(answer) == (400, why), content[:40]
    for headers in ({}, {"authorization": "Bearer"}, {"authorization": "Basic eDp5"}):
        answer = await served.client.post("/wallet/credential", headers=headers, content=b"{}")
        assert error(answer) == (401, "invalid_token")


async def test_so_many_codes_a_minute(database_dsn: str, tmp_path: Path) -> None:
    async with running(database_dsn, tmp_path, codes_per_minute=3) as started:
        answers = [await redeem(started, "guess") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert error(answers[3]) == (429, "slow_down")
    assert int(answers[3].headers["retry-after"]) >= 1


async def test_a_withdrawn_badge_is_not_offered_and_not_given(served: Service) -> None:
    told, later = await offered(served), at(61)
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
    assert later < at(63)


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
    shown, token = await code(served, told), None
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

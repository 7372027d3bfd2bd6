"""The Open Badges 3.0 API from end to end: a real OAuth client registers, is let in, fetches and pushes (issue 5)."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jsonschema
import pytest

from libs.common.messaging.work import begin
from libs.common.security import SESSION_COOKIE
from libs.common.web.pace import Pace
from services.verification.api.exchange import BASE
from services.verification.handlers.backpack import keep_profile, keep_pushed_badge
from services.verification.handlers.granting.desk import OFFLINE, SCOPES
from services.verification.store.backpack import Held
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    PUBLIC_URL,
    Service,
    at,
    badge_issued,
    event,
    key_published,
)
from tests.services.verification.test_erasure import erase

with warnings.catch_warnings():
    # It would rather have the successor of httpx, which nothing else here uses.
    warnings.simplefilter("ignore")
    from authlib.integrations.httpx_client import AsyncOAuth2Client

BACK = "https://wallet.example/back"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
BADGES = [badge_issued(), badge_issued(achievement=ACHIEVEMENT.model_copy(update={"version": 3}), minutes=5)]
# Genuine, and of another learner here: it stands for one of any issuer.
PUSHED = badge_issued("learner-2", minutes=10)
OAS = Path(os.environ.get("CAIRN_TEST_DATA", "../shared/data")) / "credentials/openapi/ob_v3p0_oas.json"


@dataclass
class Learner:
    """A learner at a browser, with their session's cookie."""

    service: Service
    cookie: str

    async def decide(self, address: str, do: str) -> httpx.Response:
        """Read the consent page and press one of its buttons; what the browser is told."""
        headers = {"cookie": f"{SESSION_COOKIE}={self.cookie}", "accept": "text/html"}
        page = await self.service.client.get(address, headers=headers)
        assert page.status_code == 200, page.text
        fields = hidden_fields(page.text)
        return await self.service.client.post("/oauth/authorize", data={**fields, "do": do}, headers=headers)


def hidden_fields(page: str) -> dict[str, str]:
    from html.parser import HTMLParser

    found: dict[str, str] = {}

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            values = dict(attrs)
            if tag == "input" and values.get("type") == "hidden":
                found[str(values["name"])] = str(values["value"])

    Reader().feed(page)
    return found


@pytest.fixture
async def served(service: Service) -> AsyncIterator[Service]:
    """Verification that knows a learner's two badges."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGES[0], PUSHED)
    await service.hear(event(BADGES[1], minutes=5))
    service.set_clock(at(60))
    yield service
    service.app.state.parts.verifier.close()


@pytest.fixture
def learner(served: Service) -> Learner:
    """Learner 1, signed in."""
    return Learner(served, served.mint.token(learner_id="learner-1"))


async def registered(served: Service, **more: Any) -> dict[str, Any]:
    body = {"client_name": "A wallet", "redirect_uris": [BACK], "scope": " ".join(SCOPES), **more}
    answer = await served.client.post("/oauth/register", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def program(served: Service, known: dict[str, Any], **more: Any) -> AsyncOAuth2Client:
    """Authlib's own client, on our app in place of a network."""
    return AsyncOAuth2Client(
        known["client_id"], known.get("client_secret"), redirect_uri=BACK, scope=" ".join(SCOPES),
        code_challenge_method="S256", transport=httpx.ASGITransport(served.app), base_url=PUBLIC_URL,
        token_endpoint_auth_method=known["token_endpoint_auth_method"], **more,
    )  # fmt: skip


async def let_in(served: Service, learner: Learner, client: AsyncOAuth2Client) -> dict[str, Any]:
    address, state = client.create_authorization_url(f"{PUBLIC_URL}/oauth/authorize", code_verifier=VERIFIER)
    answer = await learner.decide(address, "allow")
    assert answer.status_code == 303
    back = answer.headers["location"]
    assert back.startswith(f"{BACK}?")
    return await client.fetch_token(
        f"{PUBLIC_URL}/oauth/token", authorization_response=back, code_verifier=VERIFIER, state=state
    )


def schema(name: str) -> dict[str, Any]:
    if not OAS.exists():
        pytest.skip(f"needs {OAS}")
    document = json.loads(OAS.read_text())
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


async def test_a_program_fetches_and_pushes(served: Service, learner: Learner) -> None:
    found = (await served.get(f"{BASE}/discovery")).json()
    jsonschema.validate(found, schema("ServiceDescriptionDocument"))
    scheme = found["components"]["securitySchemes"]["OAuth2ACG"]
    assert scheme["x-imssf-registrationUrl"] == f"{PUBLIC_URL}/oauth/register"
    assert set(found["paths"]) == {"/discovery", "/credentials", "/profile"}
    async with program(served, await registered(served)) as client:
        tokens = await let_in(served, learner, client)
        assert (tokens["token_type"], set(tokens["scope"].split())) == ("Bearer", set(SCOPES))
        page = await client.get(f"{BASE}/credentials?limit=1")
        assert page.headers["x-total-count"] == "2"
        assert 'rel="next"' in page.headers["link"]
        # To the byte: what is signed stays as it was signed.
        assert BADGES[1].credential in page.text
        jsonschema.validate(page.json(), schema("GetOpenBadgeCredentialsResponse"))
        last = await client.get(f"{BASE}/credentials", params={"limit": 1, "offset": 1})
        assert BADGES[0].credential in last.text
        assert 'rel="prev"' in last.headers["link"]
        assert 'rel="next"' not in last.headers["link"]
        since = await client.get(f"{BASE}/credentials", params={"since": at(3).isoformat()})
        assert since.headers["x-total-count"] == "1"
        for status in (201, 200):
            pushed = await client.post(f"{BASE}/credentials", content=PUSHED.credential)
            assert (pushed.status_code, pushed.text) == (status, PUSHED.credential)
        assert PUSHED.credential in (await client.get(f"{BASE}/credentials")).text
        forged = PUSHED.credential.replace("Coaching", "Flying")
        answer = await client.post(f"{BASE}/credentials", content=forged)
        assert (answer.status_code, "Not genuine" in answer.json()["imsx_description"]) == (400, True)
        jsonschema.validate(answer.json(), schema("Imsx_StatusInfo"))
        put = await client.put(f"{BASE}/profile", json={"type": ["Profile"], "id": "x", "name": "Ada"})
        assert put.json() == (await client.get(f"{BASE}/profile")).json()
        assert (put.json()["name"], put.json()["type"]) == ("Ada", ["Profile"])
        jsonschema.validate(put.json(), schema("Profile"))
        assert (await client.put(f"{BASE}/profile", json={"type": "Person"})).status_code == 400
        assert (await client.get(f"{BASE}/credentials?since=tomorrow")).status_code == 400


async def test_tokens_are_renewed_and_taken_back(served: Service, learner: Learner) -> None:
    async with program(served, await registered(served)) as client:
        first = await let_in(served, learner, client)
        second = await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=first["refresh_token"])
        assert (await client.get(f"{BASE}/profile")).status_code == 200
        old = {"authorization": f"Bearer {first['access_token']}"}
        assert (await served.client.get(f"{BASE}/profile", headers=old)).status_code == 401
        await client.revoke_token(f"{PUBLIC_URL}/oauth/revoke", token=second["refresh_token"])
        answer = await client.get(f"{BASE}/profile")
        assert (answer.status_code, answer.json()["imsx_codeMajor"]) == (401, "failure")


async def test_a_stolen_refresh_token_ends_all(served: Service, learner: Learner) -> None:
    async with program(served, await registered(served)) as client:
        first = await let_in(served, learner, client)
        await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=first["refresh_token"])
        with pytest.raises(Exception, match="invalid_grant"):
            await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=first["refresh_token"])
        assert (await client.get(f"{BASE}/profile")).status_code == 401


async def test_a_code_is_good_once_and_with_its_verifier(served: Service, learner: Learner) -> None:
    known = await registered(served, token_endpoint_auth_method="none")
    assert "client_secret" not in known
    async with program(served, known) as client:
        address, _ = client.create_authorization_url(f"{PUBLIC_URL}/oauth/authorize", code_verifier=VERIFIER)
        back = (await learner.decide(address, "allow")).headers["location"]
        code = parse_qs(urlsplit(back).query)["code"][0]
        asked = {"grant_type": "authorization_code", "code": code, "client_id": known["client_id"]}
        asked |= {"redirect_uri": BACK}
        for verifier in ("", "another-verifier-of-at-least-forty-three-characters-012"):
            answer = await served.client.post("/oauth/token", data={**asked, "code_verifier": verifier})
            assert answer.status_code == 400
        answer = await served.client.post("/oauth/token", data={**asked, "code_verifier": VERIFIER})
        assert answer.status_code == 200, answer.text
        opened = {"authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await served.client.get(f"{BASE}/profile", headers=opened)).status_code == 200
        again = await served.client.post("/oauth/token", data={**asked, "code_verifier": VERIFIER})
        assert again.json()["error"] == "invalid_grant"
        # RFC 6749, section 4.1.2: a code that is shown twice ends what came of it.
        assert (await served.client.get(f"{BASE}/profile", headers=opened)).status_code == 401


async def test_a_learner_may_refuse_and_scopes_bind(served: Service, learner: Learner) -> None:
    known = await registered(served)
    async with program(served, known) as client:
        address, _ = client.create_authorization_url(f"{PUBLIC_URL}/oauth/authorize", code_verifier=VERIFIER)
        refused = await learner.decide(address, "refuse")
        assert "error=access_denied" in refused.headers["location"]
        client.scope = SCOPES[0]
        await let_in(served, learner, client)
        assert (await client.get(f"{BASE}/credentials")).status_code == 200
        assert (await client.get(f"{BASE}/profile")).status_code == 403
        assert (await client.post(f"{BASE}/credentials", content=PUSHED.credential)).status_code == 403


async def test_what_is_not_as_it_must_be_is_refused(served: Service, learner: Learner) -> None:
    known = await registered(served)
    page = {"cookie": f"{SESSION_COOKIE}={learner.cookie}", "accept": "text/html"}
    asked = {"client_id": known["client_id"], "response_type": "code", "redirect_uri": BACK, "state": "s"}
    asked |= {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    ask = served.client.get
    assert (await ask("/oauth/authorize", params=asked, headers=page)).status_code == 200
    # Nobody is sent where the program did not say that it lives.
    for change in ({"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}):
        answer = await ask("/oauth/authorize", params={**asked, **change}, headers=page)
        assert (answer.status_code // 100, "location" in answer.headers) == (4, False), change
    for change in ({"code_challenge_method": "plain"}, {"code_challenge": ""}, {"scope": "everything"}):
        answer = await ask("/oauth/authorize", params={**asked, **change}, headers=page)
        assert (answer.status_code, answer.headers["location"].startswith(BACK)) == (302, True), change
    for change in ({}, {"scope": "everything"}):
        nobody = await ask("/oauth/authorize", params={**asked, **change}, headers={"accept": "text/html"})
        assert (nobody.status_code, "location" in nobody.headers) == (401, False), change
    forged = await served.client.post("/oauth/authorize", data={**asked, "do": "allow"}, headers=page)
    assert forged.status_code == 401
    for wrong in (
        {"client_name": "x"}, {"client_name": "x", "redirect_uris": ["http://wallet.example/"]},
        {"redirect_uris": [BACK]}, {"client_name": "x", "redirect_uris": ["javascript:x"]},
        {"client_name": "x", "redirect_uris": ["https://good.example@evil.example/"]},
        {"client_name": "x", "redirect_uris": ["https://evil.example; report-uri https:/x"]},
        {"client_name": "x", "redirect_uris": ["https://evil.example/\u4e2d"]},
    ):  # fmt: skip
        assert (await served.client.post("/oauth/register", json=wrong)).status_code == 400, wrong
    assert (await served.client.post("/oauth/register", content=b"[]")).status_code == 422
    stranger = await served.client.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": "x"})
    assert stranger.status_code in (400, 401)
    assert (await served.client.post("/oauth/token", data={"grant_type": "password"})).status_code == 400
    served.app.state.parts = replace(served.app.state.parts, pace=Pace(1))
    statuses = [(await served.client.post("/oauth/register", json={})).status_code for _ in range(2)]
    assert statuses == [400, 429]


async def test_pushes_have_a_pace_and_nothing_comes_after_an_erasure(served: Service, learner: Learner) -> None:
    async with program(served, await registered(served)) as client:
        await let_in(served, learner, client)
        served.app.state.parts = replace(served.app.state.parts, pace=Pace(1))
        pushes = [await client.post(f"{BASE}/credentials", content=PUSHED.credential) for _ in range(2)]
        assert [answer.status_code for answer in pushes] == [201, 429]
        assert pushes[1].json()["imsx_codeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "server_busy"
    await erase(served)
    # A push that was verified while its learner was erased.
    held = Held(PUSHED.credential.encode(), is_token=False)
    async with begin(served.database) as work:
        late = keep_pushed_badge(work, "learner-1", "https://x.example/1", held, issued_at=at(1), at=at(2), most=9)
        assert await late is None
        assert await keep_profile(work, "learner-1", b"{}", at(2)) is False
    assert await served.database.pool.fetchval("select count(*) from pushed_badge") == 0


async def test_access_ends_and_erasure_ends_it_all(served: Service, learner: Learner) -> None:
    async with program(served, await registered(served)) as client:
        await let_in(served, learner, client)
        await client.post(f"{BASE}/credentials", content=PUSHED.credential)
        served.set_clock(at(60) + timedelta(hours=2))
        assert (await served.client.get(f"{BASE}/profile", headers=_bearer(client))).status_code == 401
        served.set_clock(at(60))
        await erase(served, minutes=90)
        assert (await served.client.get(f"{BASE}/profile", headers=_bearer(client))).status_code == 401
        for table in ("oauth_grant", "oauth_token", "pushed_badge", "learner_profile"):
            assert await served.database.pool.fetchval(f"select count(*) from {table}") == 0


def _bearer(client: AsyncOAuth2Client) -> dict[str, str]:
    return {"authorization": f"Bearer {client.token['access_token']}"}


def test_every_scope_has_its_words() -> None:
    from services.verification.api.granting import WORDS

    assert set(WORDS) == set(SCOPES)
    assert OFFLINE in SCOPES

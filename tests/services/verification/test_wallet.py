"""A learner offers a badge to a wallet, which gets it exactly as it was signed (OpenID4VCI 1.0; M1.3, issue 5)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from cryptography.hazmat.primitives.asymmetric import ec

from libs.common.credentials.jwt import JwtSigner
from libs.common.security import SESSION_COOKIE
from services.verification.rules.wallet import EMBEDDED, MOST_WRONG_PINS, PRE_AUTHORIZED, TOKEN
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    PUBLIC_URL,
    Service,
    at,
    badge_issued,
    key_published,
    running,
)

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

"""Signed Open Badges 2.0 as it is served: genuine for us and for others, revoked after revocation (M1.39)."""

from __future__ import annotations

import json

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from openbadgeslib.ob2.verifier import OB2VerificationError, OB2Verifier

from libs.common.checking import Terms
from libs.common.contracts import AssertionSigned
from libs.common.credentials.jwt import JwtSigner
from libs.common.credentials.open_badges_2 import sign_hosted
from libs.common.credentials.token_keys import token_key_id, token_multikey
from tests.libs.common.checking.world import reasons
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
    suspended,
)
from tests.services.verification.test_erasure import erase

RSA = generate_private_key(65537, 2048)
KEY_ID = token_key_id(RSA.public_key())
SIGNER = JwtSigner(RSA, ADDRESSES.issuer_key_id("prairie", KEY_ID))
CREATOR = ADDRESSES.open_badge_2_key("prairie", KEY_ID)
BADGE = badge_issued()
TOKEN = sign_hosted(json.loads(BADGE.open_badge_2), SIGNER, CREATOR)
SIGNED = AssertionSigned(
    badge_id=BADGE.badge_id, learner_id=BADGE.learner_id, issuer_id="prairie", key_id=KEY_ID, assertion=TOKEN
)
RSA_KEY = key_published(
    key_id=KEY_ID, public_key_multibase=token_multikey(RSA.public_key()), public_key_jwk=json.dumps(SIGNER.public_jwk())
)
LIST = ADDRESSES.open_badge_2_revocations("prairie")
SERVED = (
    ADDRESSES.badge_class("coaching", "2"), ADDRESSES.issuer_open_badge_2("prairie"), CREATOR, LIST,
    ADDRESSES.achievement_image("coaching", "2"),
)  # fmt: skip


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with a badge whose learner asked for the signed form."""
    await service.hear_all(SIGNED, ISSUER, ACHIEVEMENT, key_published(), RSA_KEY, BADGE)
    return service


async def documents(served: Service) -> dict[str, bytes]:
    """What is served now, by address."""
    found: dict[str, bytes] = {}
    for url in SERVED:
        answer = await served.get(url.removeprefix(PUBLIC_URL), None if url.endswith(".svg") else "application/json")
        assert answer.status_code == 200, url
        found[url] = answer.content
    return found


async def judged(served: Service, token: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """The answer of our own verifier, which asks our own routes."""
    verifier = served.app.state.parts.verifier
    judgement = await verifier.verify(
        token.encode(), Terms(at(10), frozenset({ADDRESSES.issuer_open_badge_2("prairie")}), None)
    )
    return judgement.answer, dict(reasons(judgement))


async def judged_by_others(served: Service, token: str) -> object:
    """What openbadgeslib makes of it."""
    found = await documents(served)
    return OB2Verifier(download=lambda url: found[url]).verify(token, check_revocation=True).id


async def test_it_is_genuine_until_it_is_revoked(served: Service) -> None:
    answer = await served.get(f"/ob2/assertions/{BADGE.badge_id}.jws")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jose")
    assert answer.text == TOKEN
    assert await judged(served, TOKEN) == ("genuine", {})
    assert await judged_by_others(served, TOKEN) == ADDRESSES.assertion(BADGE.badge_id)
    header, payload, signature = TOKEN.split(".")
    tampered = f"{header}.{payload[:-4]}AAAA.{signature}"
    assert (await judged(served, tampered))[0] == "not-genuine"
    assert (await judged(served, f"{header}.{payload}.{signature[:-8]}AAAAAAAA"))[0] == "not-genuine"
    await served.hear_all(revoked(BADGE, "Ada Lovelace copied it."))
    assert (await judged(served, TOKEN))[1]["status"] == ("fail", "revoked")
    with pytest.raises(OB2VerificationError, match="Revoked by the issuer"):
        await judged_by_others(served, TOKEN)
    told = (await served.get(LIST.removeprefix(PUBLIC_URL))).json()
    assert told["revokedAssertions"] == [
        {"id": ADDRESSES.assertion(BADGE.badge_id), "revocationReason": "Revoked by the issuer."}
    ]


async def test_a_suspended_one_is_on_the_list_meanwhile(served: Service) -> None:
    await served.hear(event(suspended(BADGE), minutes=1))
    assert (await judged(served, TOKEN))[1]["status"] == ("fail", "revoked")
    await served.hear(event(reinstated(BADGE), minutes=2))
    assert await judged(served, TOKEN) == ("genuine", {})


async def test_a_revoked_badge_that_nobody_had_signed_is_not_listed(service: Service) -> None:
    await service.hear_all(ISSUER, RSA_KEY, BADGE, revoked(BADGE))
    assert (await service.get(LIST.removeprefix(PUBLIC_URL))).json()["revokedAssertions"] == []
    assert (await service.get(f"/ob2/assertions/{BADGE.badge_id}.jws")).status_code == 404


async def test_an_erased_learner_leaves_only_the_revocation(served: Service) -> None:
    await erase(served, minutes=5)
    assert (await served.get(f"/ob2/assertions/{BADGE.badge_id}.jws")).status_code == 404
    assert (await judged(served, TOKEN))[1]["status"] == ("fail", "revoked")
    await served.hear(event(SIGNED, minutes=1, name="late"))  # told before, heard after
    rows = await served.database.pool.fetch("select learner_id, token from signed_assertion")
    assert [tuple(row) for row in rows] == [(None, None)]


async def test_only_rsa_keys_that_stand_are_listed(served: Service) -> None:
    profile = orjson.loads((await documents(served))[ADDRESSES.issuer_open_badge_2("prairie")])
    assert (profile["publicKey"], profile["revocationList"]) == ([CREATOR], LIST)
    await served.hear(event(RSA_KEY.model_copy(update={"revoked_at": at(1)}), minutes=1))
    assert "publicKey" not in (await served.get("/ob2/issuers/prairie")).json()
    assert (await served.get(CREATOR.removeprefix(PUBLIC_URL), "application/json")).status_code == 410
    assert (await served.get("/ob2/issuers/prairie/keys/unknown", "application/json")).status_code == 404
    assert (await served.get("/ob2/issuers/unknown/revocations", "application/json")).status_code == 404


async def test_a_key_of_open_badges_2_alone_is_no_word_on_a_vc_jwt(served: Service) -> None:
    assert (await served.get(f"/issuers/prairie/keys/{KEY_ID}")).status_code == 200
    await served.hear(event(RSA_KEY.model_copy(update={"signs": "assertions"}), minutes=1))
    assert (await served.get(f"/issuers/prairie/keys/{KEY_ID}")).status_code == 404
    assert all(key["kty"] != "RSA" for key in (await served.get("/issuers/prairie/jwks.json")).json()["keys"])
    profile = (await served.get("/ob2/issuers/prairie")).json()
    assert profile["publicKey"] == [CREATOR]
    assert await judged(served, TOKEN) == ("genuine", {})


async def test_it_is_shared_as_its_badge_is(served: Service) -> None:
    await served.database.pool.execute(
        "insert into badge_share (badge_id, audience, shows_name, shows_evidence, changed_at)"
        " select badge_id, 'private', true, true, now() from badge"
    )
    assert (await served.get(f"/ob2/assertions/{BADGE.badge_id}.jws")).status_code == 404

"""Signed Open Badges 2.0 on request: RS256 by the worker, once, and refused plainly where it cannot be (M1.39)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from joserfc import jws
from joserfc.jwk import RSAKey

from libs.common.contracts import AssertionSigned, KeyPublished
from libs.common.credentials.token_keys import token_key_id
from libs.common.messaging.work import begin
from libs.common.signing.file_key import LocalKey
from libs.common.signing.ring import Ring
from libs.common.signing.token_key import LocalTokenKey, TokenKey
from services.awarding import api, handlers
from services.awarding.handlers import Office
from services.awarding.handlers.assertions import on_assertion_signed
from services.awarding.model import KeyAct
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    KEY,
    NAMESPACE,
    Service,
    achievement,
    at,
    completed,
    done,
    erased,
    heard,
    office,
    published,
    registered,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

RSA, OTHER_RSA = generate_rsa_key(65537, 2048), generate_rsa_key(65537, 2048)
MIGRATIONS = Path("services/awarding/sql/migrations")
P256 = generate_private_key(SECP256R1())
PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


def office_with(tokens: list[PrivateKey], assertions: list[PrivateKey]) -> Office:
    """The tests' office, with keys of VC-JWTs, and of Open Badges 2.0 alone."""
    ring = Ring([(None, LocalKey(KEY))], _held(tokens), _held(assertions))
    since = datetime(2000, 1, 1, tzinfo=UTC)
    return Office(office().deployment, namespace=NAMESPACE, ring=ring, keys_valid_from=since)


def _held(keys: list[PrivateKey]) -> list[tuple[None, TokenKey]]:
    return [(None, LocalTokenKey(key)) for key in keys]


async def sign(service: Service) -> None:
    """Sign what is asked for, as the worker does."""
    while True:
        async with begin(service.database) as work:
            await handlers.sign_assertions(service.office, work, most=10)
        await asyncio.sleep(0.05)


@pytest.fixture
async def doors(service: Service, database_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's own client, with a worker that signs; she holds one badge."""
    # As a deployment has it unless told otherwise: P-256 for VC-JWTs, and RSA beside it.
    service.office = office_with([P256], [RSA])
    await service.hear(*published(ISSUER, achievement("a", done("x"))), *registered("ada", "ben"))
    async with begin(service.database) as work:
        await handlers.tell_keys(service.office, work)
    await service.hear(completed("ada", "x", 1))
    mint = TokenMint(tmp_path)
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    worker = asyncio.create_task(sign(service))
    async with open_doors(api.create(settings)) as client:
        client.headers["authorization"] = f"Bearer {mint.token(subject='ada', learner_id='ada')}"
        yield client
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def place_of(service: Service) -> str:
    """The door for the signed form of Ada's badge."""
    (issued,) = await service.told()
    return f"/learners/ada/badges/{issued.badge_id}/signed-assertion"


async def test_a_badge_is_signed_once_and_told(doors: httpx.AsyncClient, service: Service) -> None:
    place = await place_of(service)
    answer = await doors.post(place)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jose"), answer.text
    read = jws.deserialize_compact(answer.text, RSAKey.import_key(RSA.public_key()), algorithms=["RS256"])  # type: ignore[arg-type]
    payload = json.loads(read.payload or b"")
    (issued,) = await service.told()
    key = f"http://localhost:8104/ob2/issuers/uni/keys/{token_key_id(RSA.public_key())}"
    assert payload.pop("verification") == {"type": "SignedBadge", "creator": key}
    hosted = json.loads(issued.open_badge_2)
    assert hosted.pop("verification") == {"type": "HostedBadge"}
    assert payload == hosted
    assert (await doors.post(place)).text == answer.text
    rows = await service.database.pool.fetch("select value from outbox where type = $1", AssertionSigned.TYPE)
    (told,) = [AssertionSigned.model_validate_json(row["value"]) for row in rows]
    assert (told.badge_id, told.learner_id, told.assertion) == (issued.badge_id, "ada", answer.text)
    assert (await doors.post(place.replace("ada", "ben"))).status_code == 403
    assert (await doors.post(place.replace(str(issued.badge_id), str(NAMESPACE)))).status_code == 404
    # A fresh database remembers what was told, as it was told.
    await service.database.pool.execute("delete from signed_assertion")
    async with begin(service.database) as work:
        await on_assertion_signed(work, [heard(told, str(told.badge_id), "signed", at(2))])
    assert (await doors.post(place)).text == answer.text
    await service.hear(erased("ada"))
    async with begin(service.database) as work:
        await on_assertion_signed(work, [heard(told, str(told.badge_id), "signed", at(2))])
    assert (await doors.post(place)).status_code == 404
    assert await service.database.pool.fetchval("select count(*) from signed_assertion") == 0


async def test_without_an_rsa_key_it_says_so_and_can_be_asked_again(doors: httpx.AsyncClient, service: Service) -> None:
    place, able = await place_of(service), service.office
    service.office = office()  # no key of VC-JWTs at all
    refused = await doors.post(place)
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert "expected an RSA key" in refused.json()["detail"]
    service.office = able
    assert (await doors.post(place)).status_code == 200


async def test_the_key_is_told_as_one_that_signs_nothing_else(doors: httpx.AsyncClient, service: Service) -> None:
    rows = await service.database.pool.fetch("select value from outbox where type = $1", KeyPublished.TYPE)
    told = [KeyPublished.model_validate_json(row["value"]) for row in rows]
    assert {key.key_id: key.signs for key in told if key.public_key_jwk is not None} == {
        token_key_id(P256.public_key()): None,
        token_key_id(RSA.public_key()): "assertions",
    }
    (issued,) = await service.told()
    assert issued.credential_jwt is not None
    assert jws.extract_compact(issued.credential_jwt.encode()).headers()["alg"] == "ES256"


async def test_an_rsa_key_of_vc_jwts_does_where_there_is_no_other(doors: httpx.AsyncClient, service: Service) -> None:
    service.office = office_with([P256, OTHER_RSA], [])
    await rotated_to(service, OTHER_RSA)
    answer = await doors.post(await place_of(service))
    assert (answer.status_code, key_of(answer.text)) == (200, token_key_id(OTHER_RSA.public_key()))


async def test_what_a_revoked_key_signed_is_signed_anew_on_request(doors: httpx.AsyncClient, service: Service) -> None:
    place = await place_of(service)
    first = (await doors.post(place)).text
    service.office = office_with([P256], [RSA, OTHER_RSA])
    async with begin(service.database) as work:
        await handlers.tell_keys(service.office, work)
    assert (await doors.post(place)).text == first
    now = await service.database.pool.fetchval("select now()")
    async with begin(service.database) as work:
        act = KeyAct(uuid4(), "revoke", "uni", token_key_id(RSA.public_key()), now, "The drill", "operator", now)
        assert await handlers.revoke_key(work, act) is None
    second = (await doors.post(place)).text
    assert (key_of(first), key_of(second)) == (token_key_id(RSA.public_key()), token_key_id(OTHER_RSA.public_key()))
    assert (await doors.post(place)).text == second
    # Both were told, and a fresh database remembers the last.
    rows = await service.database.pool.fetch(
        "select value from outbox where type = $1 order by id", AssertionSigned.TYPE
    )
    told = [AssertionSigned.model_validate_json(row["value"]) for row in rows]
    assert [content.assertion for content in told] == [first, second]
    await service.database.pool.execute("delete from signed_assertion")
    async with begin(service.database) as work:
        await on_assertion_signed(
            work, [heard(content, str(number), "signed", at(number)) for number, content in enumerate(told)]
        )
    assert (await doors.post(place)).text == second


async def test_the_migration_reads_which_key_signed(doors: httpx.AsyncClient, service: Service) -> None:
    await doors.post(await place_of(service))
    pool = service.database.pool
    await pool.execute("update signed_assertion set key_id = null")
    text = (MIGRATIONS / "0032_open_badge_2_keys.sql").read_text()
    await pool.execute(text[text.index("with signed as") :])
    assert await pool.fetchval("select key_id from signed_assertion") == token_key_id(RSA.public_key())


def key_of(token: str) -> str:
    """The id of the key that a signed assertion names."""
    payload = json.loads(jws.extract_compact(token.encode()).payload or b"")
    return payload["verification"]["creator"].rpartition("/")[2]


async def rotated_to(service: Service, key: RSAPrivateKey) -> None:
    """Let the issuer sign tokens with this key from now on."""
    async with begin(service.database) as work:
        await handlers.tell_keys(service.office, work)
    now = await service.database.pool.fetchval("select now()")
    async with begin(service.database) as work:
        act = KeyAct(uuid4(), "rotate", "uni", "", now, "The drill", "operator", now)
        assert await handlers.rotate_key(work, act, token_key_id(key.public_key())) is None


async def test_a_badge_that_does_not_hold_is_not_signed(doors: httpx.AsyncClient, service: Service) -> None:
    await service.database.pool.execute("update badge set state = 2")
    refused = await doors.post(await place_of(service))
    assert refused.status_code == 409
    assert "expected a badge that holds" in refused.json()["detail"]


async def test_what_fails_for_good_is_given_up(service: Service) -> None:
    await service.hear(*published(ISSUER, achievement("a", done("x"))), *registered("ada"), completed("ada", "x", 1))
    (issued,) = await service.told()
    async with begin(service.database) as work:
        assert await handlers.cancel_assertion(work) == []
        await handlers.record_assertion_request(work, issued.badge_id, "ada")
        assert await handlers.cancel_assertion(work) == [issued.badge_id]
    kept = await handlers.show_assertion(service.database.pool, issued.badge_id, "ada")
    assert kept is not None
    assert kept.refusal is not None

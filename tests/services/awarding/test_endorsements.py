"""Issuers speak for achievements and badges: signed with their key, told, and carried by later badges (OB 3.0, 8.4)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from libs.common.contracts import EndorsementSigned, IssuerPublished
from libs.common.credentials.keys import LocalSigner
from libs.common.credentials.proof import verify_proof
from libs.common.messaging.work import begin
from services.awarding import api, handlers
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    KEY,
    START,
    Service,
    achievement,
    completed,
    done,
    heard,
    published,
    registered,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

GUILD = IssuerPublished.model_validate({"issuer_id": "guild", "name": "A Guild", "url": "https://guild.example/"})
SAID = {"issuer_id": "guild", "comment": "Our members are looking for exactly this."}
VERSION = "/achievements/a/versions/1/endorsements"


@pytest.fixture
async def doors(service: Service, database_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client who may endorse."""
    await service.hear(*published(ISSUER, GUILD, achievement("a", done("x"))), *registered("ada", "ben"))
    mint = TokenMint(tmp_path)
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers.update(mint.headers("endorsements.write"))
        yield client


async def signed(service: Service) -> list[EndorsementSigned]:
    """Sign what waits; answers all that was told."""
    async with begin(service.database) as work:
        await handlers.sign_endorsements(service.office, work, most=10)
    rows = await service.database.pool.fetch("select value from outbox where type = $1", EndorsementSigned.TYPE)
    return [EndorsementSigned.model_validate_json(row["value"]) for row in rows]


def holds(credential: str, issuer: str) -> bool:
    """Whether the proof holds with the tests' key."""
    key = LocalSigner(KEY, issuer).public_key
    return verify_proof(credential.encode(), lambda _: key).ok


async def test_an_endorsement_is_signed_told_and_stands_in_later_badges(
    doors: httpx.AsyncClient, service: Service
) -> None:
    await service.hear(completed("ada", "x", 1))
    asked = await doors.post(VERSION, json=SAID)
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    (told,) = await signed(service)
    document = json.loads(told.credential)
    assert document["credentialSubject"]["endorsementComment"] == SAID["comment"]
    assert document["credentialSubject"]["id"].endswith("/achievements/a/versions/1")
    assert holds(told.credential, document["issuer"]["id"])
    assert (await doors.get(asked.headers["location"])).json()["state"] == "signed"
    await service.hear(completed("ben", "x", 2))
    before, after = (json.loads(issued.credential) for issued in await service.told())
    assert "endorsement" not in before["credentialSubject"]["achievement"]
    assert after["credentialSubject"]["achievement"]["endorsement"] == [document]
    assert holds(json.dumps(after), after["issuer"]["id"])


async def test_a_badge_is_endorsed_beside_it(doors: httpx.AsyncClient, service: Service) -> None:
    await service.hear(completed("ada", "x", 1))
    badge_id = await service.database.pool.fetchval("select badge_id from badge")
    assert (await doors.post(f"/badges/{badge_id}/endorsements", json=SAID)).status_code == 202
    (told,) = await signed(service)
    assert told.badge_id == badge_id
    assert json.loads(told.open_badge_2)["claim"]["id"].endswith(f"/ob2/assertions/{badge_id}")


async def test_what_cannot_be_endorsed_is_refused(doors: httpx.AsyncClient) -> None:
    assert (await doors.post("/achievements/zzz/versions/1/endorsements", json=SAID)).status_code == 404
    unknown = await doors.post(VERSION, json=SAID | {"issuer_id": "nobody"})
    assert unknown.json()["errors"][0]["pointer"] == "/issuer_id"
    own_id = SAID | {"endorsement_id": "0b8de0b9-6a52-4a57-a1f0-87d2f6c90f11"}
    assert (await doors.post(VERSION, json=own_id)).status_code == 202
    assert (await doors.post(VERSION, json=own_id)).status_code == 202
    assert (await doors.post(VERSION, json=own_id | {"comment": "Another."})).status_code == 409
    assert (await doors.post(VERSION, json=SAID, headers={"authorization": ""})).status_code == 401


async def test_a_rebuilt_awarding_remembers_endorsements(doors: httpx.AsyncClient, service: Service) -> None:
    await doors.post(VERSION, json=SAID)
    (told,) = await signed(service)
    await service.database.pool.execute("delete from endorsement")
    async with begin(service.database) as work:
        await handlers.on_endorsement_signed(work, [heard(told, "endorsement", "e", START)])
    await service.hear(completed("ben", "x", 2))
    (issued,) = await service.told()
    assert "endorsement" in json.loads(issued.credential)["credentialSubject"]["achievement"]

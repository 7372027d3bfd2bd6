"""A learner's record: the badges of an issuer that hold, in one signed ClrCredential (CLR 2.0)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft201909Validator

from libs.common.contracts import StatusListSigned
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from libs.common.messaging.work import begin
from libs.common.sandbox import Sandbox
from services.awarding import api, handlers
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.libs.common.checking.world import World, reasons
from tests.libs.common.credentials.samples import PUBLISHED
from tests.services.awarding.support import (
    ISSUER,
    KEY,
    Service,
    achievement,
    completed,
    done,
    erased,
    published,
    registered,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

RECORD = "/learners/ada/record?issuer=uni"


@pytest.fixture
async def doors(service: Service, database_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's own client; she holds one badge."""
    await service.hear(
        *published(ISSUER, achievement("a", done("x")), achievement("b", done("y"))), *registered("ada", "ben"),
        completed("ada", "x", 1),
    )  # fmt: skip
    mint = TokenMint(tmp_path)
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers["authorization"] = f"Bearer {mint.token(subject='ada', learner_id='ada')}"
        yield client


async def signing(service: Service) -> None:
    """Sign what is asked for, as the worker does."""
    while True:
        async with begin(service.database) as work:
            await handlers.sign_record(service.office, work, most=1)
        await asyncio.sleep(0.05)


@pytest.fixture
async def worker(service: Service) -> AsyncIterator[None]:
    """A worker that signs records."""
    task = asyncio.create_task(signing(service))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def record(doors: httpx.AsyncClient) -> dict[str, Any]:
    """Ada's record."""
    answer = await doors.get(RECORD)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("worker")
async def test_a_record_holds_the_badges_and_is_genuine(
    doors: httpx.AsyncClient, service: Service, tmp_path: Path
) -> None:
    found = await record(doors)
    assert await record(doors) == found
    await service.hear(completed("ada", "y", 2))
    both = await record(doors)
    kept = {issued.achievement_id: json.loads(issued.credential) for issued in await service.told()}
    assert both["credentialSubject"]["verifiableCredential"] == [kept["a"], kept["b"]]
    assert both["id"] != found["id"]
    assert both["credentialSubject"]["id"] == kept["a"]["credentialSubject"]["id"]
    place = PUBLISHED / "schemas" / "clr_v2p0" / "json-ld" / "clr_v2p0_clrcredential_schema.json"
    if place.exists():
        schema = json.loads(place.read_text())
        schema.pop("$id", None)
        schema["$schema"] = "https://json-schema.org/draft/2019-09/schema"
        assert [fault.message for fault in Draft201909Validator(schema).iter_errors(both)] == []
    sandbox = Sandbox()
    world = World(tmp_path / "web", sandbox)
    addresses = Addresses("https://localhost:8104")
    did = service.office.deployment.addresses.issuer_did("uni")
    world.put(
        f"{addresses.issuer('uni')}/did.json", did_document(did, [PublishedKey(LocalSigner(KEY, did).public_key)])
    )
    signed = await service.database.pool.fetchval("select value from outbox where type = $1", StatusListSigned.TYPE)
    status_list = StatusListSigned.model_validate_json(signed)
    world.put(addresses.status_list(status_list.list_id), status_list.credential.encode())
    world.folders["http://localhost:8104"] = world.folders["https://localhost:8104"]
    judgement = await world.judge(json.dumps(both).encode())
    sandbox.close()
    assert judgement.answer == "genuine", reasons(judgement)


@pytest.mark.usefixtures("worker")
async def test_who_has_no_badge_has_no_record(doors: httpx.AsyncClient, service: Service) -> None:
    assert (await doors.get("/learners/ada/record?issuer=zzz")).status_code == 404
    assert (await doors.get("/learners/ben/record?issuer=uni")).status_code == 403
    await record(doors)
    await service.hear(erased("ada"))
    assert await service.database.pool.fetchval("select count(*) from learner_record") == 0

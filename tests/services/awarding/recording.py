"""What the tests of learner records share: a worker that signs them, and a world that judges them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft201909Validator

from libs.common.checking.model import Judgement
from libs.common.contracts import StatusListSigned
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from libs.common.messaging.work import begin
from libs.common.sandbox import Sandbox
from services.awarding import handlers
from services.awarding.model import RecordAsked
from tests.libs.common.checking.world import World
from tests.libs.common.credentials.samples import PUBLISHED
from tests.services.awarding.support import KEY, Service

Json = dict[str, Any]


async def sign_records(service: Service, sandbox: Sandbox) -> int:
    """Sign all records that wait; answers how many."""
    signed, tried = 0, list[RecordAsked]()
    while True:
        async with begin(service.database) as work:
            if not await handlers.sign_record(service.office, work, sandbox, tried=tried):
                return signed
        signed += 1


async def signing(service: Service, sandbox: Sandbox) -> None:
    """Sign what is asked for, as the worker does."""
    while True:
        await sign_records(service, sandbox)
        await asyncio.sleep(0.05)


def schema_faults(record: Json) -> list[str]:
    """What the published JSON schema of CLR 2.0 has against a record; nothing where it is not at hand."""
    place = PUBLISHED / "schemas" / "clr_v2p0" / "json-ld" / "clr_v2p0_clrcredential_schema.json"
    if not place.exists():
        return []
    schema = json.loads(place.read_text())
    schema.pop("$id", None)
    schema["$schema"] = "https://json-schema.org/draft/2019-09/schema"
    return [fault.message[:300] for fault in Draft201909Validator(schema).iter_errors(record)]


async def judged(service: Service, record: Json, folder: Path, sandbox: Sandbox) -> Judgement:
    """What a stranger's verifier says of a record, with the keys and the status lists as they are told by now."""
    async with begin(service.database) as work:
        await handlers.sign_status_lists(service.office, work)
    world, addresses = World(folder, sandbox), Addresses("https://localhost:8104")
    for issuer in ("uni", "other"):
        did = service.office.deployment.addresses.issuer_did(issuer)
        keys = [PublishedKey(LocalSigner(KEY, did).public_key)]
        world.put(f"{addresses.issuer(issuer)}/did.json", did_document(did, keys))
    rows = await service.database.pool.fetch(
        "select value from outbox where type = $1 order by id", StatusListSigned.TYPE
    )
    for row in rows:
        told = StatusListSigned.model_validate_json(row["value"])
        world.put(addresses.status_list(told.list_id), told.credential.encode())
    world.folders["http://localhost:8104"] = world.folders["https://localhost:8104"]
    return await world.judge(json.dumps(record).encode())

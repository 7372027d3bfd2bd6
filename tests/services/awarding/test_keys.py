"""Keys follow one another, and one that leaked is revoked: what was signed before stands (B8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from joserfc import jwt
from joserfc.jwk import import_key

from libs.common.contracts import BadgeIssued, KeyPublished, StatusListSigned
from libs.common.credentials.key_history import key_trust
from libs.common.credentials.keys import public_key_of_multikey
from libs.common.credentials.proof import verify_proof
from libs.common.messaging.work import begin
from libs.common.signing.file_key import LocalKey
from libs.common.signing.key import KeyUnusable
from libs.common.signing.opening import open_key
from libs.common.signing.ring import Ring
from libs.common.signing.token_key import LocalTokenKey
from services.awarding import handlers
from services.awarding.model import KeyAct, KeyActKind, Refused
from tests.libs.common.signing.vault_server import TransitServer, transit_server
from tests.services.awarding.support import (
    ISSUER,
    KEY,
    Service,
    achievement,
    office,
    passed,
    published,
    registered,
    scored,
)

SECOND = b"\x02" * 32
P256 = derive_private_key(4711, SECP256R1())


def with_keys(service: Service, *keys: bytes) -> Service:
    """A worker on the same database that has these keys at hand, and one for tokens."""
    made = office()
    ring = Ring([(None, LocalKey(key)) for key in keys], [(None, LocalTokenKey(P256))])
    changed = handlers.Office(
        made.deployment, namespace=made.namespace, ring=ring, keys_valid_from=made.keys_valid_from
    )
    return Service(service.database, changed)


async def start(worker: Service) -> None:
    """What a worker does first."""
    async with begin(worker.database) as work:
        await handlers.tell_keys(worker.office, work)


async def issue(worker: Service, learner: str) -> BadgeIssued:
    """A badge for a new learner, signed by this worker."""
    await worker.hear(*registered(learner), scored(learner, "x", "50", 1))
    return next(issued for issued in await worker.told() if issued.learner_id == learner)


def asked(kind: KeyActKind, key_id: str, at: datetime) -> KeyAct:
    """What an operator asks for."""
    return KeyAct(uuid4(), kind, "uni", key_id, at, "The drill", "operator", at)


async def rotate(worker: Service, key_id: str | None = None, *, later: float = 0) -> Refused | None:
    """Rotate, so many seconds from now."""
    now = await worker.database.pool.fetchval("select now()")
    async with begin(worker.database) as work:
        return await handlers.rotate_key(work, asked("rotate", "", now + timedelta(seconds=later)), key_id)


async def revoke(worker: Service, key_id: str, at: datetime) -> Refused | None:
    """Revoke a key from an instant on."""
    async with begin(worker.database) as work:
        return await handlers.revoke_key(work, asked("revoke", key_id, at))


async def history(worker: Service) -> dict[str, KeyPublished]:
    """The keys as they were told last."""
    rows = await worker.database.pool.fetch("select value from outbox where type = $1 order by id", KeyPublished.TYPE)
    told = [KeyPublished.model_validate_json(row["value"]) for row in rows]
    return {key.key_id: key for key in told}


def signed_with(issued: BadgeIssued) -> str:
    """The id of the key that signed the badge, whose proof holds and is dated within the key's time."""
    proof = verify_proof(issued.credential.encode(), lambda method: public_key_of_multikey(method.split("#")[1]))
    assert proof.ok, proof
    return (proof.verification_method or "").partition("#")[2]


async def test_the_drill_issue_rotate_issue_revoke(service: Service) -> None:
    worker = with_keys(service, KEY, SECOND)
    await worker.hear(*published(ISSUER, achievement("a", passed("x"))))
    await start(worker)
    first, second = (key.key_id for key in worker.office.free_keys[:2])
    before = await issue(worker, "ada")
    assert signed_with(before) == first
    assert await rotate(worker) is None
    after = await issue(worker, "ben")
    assert signed_with(after) == second
    keys = await history(worker)
    assert keys[first].valid_until == keys[second].valid_from
    # The badge is valid since long before its key: its proof is dated within the key's time all the same.
    assert after.valid_from < keys[second].valid_from
    created = orjson.loads(after.credential)["proof"][0]["created"]
    assert datetime.fromisoformat(created) == keys[second].valid_from.replace(microsecond=0)
    for issued in (before, after):
        assert key_trust(keys[signed_with(issued)], issued.valid_from, issued.awarded_at).stands
    # The first key leaks: from an instant on nothing stands that it signed, but for what was signed before.
    now = await worker.database.pool.fetchval("select now()")
    assert await revoke(worker, first, now) is None
    keys = await history(worker)
    assert keys[first].revoked_at == now
    assert key_trust(keys[first], before.valid_from, before.awarded_at).stands
    assert not key_trust(keys[first], before.valid_from, now).stands
    assert not key_trust(keys[first], before.valid_from).stands
    assert signed_with(await issue(worker, "cleo")) == second
    shown = await handlers.show_keys(worker.database.pool, "uni", now)
    assert next((key["state"], key["signs"]) for key in shown["keys"]) == ("revoked", "proofs")
    assert [act["kind"] for act in shown["acts"]] == ["rotate", "revoke"]
    assert all(act["actor"] == "operator" and act["reason"] == "The drill" for act in shown["acts"])


async def test_a_revoked_key_is_followed_at_once_and_the_lists_are_signed_anew(service: Service) -> None:
    worker = with_keys(service, KEY, SECOND)
    await worker.hear(*published(ISSUER, achievement("a", passed("x"))))
    await start(worker)
    await issue(worker, "ada")
    first, second = (key.key_id for key in worker.office.free_keys[:2])
    now = await worker.database.pool.fetchval("select now()")
    assert await revoke(worker, first, now - timedelta(days=1)) is None
    assert signed_with(await issue(worker, "ben")) == second
    async with begin(worker.database) as work:
        assert await handlers.sign_status_lists(worker.office, work) == 1
    value = await worker.database.pool.fetchval(
        "select value from outbox where type = $1 order by id desc limit 1", StatusListSigned.TYPE
    )
    assert second in StatusListSigned.model_validate_json(value).credential
    # Only ever earlier, and never to come.
    for at in (now, now + timedelta(days=1)):
        assert isinstance(await revoke(worker, first, at), Refused)
    assert await revoke(worker, first, now - timedelta(days=2)) is None


async def test_with_no_key_left_nothing_is_signed_and_nothing_is_lost(service: Service) -> None:
    worker = with_keys(service, KEY)
    await worker.hear(*published(ISSUER, achievement("a", passed("x"))))
    await start(worker)
    now = await worker.database.pool.fetchval("select now()")
    assert await revoke(worker, worker.office.free_keys[0].key_id, now) is None
    assert isinstance(await rotate(worker), Refused)
    with pytest.raises(KeyUnusable) as refused:
        await issue(worker, "ada")
    assert refused.value.passing  # so the batch waits
    again = with_keys(service, KEY, SECOND)
    await start(again)
    assert signed_with(await issue(again, "ada")) == again.office.free_keys[1].key_id


async def test_a_rotation_to_come_and_one_that_is_past(service: Service) -> None:
    worker = with_keys(service, KEY, SECOND)
    await worker.hear(*published(ISSUER, achievement("a", passed("x"))))
    await start(worker)
    first, second = (key.key_id for key in worker.office.free_keys[:2])
    assert isinstance(await rotate(worker, "z6MkUnknown"), Refused)
    assert await rotate(worker, second, later=3600) is None
    assert signed_with(await issue(worker, "ada")) == first
    assert isinstance(await rotate(worker, second), Refused)  # it is used already


async def test_a_token_beside_every_proof_says_the_same(service: Service) -> None:
    worker = with_keys(service, KEY)
    await worker.hear(*published(ISSUER, achievement("a", passed("x"))))
    issued = await issue(worker, "ada")
    token = next(key for key in (await history(worker)).values() if key.public_key_jwk is not None)
    assert issued.credential_jwt is not None
    read = jwt.decode(issued.credential_jwt, import_key(orjson.loads(token.public_key_jwk or "")), algorithms=["ES256"])
    document = orjson.loads(issued.credential)
    del document["proof"]
    assert {name: read.claims[name] for name in document} == document
    assert read.header["kid"] == f"https://localhost:8104/issuers/uni/keys/{token.key_id}"


@pytest.fixture
def transit(tmp_path: Path) -> Iterator[TransitServer]:
    """Vault's transit engine; its URL names the key."""
    (tmp_path / "token").write_text("s.good\n")
    with transit_server(tmp_path) as server:
        server.url += f"?token-file={tmp_path}/token&ca-file={tmp_path}/ca.pem"
        yield server


async def test_a_worker_signs_with_vault_and_waits_while_it_is_away(service: Service, transit: TransitServer) -> None:
    made = office()
    ring = Ring([(None, open_key(transit.url))])
    assert ring.blocks
    changed = handlers.Office(
        made.deployment, namespace=made.namespace, ring=ring, keys_valid_from=made.keys_valid_from
    )
    worker = Service(service.database, changed)
    await worker.hear(*published(ISSUER, achievement("a", passed("x"))))
    transit.status = 503
    with pytest.raises(KeyUnusable) as away:
        await issue(worker, "ada")
    assert away.value.passing
    transit.status = 200
    assert signed_with(await issue(worker, "ada")) == worker.office.free_keys[0].key_id
    worker.office.close()

"""Records follow the badges in them: withdrawn with them, back with them; and their places are nobody else's (B4)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import orjson
import pytest

from libs.common.contracts import RecordSigned
from libs.common.credentials.places import position_of
from libs.common.messaging.work import begin
from libs.common.sandbox import Killed, Sandbox
from libs.common.verifying import record_sandbox
from services.awarding import handlers
from services.awarding.handlers.records import on_record_signed
from services.awarding.model import KeyAct, RecordAsked, RecordWish, ShownRecord
from services.awarding.store import records as record_store
from services.awarding.store import status_lists as list_store
from tests.services.awarding.recording import judged, sign_records
from tests.services.awarding.support import (
    ISSUER,
    NAMESPACE,
    Service,
    achievement,
    all_of,
    at,
    badge,
    completed,
    done,
    heard,
    passed,
    published,
    registered,
    scored,
    voided,
)

WHOLE = RecordWish("ada", "uni")
FIRST = scored("ada", "x", "80", 1)
CATALOGUE = (
    ISSUER,
    achievement("a", passed("x")),
    achievement("b", done("y")),
    achievement("stack", all_of(badge("a"), badge("b"))),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Where the canonical forms of records are made."""
    started = record_sandbox()
    yield started
    started.close()


@pytest.fixture
async def earned(service: Service) -> Service:
    """Ada holds a stack of two."""
    await service.hear(*published(*CATALOGUE), *registered("ada"))
    await service.hear_each([FIRST, completed("ada", "y", 2)])
    return service


async def ask(service: Service, sandbox: Sandbox, wish: RecordWish = WHOLE) -> bytes:
    """The record of this kind, asked for and signed if need be."""
    found = await handlers.show_record(service.database.pool, wish, 1)
    if found is None or found.is_open:
        await want(service, wish)
        assert await sign_records(service, sandbox) == 1
        found = await handlers.show_record(service.database.pool, wish, 1)
    assert found is not None
    assert found.credential is not None, found.refusal
    return found.credential.encode()


async def want(service: Service, wish: RecordWish = WHOLE) -> None:
    """Ask for a record."""
    made = await service.database.pool.fetchval("select count(*) from record_part")
    async with begin(service.database) as work:
        await handlers.record_record_request(work, RecordAsked(wish, uuid5(NAMESPACE, f"{wish} {made}"), at(50)))


async def states(service: Service) -> list[int]:
    """The states of all parts that were ever signed."""
    rows = await service.database.pool.fetch("select state from record_part order by status_index")
    return sorted(row["state"] for row in rows)


async def test_a_record_is_withdrawn_with_a_badge_in_it_and_comes_back_with_it(
    earned: Service, sandbox: Sandbox, tmp_path: Path
) -> None:
    whole = orjson.loads(await ask(earned, sandbox))
    assert (await judged(earned, whole, tmp_path / "1", sandbox)).answer == "genuine"
    await earned.hear(voided(FIRST, 5))
    judgement = await judged(earned, whole, tmp_path / "2", sandbox)
    assert (judgement.sentence, judgement.authentic) == ("Genuine, but withdrawn", "pass")
    # The next one holds what is left, and is good.
    rest = orjson.loads(await ask(earned, sandbox))
    assert len(rest["credentialSubject"]["verifiableCredential"]) == 1
    assert rest["credentialStatus"] != whole["credentialStatus"]
    assert (await judged(earned, rest, tmp_path / "3", sandbox)).answer == "genuine"
    assert await states(earned) == [0, 1]
    await earned.hear(scored("ada", "x", "90", 6))
    assert await states(earned) == [0, 0]
    assert (await judged(earned, whole, tmp_path / "4", sandbox)).answer == "genuine"


async def test_more_badges_do_not_withdraw_a_record(earned: Service, sandbox: Sandbox) -> None:
    """What it said was true and is: who earns more need not replace what they have shown to others."""
    before = await ask(earned, sandbox)
    await earned.hear(*published(achievement("c", done("z"))))
    await earned.hear(completed("ada", "z", 9))
    after = await ask(earned, sandbox)
    assert before != after
    assert await states(earned) == [0, 0]


async def test_a_record_of_a_stack_is_of_what_holds(earned: Service, sandbox: Sandbox) -> None:
    (stack,) = [issued for issued in await earned.told() if issued.achievement_id == "stack"]
    wish = await handlers.read_root_wish(earned.database.pool, "ada", stack.badge_id)
    assert wish == RecordWish("ada", "uni", stack.badge_id)
    assert await handlers.read_root_wish(earned.database.pool, "ben", stack.badge_id) is None
    content = orjson.loads(await ask(earned, sandbox, wish))
    assert len(content["credentialSubject"]["verifiableCredential"]) == 3
    await earned.hear(voided(FIRST, 5))  # the stack is suspended with what it stands on
    shown = await handlers.show_record(earned.database.pool, wish, 1)
    assert shown == ShownRecord(None, refusal="expected a badge of this learner that holds, found none of this id")
    assert await states(earned) == [1]


async def test_what_changes_while_a_record_is_signed_withdraws_it(earned: Service, sandbox: Sandbox) -> None:
    await want(earned)
    async with begin(earned.database) as work:
        assert await handlers.sign_record(earned.office, work, sandbox, tried=[]) == 1
        # Waits for the learner, whom the record's transaction holds until it ends.
        change = asyncio.create_task(earned.hear(voided(FIRST, 5)))
        await asyncio.sleep(0.1)
    await change
    assert await states(earned) == [1]


async def test_of_two_workers_one_signs(earned: Service, sandbox: Sandbox) -> None:
    await want(earned)
    async with begin(earned.database) as one, begin(earned.database) as other:
        tried: list[RecordAsked] = []
        assert await handlers.sign_record(earned.office, one, sandbox, tried=tried) == 1
        assert [asked.wish for asked in tried] == [WHOLE]
        assert await handlers.sign_record(earned.office, other, sandbox, tried=tried) == 0
        assert tried == []


async def test_what_was_asked_anew_meanwhile_is_signed_anew(earned: Service, sandbox: Sandbox) -> None:
    await want(earned)
    async with begin(earned.database) as work:
        asked = await record_store.waiting_record(work.connection)
    assert asked is not None
    stale = asked._replace(record_id=UUID(int=7))
    async with begin(earned.database) as work:
        assert not await record_store.finish_record(work.connection, stale, [])
        assert await record_store.finish_record(work.connection, asked, [])
        assert not await record_store.finish_record(work.connection, asked, [])


async def test_what_cannot_be_signed_is_given_up_and_may_be_asked_for_again(earned: Service, sandbox: Sandbox) -> None:
    await want(earned)
    tried: list[RecordAsked] = []
    slow = Sandbox(seconds=0.0)
    with pytest.raises(Killed):
        async with begin(earned.database) as work:
            await handlers.sign_record(earned.office, work, slow, tried=tried)
    slow.close()
    async with begin(earned.database) as work:
        for asked in tried:
            await handlers.cancel_record(work, asked)
    shown = await handlers.show_record(earned.database.pool, WHOLE, 1)
    assert shown is not None
    assert (shown.credential, shown.is_open) == (None, True)
    assert await ask(earned, sandbox)


async def test_a_fresh_database_gives_no_place_again_and_withdraws_as_before(earned: Service, sandbox: Sandbox) -> None:
    await ask(earned, sandbox)
    pool = earned.database.pool
    told = [
        RecordSigned.model_validate_json(row["value"])
        for row in await pool.fetch("select value from outbox where type = $1", RecordSigned.TYPE)
    ]
    (content,) = told
    await pool.execute("delete from record_part")
    await pool.execute("select setval('status_position', 0, false)")
    assert await handlers.show_record(pool, WHOLE, 1) is None  # its bytes are lost: it is signed anew
    await earned.hear(voided(FIRST, 5))
    event = heard(content, f"record:{content.record_id}", "signed", at(2))
    async with begin(earned.database) as work:
        await on_record_signed(work, [event])
        await on_record_signed(work, [event])
        await handlers.complete_restoring(earned.office, work)
        (position,) = await list_store.take_positions(work.connection, 1)
    assert position > position_of(earned.office.list_secret, content.list_number, content.status_index)
    assert await states(earned) == [1]
    async with begin(earned.database) as work:
        withdrawn = await list_store.withdrawn(work.connection, [("uni", content.list_number)])
    assert content.status_index in withdrawn["uni", content.list_number, 1]


async def test_what_a_revoked_key_signed_is_signed_anew(earned: Service, sandbox: Sandbox) -> None:
    await ask(earned, sandbox)
    (key,) = await earned.database.pool.fetch("select key_id from signing_key")
    now = datetime.now(UTC)
    act = KeyAct(uuid5(NAMESPACE, "leak"), "revoke", "uni", key["key_id"], now, "It leaked.", "ops", now)
    async with begin(earned.database) as work:
        assert await handlers.revoke_key(work, act) is None
    assert await handlers.show_record(earned.database.pool, WHOLE, 1) is None

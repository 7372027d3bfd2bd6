"""Badges that programs pushed: looked at, bound to the learner, counted or refused with a reason (B12, B7)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts import BadgeImported, BadgePushed, ImportedBadgeWithdrawn, ImportRefused
from libs.common.contracts.envelope import Envelope
from libs.common.credentials.model import StatusEntry
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import begin
from services.awarding import handlers
from services.awarding.rules.imports import addresses_named
from tests.services.awarding.abroad import DOOR, EMAIL, LIST, Abroad, abroad, foreign, sandbox
from tests.services.awarding.support import START, erased, registered
from tests.services.awarding.test_states import changes, holding
from tests.services.verification.support import ADDRESSES

__all__ = ["abroad", "sandbox"]
PUSH = UUID("0d3f2a51-6a0e-5c7c-9b57-2f8f0f5a7c11")


def pushed(content: bytes, learner_id: str = "ada", *, push_id: UUID = PUSH, minutes: float = 0) -> Received[Any]:
    """A badge that a program pushed, as verification tells it."""
    told = BadgePushed(
        push_id=push_id, learner_id=learner_id, credential_id=str(json.loads(content)["id"]),
        content=content.decode(), digest="sha256:" + hashlib.sha256(content).hexdigest(), pushed_at=START,
    )  # fmt: skip
    return _received(told, push_id, minutes)


def _received(told: BadgePushed | None, push_id: UUID, minutes: float) -> Received[Any]:
    event_id = uuid5(push_id, f"{told and told.digest} {minutes}")
    envelope = Envelope(
        id=str(event_id), source="/cairn/verification", type=BadgePushed.TYPE,
        time=START + timedelta(minutes=minutes), key=str(push_id),
    )  # fmt: skip
    return Received(envelope, told, BadgePushed.TOPIC, 0, 0, event_id)


async def hear(abroad: Abroad, *events: Received[Any]) -> None:
    async with begin(abroad.service.database) as work:
        await handlers.on_badge_pushed(abroad.service.office, work, events)


async def refusals(abroad: Abroad) -> list[tuple[str, bool]]:
    return [(one.cause, one.is_final) for one in await abroad.told(ImportRefused)]


async def test_a_pushed_badge_that_names_its_learner_earns_what_accepts_it(abroad: Abroad) -> None:
    event = pushed(foreign(plain=True))
    # The same again, in this batch and in another, makes no difference.
    await hear(abroad, event, event)
    await hear(abroad, event)
    assert await abroad.look_again() == 1
    assert await abroad.count() == 1
    assert await holding(abroad.service) == {"stack"}
    (told,) = await abroad.told(BadgeImported)
    assert (told.import_id, told.digest) == (PUSH, event.content.digest)
    await hear(abroad, event)
    assert await abroad.look_again() == 0
    assert (await abroad.only())["state"] == "counting"
    assert await refusals(abroad) == []
    assert await abroad.service.database.pool.fetchval("select person_identity from imported_badge") is None


async def test_a_badge_that_names_nobody_waits_for_its_learner_to_say(abroad: Abroad) -> None:
    await hear(abroad, pushed(foreign()))
    assert await abroad.look_again() == 1
    assert await abroad.look_again(days=30) == 0
    assert await refusals(abroad) == [("unbound", False)]
    found = await abroad.only()
    assert (found["state"], found["cause"].partition(":")[0], found["next_check_at"]) == ("unclear", "unbound", None)
    asked = await _say(abroad, EMAIL)
    assert (asked.status_code, asked.json()["cause"]) == (202, None)
    assert await abroad.look_again() == 1
    assert await abroad.count() == 1
    assert await holding(abroad.service) == {"stack"}


async def test_to_say_somebody_elses_address_makes_no_badge_ones_own(abroad: Abroad) -> None:
    for number, email, cause in ((1, EMAIL, "other-recipient"), (2, "ben@learner.example", "not-yours")):
        push_id = UUID(int=number)
        await hear(abroad, pushed(foreign(number, email="ben@learner.example"), push_id=push_id))
        await abroad.look_again()
        assert (await _say(abroad, email, push_id)).status_code == 202
        await abroad.look_again()
        await abroad.count()
        assert (await refusals(abroad))[-1] == (cause, True)
    assert await holding(abroad.service) == set()


async def _say(abroad: Abroad, email: str, push_id: UUID = PUSH) -> httpx.Response:
    """The learner says to which address a pushed badge was awarded."""
    params = {"recipient": f"email:{email}"}
    return await abroad.client.post(f"{DOOR}/{push_id}/check", params=params, headers=abroad.own())


async def test_who_vouched_once_does_not_vouch_for_another_badge(abroad: Abroad) -> None:
    await hear(abroad, pushed(foreign(email="ada@home.example")))
    await abroad.look_again()
    check = f"{DOOR}/{PUSH}/check"
    staff = abroad.mint.headers("records.write", subject="registrar")
    params = {"recipient": "email:ada@home.example"}
    assert (await abroad.client.post(check, params=params, headers=staff)).status_code == 202
    # The learner says otherwise before anybody looked.
    params = {"recipient": "email:ben@learner.example"}
    assert (await abroad.client.post(check, params=params, headers=abroad.own())).status_code == 202
    row = await abroad.service.database.pool.fetchrow("select is_vouched, person_identity from imported_badge")
    assert tuple(row or ()) == (False, "ben@learner.example")
    assert (await abroad.client.post(check, params={"recipient": "x"}, headers=staff)).status_code == 422


async def test_what_is_forged_or_ours_is_refused_with_its_reason_and_may_come_again(abroad: Abroad) -> None:
    forged = json.dumps({**json.loads(foreign(plain=True)), "name": "Better"}).encode()
    await hear(abroad, pushed(forged))
    await abroad.look_again()
    assert (await abroad.only())["cause"].startswith("not-genuine: ")
    ours = abroad.service.office.deployment.addresses
    own = json.dumps({"id": f"{ours.base_url}/badges/1", "issuer": {"id": ours.issuer_did("x")}})
    await hear(abroad, pushed(own.encode(), push_id=UUID(int=7)))
    assert await refusals(abroad) == [("not-genuine", True), ("own-badge", True)]
    await hear(abroad, pushed(foreign(plain=True), minutes=1))
    await abroad.look_again()
    await abroad.count()
    assert await holding(abroad.service) == {"stack"}


async def test_a_pushed_badge_waits_for_its_learner_to_be_registered(abroad: Abroad) -> None:
    await hear(abroad, pushed(foreign(email="zoe@learner.example", plain=True), "zoe"))
    assert await abroad.look_again() == 1
    assert await refusals(abroad) == []
    await abroad.service.hear(*registered("zoe"))
    assert await abroad.look_again() == 1
    assert await refusals(abroad) == [("unbound", False)]


async def test_what_is_pushed_in_its_place_counts_once_the_other_does_not(abroad: Abroad) -> None:
    abroad.publish_list()
    first = foreign(plain=True, status=(StatusEntry(LIST, 7),))
    renewed = foreign(plain=True, valid_until=datetime(2099, 1, 1, tzinfo=UTC))
    await hear(abroad, pushed(first))
    await abroad.look_again()
    await abroad.count()
    await hear(abroad, pushed(renewed, minutes=1))
    assert await abroad.look_again() == 1
    assert (await abroad.only())["digest"] == pushed(first).content.digest
    abroad.publish_list(7)
    assert await abroad.look_again(days=2) == 1
    assert await holding(abroad.service) == set()
    assert (await abroad.told(ImportedBadgeWithdrawn))[0].cause == "revoked"
    assert await abroad.look_again(days=1) == 1
    assert await abroad.count() == 1
    assert await holding(abroad.service) == {"stack"}
    assert [one.revision for one in await abroad.told(BadgeImported)] == [1, 2]
    assert (await changes(abroad.service))[0] == ("stack", "suspended")


async def test_a_learner_may_bring_by_hand_what_waits(abroad: Abroad) -> None:
    await hear(abroad, pushed(foreign()))
    await abroad.look_again()
    assert (await abroad.bring(foreign())).status_code == 202
    assert await abroad.count() == 1
    assert await holding(abroad.service) == {"stack"}
    await _say(abroad, EMAIL)
    await abroad.look_again()
    assert (await refusals(abroad))[-1] == ("duplicate", True)


async def test_erasure_takes_it_all(abroad: Abroad) -> None:
    other = pushed(foreign(2, email="ben@learner.example", plain=True), "ben", push_id=UUID(int=8))
    await hear(abroad, pushed(foreign(plain=True)), other)
    await abroad.service.hear(erased("ada"))
    kept = "select array_agg(learner_id) from imported_badge"
    assert await abroad.service.database.pool.fetchval(kept) == ["ben"]
    # One that is told late is not kept; where a push is erased, what stands on it follows.
    await hear(abroad, pushed(foreign(plain=True)))
    await hear(abroad, _received(None, UUID(int=8), 5))
    assert await abroad.count() == 1
    assert await abroad.service.database.pool.fetchval("select count(*) from imported_badge") == 0


@pytest.mark.parametrize("push_first", [True, False])
async def test_who_registers_again_may_push_before_awarding_hears_of_it(abroad: Abroad, push_first: bool) -> None:
    """Two topics tell it, in any order: what was pushed after an erasure is not what was erased (B2, B7)."""
    gone, back = erased("ada"), registered("ada")
    late = pushed(foreign(plain=True))
    assert late.content is not None
    since = gone.event.time + timedelta(minutes=1)
    again = late._replace(content=late.content.model_copy(update={"pushed_at": since}))
    if push_first:
        await hear(abroad, again)
        await abroad.service.hear(gone)
    else:
        await abroad.service.hear(gone)
        await hear(abroad, again)
    await abroad.service.hear(*back)
    assert await abroad.look_again() == 1
    assert await refusals(abroad) == [("unbound", False)]  # kept, and looked at: this registration has no address


async def test_a_source_that_is_away_is_told_and_tried_again(abroad: Abroad) -> None:
    hidden = abroad.world.folders.pop("https://" + ADDRESSES.base_url.removeprefix("https://"))
    await hear(abroad, pushed(foreign(plain=True)))
    await abroad.look_again()
    assert await refusals(abroad) == [("unclear", False)]
    abroad.world.folders[ADDRESSES.base_url] = hidden
    await abroad.look_again(days=1)
    await abroad.count()
    assert await holding(abroad.service) == {"stack"}


@pytest.mark.parametrize("renewed_since", [False, True])
async def test_what_is_remembered_after_a_loss_is_watched_again(abroad: Abroad, renewed_since: bool) -> None:
    first, later = foreign(plain=True), foreign(plain=True, valid_until=datetime(2099, 1, 1, tzinfo=UTC))
    await hear(abroad, pushed(first))
    await abroad.look_again()
    await abroad.count()
    (told,) = await abroad.told(BadgeImported)
    pool, office = abroad.service.database.pool, abroad.service.office.remembering()
    await pool.execute("delete from imported_badge")
    # Compacted topics come first, with the last word on each key; what was told of it comes after.
    async with begin(abroad.service.database) as work:
        await handlers.on_badge_pushed(office, work, [pushed(later if renewed_since else first)])
        row = await pool.fetchrow("select event_id, time from outbox where type = $1", BadgeImported.TYPE)
        assert row is not None
        envelope = Envelope(id=str(row["event_id"]), source="/x", type=told.TYPE, time=row["time"], key="")
        remembered = Received(envelope, told, told.TOPIC, 0, 0, row["event_id"])
        await handlers.on_badge_imported(office, work, [remembered])
    found = await pool.fetchrow("select state, issuer, brought, later, digest from imported_badge")
    assert found is not None
    assert (found["state"], found["issuer"], found["digest"]) == ("counting", told.issuer, told.digest)
    assert (found["brought"], found["later"]) == ((None, later) if renewed_since else (first, None))
    await abroad.look_again()
    assert (await abroad.only())["state"] == "counting"
    lost = ImportedBadgeWithdrawn(import_id=PUSH, learner_id="ada", supersedes=row["event_id"], cause="suspended")
    async with begin(abroad.service.database) as work:
        word = Received(envelope, lost, lost.TOPIC, 0, 1, UUID(int=9))
        await handlers.on_imported_badge_withdrawn(office, work, [word])
    await abroad.look_again(days=1)
    await abroad.look_again(days=1)
    await abroad.count()
    assert (await abroad.only())["state"] == "counting"
    assert await refusals(abroad) == ([("unclear", False)] if renewed_since else [])


@given(st.binary(max_size=200))
def test_no_bytes_name_an_address_by_raising(content: bytes) -> None:
    assert addresses_named(content) == ()


def test_only_what_is_written_plainly_is_an_address() -> None:
    identifiers = [
        {"identityType": "emailAddress", "hashed": False, "identityHash": "ada@learner.example"},
        {"identityType": "emailAddress", "hashed": True, "identityHash": "sha256$00"},
        {"identityType": "name", "hashed": False, "identityHash": "Ada"},
    ]
    subject = {"id": "mailto:ada@home.example", "identifier": identifiers}
    badge = json.dumps({"@context": ["https://www.w3.org/ns/credentials/v2"], "credentialSubject": subject}).encode()
    assert addresses_named(badge) == ("ada@home.example", "ada@learner.example")

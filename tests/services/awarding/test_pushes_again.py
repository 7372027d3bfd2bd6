"""Pushed badges that learners took back, pushed again, and remembered after a loss (B2, B4, B12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid5

import pytest

from libs.common.contracts import CONTRACTS, BadgeImported, ImportedBadgeWithdrawn, ImportRefused
from libs.common.contracts.envelope import Envelope
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import begin
from services.awarding import handlers
from services.awarding.worker.memory import remembers
from tests.services.awarding.abroad import DID, DOOR, THEIRS, Abroad, abroad, foreign, sandbox
from tests.services.awarding.support import NAMESPACE, START
from tests.services.awarding.test_pushes import PUSH, hear, pushed, refusals
from tests.services.awarding.test_states import changes, holding

__all__ = ["abroad", "sandbox"]
FIRST = foreign(plain=True)
SECOND = foreign(plain=True, valid_until=datetime(2099, 1, 1, tzinfo=UTC))
WORDS = {told.TYPE: told for told in CONTRACTS}


def push(content: bytes, ahead: float = 0) -> Received[Any]:
    """Pushed now, or so many hours ahead: later than what is done between."""
    event = pushed(content)
    at = datetime.now(UTC) + timedelta(hours=ahead)
    told = event.content.model_copy(update={"pushed_at": at})
    event_id = uuid5(PUSH, f"{told.digest} {at}")
    return Received(event.event._replace(id=str(event_id), time=at), told, told.TOPIC, 0, 0, event_id)


async def counted(abroad: Abroad, content: bytes, ahead: float = 0) -> Received[Any]:
    """It is pushed, looked at and counted."""
    event = push(content, ahead)
    await hear(abroad, event)
    await abroad.look_again()
    await abroad.count()
    return event


async def take_back(abroad: Abroad) -> None:
    """Ada takes it back, which has yet to be carried out."""
    assert (await abroad.client.delete(f"{DOOR}/{PUSH}", headers=abroad.own())).status_code == 204


async def words(abroad: Abroad) -> list[Received[Any]]:
    """All that was told of imports, in order."""
    rows = await abroad.service.database.pool.fetch("select * from outbox where key like 'import:%' order by id")
    return [
        Received(
            Envelope(id=str(row["event_id"]), source="/x", type=row["type"], time=row["time"], key=row["key"].decode()),
            WORDS[row["type"]].model_validate_json(row["value"]), row["topic"], 0, place, row["event_id"],
        )
        for place, row in enumerate(rows)
    ]  # fmt: skip


async def forget(abroad: Abroad) -> None:
    """All that is made of topics is lost, but for learners and the catalogue."""
    for table in ("badge_change", "badge", "fact", "voided", "imported_badge"):
        await abroad.service.database.pool.execute(f"delete from {table}")


async def remember(abroad: Abroad, last: Received[Any] | None, told: list[Received[Any]], *, together: bool) -> None:
    """A fresh database hears the last push, then what awarding told, `together` or each in a batch of its own; twice,
    for restoring may begin again."""
    office, database = abroad.service.office.remembering(), abroad.service.database
    if last is not None:
        async with begin(database) as work:
            await handlers.on_badge_pushed(office, work, [last])
    rows = remembers(office)
    batches = [told, told] if together else [[one] for one in told + told]
    for batch in batches:
        async with begin(database) as work:
            for row in rows:
                events = [one for one in batch if one.event.type == row.contract.TYPE]
                if events:
                    await row.handle(work, events)


async def standing(abroad: Abroad) -> list[str]:
    """What facts of imports count."""
    rows = await abroad.service.database.pool.fetch(
        "select object_id from fact where kind = 4 and voided_by is null order by object_id"
    )
    return [row["object_id"] for row in rows]


async def test_one_that_was_taken_back_counts_when_it_is_pushed_again(abroad: Abroad) -> None:
    await counted(abroad, FIRST)
    await take_back(abroad)
    await abroad.count()
    assert await holding(abroad.service) == set()
    await counted(abroad, FIRST)
    assert await holding(abroad.service) == {"stack"}
    assert await changes(abroad.service) == [("stack", "suspended"), ("stack", "reinstated")]
    told = [one.event_id for one in await words(abroad) if one.event.type == BadgeImported.TYPE]
    assert len(set(told)) == 2


@pytest.mark.parametrize("carried_out", [True, False])
async def test_the_same_counts_again_once_whenever_it_is_heard(abroad: Abroad, carried_out: bool) -> None:
    """Heard after it was taken out, or before that was carried out; and twice."""
    await counted(abroad, FIRST)
    await take_back(abroad)
    if carried_out:
        await abroad.count()
    await hear(abroad, push(FIRST))
    await hear(abroad, push(FIRST))
    while await abroad.count() + await abroad.look_again():
        pass
    await hear(abroad, push(FIRST))
    assert await abroad.count() == 0
    assert await holding(abroad.service) == {"stack"}
    told = [one.event.type for one in await words(abroad)]
    assert told == [BadgeImported.TYPE, ImportedBadgeWithdrawn.TYPE, BadgeImported.TYPE]


@pytest.mark.parametrize("together", [True, False])
async def test_what_came_again_counts_after_a_loss_too(abroad: Abroad, together: bool) -> None:
    await counted(abroad, FIRST)
    await take_back(abroad)
    await abroad.count()
    last = await counted(abroad, SECOND, 1)
    told = await words(abroad)
    assert [one.event.type for one in told] == [BadgeImported.TYPE, ImportedBadgeWithdrawn.TYPE, BadgeImported.TYPE]
    await forget(abroad)
    await remember(abroad, last, told, together=together)
    row = await abroad.service.database.pool.fetchrow("select state, counted_by, brought from imported_badge")
    assert tuple(row or ()) == ("counting", told[-1].event_id, SECOND)
    assert len(await standing(abroad)) == 2


@pytest.mark.parametrize("together", [True, False])
async def test_what_came_again_and_was_not_counted_yet_is_looked_at_after_a_loss(
    abroad: Abroad, together: bool
) -> None:
    await counted(abroad, FIRST)
    await take_back(abroad)
    await abroad.count()
    told = await words(abroad)
    for last, left in ((push(FIRST, 1), FIRST), (push(SECOND, 1), SECOND), (push(FIRST, -1), None)):
        await forget(abroad)
        await remember(abroad, last, told, together=together)
        found = await abroad.service.database.pool.fetch("select state, brought from imported_badge")
        assert [tuple(row) for row in found] == ([] if left is None else [("unclear", left)])
        assert await standing(abroad) == []


async def test_what_is_pushed_while_the_old_one_is_being_taken_out_is_not_lost(abroad: Abroad) -> None:
    event = await counted(abroad, FIRST)
    await take_back(abroad)
    await hear(abroad, event)  # told again, it changes nothing
    await hear(abroad, push(SECOND))
    assert await abroad.count() == 1
    assert await holding(abroad.service) == set()
    assert await abroad.look_again() == 1
    assert await abroad.count() == 1
    assert await holding(abroad.service) == {"stack"}
    assert await refusals(abroad) == []
    # What waits for one that counts goes with it; what is told again after, too.
    last = push(FIRST)
    await hear(abroad, last)
    await take_back(abroad)
    await hear(abroad, last)
    await abroad.count()
    assert await abroad.service.database.pool.fetchval("select count(*) from imported_badge") == 0


@pytest.mark.parametrize("together", [True, False])
async def test_one_taken_back_before_it_counted_stays_away(abroad: Abroad, together: bool) -> None:
    last = push(foreign())
    await hear(abroad, last)
    await abroad.look_again()
    await take_back(abroad)
    await abroad.count()
    assert await refusals(abroad) == [("unbound", False), ("taken-back", True)]
    told = await words(abroad)
    await forget(abroad)
    kept = "select count(*) from imported_badge"
    await remember(abroad, last, told, together=together)
    assert await abroad.service.database.pool.fetchval(kept) == 0
    # Pushed again since, it is there; and is told of as what it is.
    await remember(abroad, push(foreign(), 1), told, together=together)
    assert await abroad.service.database.pool.fetchval(kept) == 1
    await abroad.look_again()
    assert (await refusals(abroad))[-1] == ("unbound", False)
    ids = [one.event_id for one in await words(abroad) if one.event.type == ImportRefused.TYPE]
    assert len(set(ids)) == 3


def imported(achievement_id: str, revision: int, minutes: float) -> Received[Any]:
    """The word that Ada's badge of another institution counts."""
    told = BadgeImported(
        import_id=PUSH, learner_id="ada", issuer=DID, achievement=achievement_id, name="x", standard="Open Badges 3.0",
        digest=f"sha256:{revision:064}", revision=revision,
    )  # fmt: skip
    return _word(told, f"counts {revision}", minutes)


def withdrawn(event: Received[Any], minutes: float) -> Received[Any]:
    """The word that it does not any more."""
    told = ImportedBadgeWithdrawn(import_id=PUSH, learner_id="ada", supersedes=event.event_id, cause="suspended")
    return _word(told, f"withdrawn {event.event_id}", minutes)


def _word(told: Any, name: str, minutes: float) -> Received[Any]:
    event_id, at = uuid5(NAMESPACE, name), START + timedelta(minutes=minutes)
    envelope = Envelope(id=str(event_id), source="/x", type=told.TYPE, time=at, key=f"import:{PUSH}")
    return Received(envelope, told, told.TOPIC, 0, 0, event_id)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (0, 2, 1), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("together", [True, False])
async def test_what_was_withdrawn_stays_so_whatever_the_import_says_since(
    abroad: Abroad, together: bool, order: tuple[int, ...]
) -> None:
    """Of one that came to count again as a badge for something else, only the latter counts, in whatever order."""
    first, second = imported("https://prairie.example/old", 1, 1), imported(THEIRS, 2, 3)
    told = (first, withdrawn(first, 2), second)
    await remember(abroad, None, [told[place] for place in order], together=together)
    assert len(await standing(abroad)) == 2
    counts = await abroad.service.database.pool.fetch("select distinct event_id from fact where voided_by is null")
    assert [row["event_id"] for row in counts] == [second.event_id]
    row = await abroad.service.database.pool.fetchrow("select state, counted_by from imported_badge")
    assert tuple(row or ()) == ("counting", second.event_id)

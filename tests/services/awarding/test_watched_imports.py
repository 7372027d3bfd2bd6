"""Imported badges stay watched when awarding begins on an empty database, though no topic tells them (B12, B4, B6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts import BadgeImported, ImportedBadgeWithdrawn, ImportRefused, LearnerRegistered
from libs.common.credentials.model import StatusEntry
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import begin
from services.awarding import handlers
from tests.services.awarding.abroad import DOOR, EMAIL, LIST, Abroad, abroad, foreign, sandbox
from tests.services.awarding.support import erased, heard
from tests.services.awarding.test_pushes_again import remember, standing, words
from tests.services.awarding.test_states import changes, holding

__all__ = ["abroad", "sandbox"]
ENTRY = StatusEntry(LIST, 7)
WATCH = "select watch from imported_badge"


async def bring(abroad: Abroad, content: bytes | None = None) -> str:
    """Ada brings a badge with a place in the list, which counts; its id."""
    abroad.publish_list()
    answer = await abroad.bring(content or foreign(status=(ENTRY,)))
    assert answer.status_code == 202, answer.text
    await abroad.count()
    assert await holding(abroad.service) == {"stack"}
    return answer.json()["import_id"]


async def lose(abroad: Abroad) -> list[Received[Any]]:
    """What is known of imports is lost; answers what was told of them."""
    told = await words(abroad)
    for table in ("fact", "voided", "imported_badge"):
        await abroad.service.database.pool.execute(f"delete from {table}")
    return told


async def row(abroad: Abroad, names: str) -> tuple[Any, ...]:
    """Columns of the one import that there is."""
    (found,) = await abroad.service.database.pool.fetch(f"select {names} from imported_badge")
    return tuple(found)


@pytest.mark.parametrize("together", [True, False])
async def test_one_that_was_revoked_meanwhile_is_withdrawn(abroad: Abroad, together: bool) -> None:
    import_id = await bring(abroad)
    told = await lose(abroad)
    abroad.publish_list(7)
    await remember(abroad, None, told, together=together)
    assert await row(abroad, "state, brought") == ("counting", None)
    assert await abroad.look_again() == 1
    assert await row(abroad, "state, cause, next_check_at") == ("lost", "revoked", None)
    assert await standing(abroad) == []
    assert await changes(abroad.service) == [("stack", "suspended")]
    (word,) = await abroad.told(ImportedBadgeWithdrawn)
    assert (str(word.import_id), word.cause, word.supersedes) == (import_id, "revoked", told[0].event_id)
    # The same word, heard by another fresh database: nobody asks about it any more.
    await remember(abroad, None, await lose(abroad), together=together)
    assert await row(abroad, "state, next_check_at") == ("lost", None)
    assert await abroad.look_again(days=400) == 0


async def test_it_is_watched_on_and_what_cannot_be_reached_changes_nothing(abroad: Abroad) -> None:
    await bring(abroad)
    await remember(abroad, None, await lose(abroad), together=True)
    hidden = dict(abroad.world.folders)
    abroad.world.folders.clear()
    assert await abroad.look_again() == 1
    assert await abroad.look_again() == 0
    abroad.world.folders.update(hidden)
    assert await abroad.look_again(days=1.5) == 1
    assert await holding(abroad.service) == {"stack"}
    # Who wants it now asks at the door.
    (import_id,) = await row(abroad, "import_id")
    asked = await abroad.client.post(f"{DOOR}/{import_id}/check", headers=abroad.own())
    assert asked.status_code == 202
    abroad.publish_list(7)
    assert await abroad.look_again() == 1
    assert await holding(abroad.service) == set()


async def test_a_suspension_that_ends_brings_it_back_and_it_is_told_how_to_watch_it(abroad: Abroad) -> None:
    entries = (replace(ENTRY, purpose="suspension"),)
    abroad.publish_list(purpose="suspension")
    answer = await abroad.bring(foreign(status=entries))
    assert answer.status_code == 202, answer.text
    await abroad.count()
    await remember(abroad, None, await lose(abroad), together=True)
    abroad.publish_list(7, purpose="suspension")
    assert await abroad.look_again() == 1
    assert await row(abroad, "state, cause") == ("lost", "suspended")
    abroad.publish_list(purpose="suspension")
    assert await abroad.look_again(days=1.5) == 1
    first, second = await abroad.told(BadgeImported)
    assert (second.revision, second.watch) == (2, first.watch)
    assert await holding(abroad.service) == {"stack"}


async def test_nobody_else_reads_what_is_told(abroad: Abroad) -> None:
    await bring(abroad)
    (told,) = await abroad.told(BadgeImported)
    text = told.model_dump_json()
    assert LIST not in text
    assert "credentialStatus" not in text
    other = replace_pepper(abroad)
    forged = [one._replace(content=told.model_copy(update={"import_id": UUID(int=5)})) for one in await words(abroad)]
    await lose(abroad)
    async with begin(abroad.service.database) as work:
        await handlers.on_badge_imported(other, work, forged)
    assert await row(abroad, "watch, next_check_at") == (None, None)


def replace_pepper(abroad: Abroad) -> handlers.Office:
    """The office of another deployment."""
    office = abroad.service.office.remembering()
    office.watch_secret = bytes(64)
    return office


async def test_of_a_badge_whose_issuer_keeps_no_list_only_its_end_is_watched(abroad: Abroad) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)
    await bring(abroad, foreign(valid_until=until))
    assert (await row(abroad, "watch")) == (b"{}",)
    await remember(abroad, None, await lose(abroad), together=True)
    assert await row(abroad, "watch, next_check_at") == (b"{}", until)
    assert await abroad.look_again(days=11) == 1
    assert await row(abroad, "state, cause") == ("lost", "expired")


async def test_what_was_told_before_is_told_once_more_by_the_same_event(abroad: Abroad) -> None:
    await bring(abroad)
    pool = abroad.service.database.pool
    (first,) = await words(abroad)
    trace = f"00-{'1' * 32}-{'2' * 16}-01"
    await pool.execute("update fact set traceparent = $1", trace)
    await pool.execute("update imported_badge set watch = null")
    await pool.execute("delete from outbox")
    assert await abroad.look_again(days=1.5) == 1
    assert await abroad.look_again(days=1.5) == 1
    (again,) = await words(abroad)
    assert (again.event_id, again.event.time) == (first.event_id, first.event.time)
    assert await pool.fetchval("select traceparent from outbox") == trace
    assert again.content == first.content
    # A fresh database hears it as it was told first, and then with the watch.
    bare = first._replace(content=again.content.model_copy(update={"watch": None}))
    for together in (True, False):
        await lose(abroad)
        await remember(abroad, None, [bare, again], together=together)
        abroad.publish_list(7)
        assert len(await standing(abroad)) == 2
        assert await row(abroad, "watch is not null, next_check_at <= now()") == (True, True)
    await lose(abroad)
    await remember(abroad, None, [bare], together=True)
    assert await row(abroad, "watch, next_check_at") == (None, None)


async def test_what_was_taken_back_is_not_watched_and_not_there(abroad: Abroad) -> None:
    first = await bring(abroad)
    assert (await abroad.client.delete(f"{DOOR}/{first}", headers=abroad.own())).status_code == 204
    await abroad.count()
    await remember(abroad, None, await lose(abroad), together=False)
    assert await abroad.service.database.pool.fetch(WATCH) == []


@pytest.mark.parametrize("together", [True, False])
async def test_one_that_was_lost_and_then_taken_back_does_not_come_back(abroad: Abroad, together: bool) -> None:
    first = await bring(abroad)
    abroad.publish_list(7)
    await abroad.look_again(days=1.5)
    assert (await abroad.client.delete(f"{DOOR}/{first}", headers=abroad.own())).status_code == 204
    await abroad.count()
    (word,) = await abroad.told(ImportRefused)
    assert (str(word.import_id), word.cause, word.is_final) == (first, "taken-back", True)
    await remember(abroad, None, await lose(abroad), together=together)
    assert await abroad.service.database.pool.fetch(WATCH) == []


async def test_what_never_counted_is_taken_back_without_a_word(abroad: Abroad) -> None:
    hidden = dict(abroad.world.folders)
    abroad.world.folders.clear()
    first = (await abroad.bring(foreign())).json()["import_id"]
    assert (await abroad.client.delete(f"{DOOR}/{first}", headers=abroad.own())).status_code == 204
    await abroad.count()
    abroad.world.folders.update(hidden)
    assert await words(abroad) == []


async def test_of_who_is_erased_nothing_is_watched(abroad: Abroad) -> None:
    await bring(abroad)
    told, service = await lose(abroad), abroad.service
    await service.hear(erased("ada"))
    await remember(abroad, None, told, together=True)
    assert await service.database.pool.fetch(WATCH) == []
    # Somebody is registered under the same id since: what was brought before is not theirs.
    ada = LearnerRegistered(learner_id="ada", email=EMAIL, registered_at=datetime.now(UTC))
    await service.hear(heard(ada, "ada", "register ada again", datetime.now(UTC)))
    await remember(abroad, None, told, together=True)
    assert await row(abroad, "watch, next_check_at") == (None, None)
    await service.hear(erased("ada"))
    # The tombstone may be gone from the topic.
    await service.database.pool.execute("delete from learner where learner_id = 'ada'")
    await remember(abroad, None, told, together=True)
    assert await row(abroad, "watch, next_check_at") == (None, None)
    await service.hear(heard(ada, "ada", "register ada once more", datetime.now(UTC)), erased("ada"))
    assert await service.database.pool.fetch(WATCH) == []

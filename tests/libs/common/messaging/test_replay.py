"""Dead letters are resent or discarded on request; what waits behind one follows in order (B9)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from libs.common.contracts.progress import ActivityCompleted
from libs.common.messaging.dead_letters import (
    OPEN,
    delivery_backlog,
    list_dead_letters,
    request_discard,
    request_resend,
    show_dead_letter,
)
from libs.common.messaging.delivery import Delivery, Hears, Received
from libs.common.messaging.faults import SLOW
from libs.common.messaging.replay import Replay
from libs.common.messaging.work import Work
from libs.common.postgres.database import Database
from tests.libs.common.messaging.records import TOPIC, record, tally


class Handler:
    """The tally, with what is poisonous decided from outside, as if a bug were mended."""

    def __init__(self) -> None:
        self.poisonous = {"bad"}

    async def __call__(self, work: Work, received: Sequence[Received[Any]]) -> None:
        for one in received:
            if one.content.activity_id in self.poisonous:
                raise RuntimeError(f"{one.content.activity_id} is not understood")
        await tally(work, received)


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def delivery(database: Database, handler: Handler) -> Delivery:
    return Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, handler, ordered=True)])


async def tallied(database: Database) -> list[str]:
    return [row["activity_id"] for row in await database.pool.fetch("select * from tally order by number")]


async def resend(database: Database, dead_letter_id: int = 1) -> bool:
    async with database.transaction() as connection:
        return await request_resend(connection, dead_letter_id, by="ops", reason="the bug is mended")


async def settle(delivery: Delivery) -> None:
    replay = Replay(delivery)
    while await replay.step():
        pass


async def settle_patiently(delivery: Delivery) -> None:
    """As the worker does: what takes too long is tried again."""
    replay, is_more = Replay(delivery), True
    while is_more:
        try:
            is_more = await replay.step()
        except TimeoutError:
            continue


async def state_of(database: Database, dead_letter_id: int = 1) -> str:
    async with database.transaction() as connection:
        content = await show_dead_letter(connection, dead_letter_id)
    assert content is not None
    return content.letter.state


async def test_later_events_of_a_key_wait_and_follow_in_order(
    database: Database, delivery: Delivery, handler: Handler
) -> None:
    first = await delivery.handle(
        [record(0, "a1"), record(1, "bad"), record(2, "b1", learner_id="bob"), record(3, "a2"), record(4, "a3")]
    )
    assert (first.handled, first.dead_lettered, first.parked) == (2, 1, 2)
    second = await delivery.handle([record(5, "a4"), record(6, "b2", learner_id="bob")])
    assert (second.handled, second.parked) == (1, 1)
    assert await tallied(database) == ["a1", "b1", "b2"]
    async with database.transaction() as connection:
        backlog = await delivery_backlog(connection)
    assert (backlog.open_dead_letters, backlog.parked_keys, backlog.parked_events) == (1, 1, 3)

    handler.poisonous.clear()
    assert await resend(database)
    await settle(delivery)
    assert await tallied(database) == ["a1", "b1", "b2", "bad", "a2", "a3", "a4"]
    assert await state_of(database) == "handled"
    third = await delivery.handle([record(7, "a5")])
    assert (third.handled, third.parked) == (1, 0)
    assert await database.pool.fetchval("select count(*) from outbox where topic = 'told'") == 8


async def test_who_asked_and_why_is_kept(database: Database, delivery: Delivery, handler: Handler) -> None:
    await delivery.handle([record(0, "bad")])
    await resend(database)
    await settle(delivery)
    handler.poisonous.clear()
    await resend(database)
    await settle(delivery)
    async with database.transaction() as connection:
        content = await show_dead_letter(connection, 1)
    assert content is not None
    assert [(entry.action, entry.by) for entry in content.audit] == [
        ("dead-lettered", "worker of tests"), ("resend requested", "ops"), ("failed again", "worker of tests"),
        ("resend requested", "ops"), ("handled", "worker of tests"),
    ]  # fmt: skip
    assert content.audit[1].reason == "the bug is mended"


async def test_what_fails_again_waits_again_with_its_new_reason(
    database: Database, delivery: Delivery, handler: Handler
) -> None:
    await delivery.handle([record(0, "bad"), record(1, "a1")])
    async with database.transaction() as connection:
        [before] = await list_dead_letters(connection)
    await resend(database)
    await settle(delivery)
    async with database.transaction() as connection:
        [after] = await list_dead_letters(connection)
    assert (after.state, after.attempts) == ("waiting", before.attempts + 1)
    assert await tallied(database) == []


async def test_a_discarded_letter_releases_what_waits(database: Database, delivery: Delivery) -> None:
    await delivery.handle([record(0, "bad"), record(1, "a1")])
    async with database.transaction() as connection:
        assert await request_discard(connection, 1, by="ops", reason="sent in error")
    await settle(delivery)
    assert await tallied(database) == ["a1"]
    assert await state_of(database) == "discarded"


async def test_a_parked_event_that_fails_becomes_the_new_reason_to_wait(
    database: Database, delivery: Delivery, handler: Handler
) -> None:
    handler.poisonous = {"bad", "worse"}
    await delivery.handle([record(0, "bad"), record(1, "a1"), record(2, "worse"), record(3, "a2")])
    handler.poisonous = {"worse"}
    await resend(database)
    await settle(delivery)
    assert await tallied(database) == ["bad", "a1"]
    assert await state_of(database, 2) == "waiting"
    outcome = await delivery.handle([record(4, "a3")])
    assert outcome.parked == 1
    handler.poisonous = set()
    await resend(database, 2)
    await settle(delivery)
    assert await tallied(database) == ["bad", "a1", "worse", "a2", "a3"]


async def test_only_what_waits_can_be_asked_for(database: Database, delivery: Delivery) -> None:
    await delivery.handle([record(0, "bad")])
    assert not await resend(database, 99)
    assert await resend(database)
    assert not await resend(database)


async def test_an_unknown_type_can_be_resent_to_a_worker_that_knows_it(database: Database, handler: Handler) -> None:
    older = Delivery(database, service="tests", hears=[Hears("other", ActivityCompleted, handler)])
    await older.handle([record(0, "a1"), record(1, "a2")])
    newer = Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, handler)])
    await resend(database, 1)
    await settle(newer)
    assert await tallied(database) == ["a1"]
    assert [await state_of(database, number) for number in (1, 2)] == ["handled", "waiting"]


async def test_a_parked_event_that_an_older_worker_cannot_read_is_not_taken_for_a_duplicate(
    database: Database, delivery: Delivery, handler: Handler
) -> None:
    """An event is parked; an older worker releases it and does not know its type; a newer one is asked to resend it."""
    await delivery.handle([record(0, "bad"), record(1, "after")])
    handler.poisonous.clear()
    older = Delivery(database, service="tests", hears=[Hears("other", ActivityCompleted, handler)])
    async with database.transaction() as connection:
        await connection.execute("update dead_letter set state = 'handled' where id = 1")
    await settle(older)
    assert await state_of(database, 2) == "waiting"
    await resend(database, 2)
    await settle(delivery)
    assert await tallied(database) == ["after"]
    assert await state_of(database, 2) == "handled"


async def test_a_letter_that_fails_again_at_an_older_worker_is_not_taken_for_a_duplicate(
    database: Database, delivery: Delivery, handler: Handler
) -> None:
    await delivery.handle([record(0, "bad")])
    handler.poisonous.clear()
    await resend(database)
    await settle(Delivery(database, service="tests", hears=[Hears("other", ActivityCompleted, handler)]))
    assert await state_of(database) == "waiting"
    await resend(database)
    await settle(delivery)
    assert await tallied(database) == ["bad"]


async def test_an_event_handled_meanwhile_is_not_handled_twice(database: Database, delivery: Delivery) -> None:
    """A sender mends a malformed event and sends it again under its id; later its dead letter is resent."""
    same = str(uuid4())
    older = Delivery(database, service="tests", hears=[Hears("other", ActivityCompleted, tally)])
    await older.handle([record(0, "a1", event_id=same)])
    await delivery.handle([record(1, "a1", event_id=same)])
    await resend(database)
    await settle(delivery)
    assert await tallied(database) == ["a1"]
    assert await state_of(database) == "handled"


async def test_many_parked_events_are_released_in_order_beside_new_ones(
    database: Database, delivery: Delivery, handler: Handler
) -> None:
    await delivery.handle([record(0, "bad"), *(record(n, f"{n}") for n in range(1, 1201))])
    handler.poisonous.clear()
    await resend(database)

    async def more() -> None:
        for n in range(1201, 1301):
            await delivery.handle([record(n, f"{n}")])

    await asyncio.gather(settle(delivery), more())
    await settle(delivery)
    assert await tallied(database) == ["bad", *(f"{n}" for n in range(1, 1301))]
    assert await database.pool.fetchval("select count(*) from parked_key") == 0


async def test_what_takes_too_long_waits_again_and_holds_up_no_other_letter(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.common.postgres.database.STATEMENT_TIMEOUT_SECONDS", 0.4)
    database, failing, endless = await Database.connect(dsn, application_name="slow"), {"bad", "worse"}, {"bad", "next"}

    async def handle(work: Work, received: Sequence[Received[Any]]) -> None:
        ids = {one.content.activity_id for one in received}
        if ids & failing:
            raise RuntimeError("not understood")
        if ids & endless:
            await work.connection.execute("select pg_sleep(30)")
        await tally(work, received)

    delivery = Delivery(database, service="tests", hears=[Hears(TOPIC, ActivityCompleted, handle, ordered=True)])
    try:
        await delivery.handle([record(0, "bad", learner_id="a"), record(1, "worse", learner_id="b"),
                               record(2, "next", learner_id="b"),
                               record(3, "last", learner_id="b")])  # fmt: skip
        failing.clear()
        assert await resend(database, 1)
        assert await resend(database, 2)
        await settle_patiently(delivery)
        async with database.transaction() as connection:
            letters = await list_dead_letters(connection, states=None)
        assert [(letter.state, letter.reason) for letter in letters] == [
            ("waiting", SLOW), ("handled", "RuntimeError: not understood"), ("waiting", SLOW),
        ]  # fmt: skip
        assert await tallied(database) == ["worse"]
        endless.clear()
        assert await resend(database, 3)
        await settle_patiently(delivery)
        assert await tallied(database) == ["worse", "next", "last"]
    finally:
        await database.close()


async def test_letters_are_listed_by_state_and_page(database: Database, delivery: Delivery) -> None:
    await delivery.handle([record(n, value=b"{}") for n in range(5)])
    async with database.transaction() as connection:
        await request_resend(connection, 2, by="ops", reason="try")
        assert [letter.id for letter in await list_dead_letters(connection, limit=2)] == [1, 2]
        assert [letter.id for letter in await list_dead_letters(connection, after_id=2)] == [3, 4, 5]
        assert [letter.id for letter in await list_dead_letters(connection, states=["resend"])] == [2]
        assert len(await list_dead_letters(connection, states=None)) == len(OPEN) + 2
        assert await show_dead_letter(connection, 99) is None

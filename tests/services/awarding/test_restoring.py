"""A fresh database remembers what awarding told: the same badges, to the byte, in the same states (B2, B8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid5

import pytest

from libs.common.contracts import CONTRACTS, ActDone, BadgeIssued, KeyPublished
from libs.common.contracts.topics import BADGE_ISSUED
from libs.common.messaging.hearing import Hears, Received
from libs.common.messaging.work import begin
from services.awarding import handlers
from services.awarding.handlers.restoring import NotAsSigned
from services.awarding.model import Act, ActKind
from services.awarding.worker import plan
from services.awarding.worker.memory import remembers
from tests.services.awarding.support import (
    ISSUER,
    NAMESPACE,
    Event,
    Service,
    achievement,
    all_of,
    any_of,
    at,
    badge,
    completed,
    day,
    done,
    erased,
    heard,
    office,
    passed,
    published,
    registered,
    scored,
    voided,
)

CATALOGUE = (
    ISSUER,
    achievement("part", passed("x")),
    achievement("other", done("y")),
    achievement("hard", passed("x"), on_loss="revoke"),
    achievement("stack", all_of(badge("part"), badge("other"))),
    achievement("path", any_of(badge("stack"), done("z"))),
    achievement("brief", done("brief"), valid_for_days=1),
    achievement("briefed", badge("brief")),
)
FIRST, SECOND = scored("ada", "x", "80", 1), scored("cleo", "x", "70", 2)
STORY = (
    FIRST, SECOND, completed("ada", "y", 3), completed("cleo", "y", 4), voided(FIRST, 5), scored("ada", "x", "90", 6),
    voided(SECOND, 7), completed("ben", "y", 8), completed("dan", "y", 9), completed("eve", "y", 10),
)  # fmt: skip
BADGES = (
    "select badge_id, learner_id, achievement_id, version, cycle, issuer_id, valid_from, valid_until, credential,"
    " open_badge_2, digest, evidence_events, evidence_badges, trigger_event_id, trigger_traceparent, traceparent,"
    " is_grounded, awarded_at, is_expired, state, by_hand, is_over, told_at from badge order by badge_id"
)
CHANGES = "select event_id, badge_id, state, reason, cause_id, told_at from badge_change order by badge_id, told_at"
KEYS = "select * from signing_key"


@pytest.fixture
async def fresh(service: Service, database_dsn: str) -> AsyncIterator[Service]:
    """Awarding on a database that is empty."""
    started = await Service.start(f"{database_dsn}_fresh")
    yield started
    await started.database.close()
    await service.database.pool.execute(f'drop database "{database_dsn.rpartition("/")[2]}_fresh" with (force)')


async def act(service: Service, kind: ActKind, learner: str, name: str, minutes: float) -> None:
    """A person's act is asked for and carried out."""
    badge_id = None
    if kind != "award":
        badge_id = await service.database.pool.fetchval(
            "select badge_id from badge where learner_id = $1 and achievement_id = $2 order by cycle desc limit 1",
            learner, name,
        )  # fmt: skip
    act_id = uuid5(NAMESPACE, f"{kind} {learner} {name}")
    evidence = "Minutes of 3 March (https://board.example/3)."
    asked = Act(act_id, kind, learner, name, badge_id, "Reviewed.", evidence, "dr-gray", at(minutes))
    async with begin(service.database) as work:
        await handlers.record_act(work, asked)
    async with begin(service.database) as work:
        assert await handlers.complete_acts(service.office, work, most=10) == 1


async def story(service: Service, *, publish: bool = True) -> None:
    """Awards, losses that cascade, what came back, and what people decided."""
    if publish:
        await service.hear(*published(*CATALOGUE), *registered("ada", "ben", "cleo", "dan", "eve"))
    await service.hear_each(STORY)
    await act(service, "award", "ben", "part", 20)
    await act(service, "suspend", "cleo", "part", 21)  # which is suspended for want of facts already
    await act(service, "revoke", "dan", "other", 22)
    await act(service, "award", "dan", "other", 23)  # the next cycle
    await act(service, "suspend", "ben", "other", 24)
    await act(service, "reinstate", "ben", "other", 25)


async def told(service: Service) -> list[Event]:
    """What awarding told, as its topic holds it."""
    rows = await service.database.pool.fetch("select * from outbox order by id")
    by_type = {contract.TYPE: contract for contract in CONTRACTS}
    return [_received(row, by_type[row["type"]]) for row in rows]


def _received(row: Any, contract: Any) -> Event:
    event = heard(contract.model_validate_json(row["value"]), row["key"].decode(), "told", row["time"])
    envelope = event.event._replace(id=str(row["event_id"]), type=row["type"], traceparent=row["traceparent"])
    return Received(envelope, event.content, row["topic"], 0, 0, UUID(str(row["event_id"])))


async def read(service: Service, rows: Sequence[Hears], events: Sequence[Event]) -> None:
    """Give events to the handlers of a pass, each in a batch of its own."""
    by_type = {row.contract.TYPE: row.handle for row in rows}
    for event in events:
        async with begin(service.database) as work:
            await by_type[event.event.type](work, [event])


async def restored(fresh: Service, own: Sequence[Event], facts: Sequence[Event] = STORY) -> None:
    """Make a database from the topics, then look at everybody as the worker does."""
    made = plan(fresh.office)
    compacted, remembered, rest = made.passes
    await read(fresh, compacted, [*published(*CATALOGUE), *registered("ada", "ben", "cleo", "dan", "eve")])
    await read(fresh, remembered, own)
    await read(fresh, rest, facts)
    async with begin(fresh.database) as work:
        await made.finish(work)
    await looked_at(fresh)


async def looked_at(fresh: Service) -> None:
    """Have the worker's side steps done."""
    await fresh.recheck()
    while True:
        async with begin(fresh.database) as work:
            if not await handlers.evaluate_restored(fresh.office, work, most=2):
                return


async def everything(service: Service) -> list[list[tuple[Any, ...]]]:
    """All that is to be the same."""
    return [[tuple(row) for row in await service.database.pool.fetch(query)] for query in (BADGES, CHANGES, KEYS)]


def test_every_contract_of_its_own_topic_is_remembered_or_passed_over() -> None:
    remembered = {row.contract for row in remembers(office())}
    assert remembered == {told for told in CONTRACTS if told.TOPIC == BADGE_ISSUED}


async def test_badges_states_and_decisions_are_the_same(service: Service, fresh: Service) -> None:
    await story(service)
    before, own = await everything(service), await told(service)
    assert len(before[0]) > 8
    assert {event.event.type for event in own} >= {BadgeIssued.TYPE, KeyPublished.TYPE, ActDone.TYPE}
    await restored(fresh, own)
    assert await everything(fresh) == before
    # Nothing of it is told again.
    assert await fresh.database.pool.fetchval("select count(*) from outbox") == 0


async def test_it_goes_on_as_if_nothing_had_been(service: Service, fresh: Service) -> None:
    await story(service)
    await restored(fresh, await told(service))
    more = [scored("cleo", "x", "75", 30), completed("eve", "z", 31), scored("dan", "x", "80", 32)]
    told_before = await service.database.pool.fetchval("select max(id) from outbox")
    for awarding in (service, fresh):
        await awarding.hear_each(more)
        await act(awarding, "reinstate", "cleo", "part", 33)
    ids = "select event_id, value from outbox where id > $1 order by event_id"
    new = await service.database.pool.fetch(ids, told_before)
    again = await fresh.database.pool.fetch(ids, 0)
    assert [row["event_id"] for row in again] == [row["event_id"] for row in new]
    assert [row["badge_id"] for row in await fresh.database.pool.fetch(BADGES)] == [
        row["badge_id"] for row in await service.database.pool.fetch(BADGES)
    ]


async def test_what_was_due_and_not_told_is_found(service: Service, fresh: Service) -> None:
    """The database was lost before it had told all that it decided."""
    await service.hear(*published(*CATALOGUE), *registered("ada", "ben", "cleo", "dan", "eve"))
    await service.hear_each(STORY[:4])
    own = await told(service)
    await service.hear_each(STORY[4:])
    await restored(fresh, own)
    # What was never told is awarded anew, at another place of the status list.
    kept = "select learner_id, achievement_id, cycle, valid_from, state from badge order by 1, 2, 3"
    assert await fresh.database.pool.fetch(kept) == await service.database.pool.fetch(kept)
    assert await fresh.database.pool.fetchval("select count(*) from outbox") > 0


async def test_restoring_may_begin_again_at_any_point(service: Service, fresh: Service) -> None:
    await story(service)
    before, own = await everything(service), await told(service)
    compacted, remembered, rest = plan(fresh.office).passes
    await read(fresh, compacted, [*published(*CATALOGUE), *registered("ada", "ben", "cleo", "dan", "eve")])
    await read(fresh, remembered, own[: len(own) // 2])
    await read(fresh, rest, STORY[:3])
    await restored(fresh, own)
    assert await everything(fresh) == before


async def test_what_has_expired_is_not_told_again(service: Service, fresh: Service) -> None:
    facts = [completed("ada", "brief", 1)]
    await service.hear(*published(*CATALOGUE), *registered("ada", "ben", "cleo", "dan", "eve"))
    await service.hear_each(facts)
    assert await service.expire(day(3)) == 1
    before, own = await everything(service), await told(service)
    await restored(fresh, own, facts)
    assert await everything(fresh) == before
    assert await fresh.expire(day(3)) == 0
    assert await fresh.database.pool.fetchval("select count(*) from outbox") == 0


async def test_an_erased_learner_stays_erased(service: Service, fresh: Service) -> None:
    await story(service)
    await service.hear(erased("ada"))
    compacted, remembered, rest = plan(fresh.office).passes
    people = registered("ben", "cleo", "dan", "eve")
    await read(fresh, compacted, [*published(*CATALOGUE), *people, erased("ada")])
    await read(fresh, remembered, await told(service))
    await read(fresh, rest, STORY)
    async with begin(fresh.database) as work:
        await handlers.complete_restoring(fresh.office, work)
    await looked_at(fresh)
    # The trace of the event that completed a badge went with the event.
    await service.database.pool.execute("update badge set trigger_traceparent = null where learner_id = 'ada'")
    assert await everything(fresh) == await everything(service)
    assert await fresh.database.pool.fetchval("select count(*) from fact where learner_id = 'ada'") == 0


async def test_bytes_that_are_not_those_of_their_digest_are_refused(service: Service, fresh: Service) -> None:
    await story(service)
    issued = next(event for event in await told(service) if isinstance(event.content, BadgeIssued))
    planted = issued.content.model_copy(update={"credential": issued.content.credential.replace("2", "3", 1)})
    with pytest.raises(NotAsSigned, match="expected bytes with the digest"):
        await read(fresh, plan(fresh.office).passes[1], [issued._replace(content=planted)])

"""Each change that is told has an id of its own, which a replay makes again (B2, B4)."""

from __future__ import annotations

from libs.common.messaging.work import begin
from services.awarding.handlers.states import evaluate_badges
from services.awarding.model import Cause
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    at,
    event_id,
    passed,
    published,
    registered,
    scored,
)


async def test_one_cause_may_bring_a_badge_to_the_same_state_twice(service: Service) -> None:
    """A rebuilt database looks at a learner in the name of the last event, whatever changed since it last did."""
    await service.hear(*published(ISSUER, achievement("a", passed("x"))), *registered("ada"))
    await service.hear(scored("ada", "x", "80", 1))
    cause = Cause(event_id("cause"), at(5), None)
    for counts in (False, True, False):
        await service.database.pool.execute("update fact set voided_by = $1", None if counts else event_id("void"))
        async with begin(service.database) as work:
            catalogue = await service.office.catalogue(work.connection)
            await evaluate_badges(service.office, work, catalogue, {"ada": cause})
    rows = await service.database.pool.fetch("select event_id, state, told_at from badge_change order by place")
    assert [row["state"] for row in rows] == [1, 0, 1]
    assert len({row["event_id"] for row in rows}) == 3
    assert [row["told_at"] for row in rows] == sorted({row["told_at"] for row in rows})
    told = await service.database.pool.fetch("select event_id from outbox where type <> 'cairn.badge-issued.v1'")
    assert {row["event_id"] for row in told} >= {row["event_id"] for row in rows}

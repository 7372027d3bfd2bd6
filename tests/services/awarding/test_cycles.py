"""Badges end and are renewed: what is told, what stands on them, and what the next cycle asks; on a real database."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from libs.common.contracts import BadgeExpired
from libs.common.credentials.identifiers import badge_id
from services.awarding.model import Act
from services.awarding.rules.acts import decide_act
from services.awarding.rules.catalogue import Achievement
from services.awarding.store import badges as badge_store
from services.awarding.worker import work_off_expiry
from tests.services.awarding.support import (
    ISSUER,
    NAMESPACE,
    Service,
    achievement,
    all_of,
    any_of,
    at,
    badge,
    completed,
    credits_from,
    day,
    done,
    passed,
    published,
    registered,
    scored,
    voided,
)

YEAR = 365
AID = achievement("aid", passed("test"), valid_for_days=YEAR, credits="5")


async def start(service: Service, *more: Any) -> None:
    """First aid for a year, what stands on it, and Ada."""
    await service.hear(*published(ISSUER, AID, *more), *registered("ada", "ben"))


async def holding(service: Service, learner: str = "ada") -> set[str]:
    """The achievements of which the learner holds a badge that has not expired."""
    rows = await service.database.pool.fetch(
        "select achievement_id from badge where learner_id = $1 and state = 0 and not is_expired", learner
    )
    return {row["achievement_id"] for row in rows}


async def told_after_issue(service: Service) -> list[tuple[str, str]]:
    """What was told of badges after their issue: (achievement, what), in the order in which it is told."""
    rows = await service.database.pool.fetch(
        "select type, achievement_id, event_id from outbox join badge on convert_to(badge_id::text, 'UTF8') = key"
        " where type <> 'cairn.badge-issued.v1' order by id"
    )
    assert len({row["event_id"] for row in rows}) == len(rows)
    return [(row["achievement_id"], row["type"].removeprefix("cairn.badge-").removesuffix(".v1")) for row in rows]


async def test_a_badge_ends_and_says_when(service: Service) -> None:
    await start(service)
    await service.hear(scored("ada", "test", "80", day(1)))
    (issued,) = await service.told()
    ends = at(day(1 + YEAR))
    assert (issued.valid_from, issued.valid_until) == (at(day(1)), ends)
    assert orjson.loads(issued.credential)["validUntil"] == ends.isoformat().replace("+00:00", "Z")
    assert orjson.loads(issued.open_badge_2)["expires"] == ends.isoformat().replace("+00:00", "Z")
    # Valid up to and including its last instant (VC Data Model 2.0, section 4.9).
    assert await service.expire(day(1 + YEAR)) == 0
    assert await service.expire(day(1 + YEAR) + 1) == 1
    assert await service.expire(day(1 + YEAR) + 2) == 0
    row = await service.database.pool.fetchrow("select * from outbox where type = $1", BadgeExpired.TYPE)
    assert row is not None
    expired = BadgeExpired.model_validate_json(row["value"])
    assert (expired.badge_id, expired.learner_id, expired.expired_at) == (issued.badge_id, "ada", ends)
    # Told as of when it ended, in the trace of the badge: not of when it was noticed.
    assert row["time"] == ends
    assert row["traceparent"] is not None


async def test_what_stands_on_it_is_suspended_and_a_renewal_brings_it_back(service: Service) -> None:
    await start(
        service,
        achievement("ranger", all_of(badge("aid"), done("walk"))),
        achievement("either", any_of(badge("aid"), done("talk"))),
        achievement("kept", badge("aid"), on_loss="keep"),
        achievement("taken", badge("aid"), on_loss="revoke"),
        achievement("chief", badge("ranger"), on_loss="revoke"),
        achievement("points", credits_from("5", "aid")),
    )
    everything = {"aid", "ranger", "either", "kept", "taken", "chief", "points"}
    await service.hear(scored("ada", "test", "80", 0), completed("ada", "walk", 1), completed("ada", "talk", 2))
    assert await holding(service) == everything
    await service.expire(day(YEAR + 30))
    assert await holding(service) == {"either", "kept"}
    # An end may be undone by a renewal, so it revokes nothing.
    assert await told_after_issue(service) == [
        ("aid", "expired"), *((name, "suspended") for name in ("points", "ranger", "taken", "chief")),
    ]  # fmt: skip
    ended = at(day(YEAR))
    rows = await service.database.pool.fetch("select told_at, cause_id from badge_change")
    assert {row["told_at"] for row in rows} == {ended}
    await service.hear(scored("ada", "test", "90", day(YEAR + 40)))
    assert await holding(service) == everything
    assert [(issued.achievement_id, issued.cycle) for issued in await service.told()][-1] == ("aid", 1)
    assert len(await service.told()) == len(everything) + 1


async def test_a_renewal_in_time_leaves_no_gap_and_loses_no_time(service: Service) -> None:
    await start(service, achievement("stack", badge("aid")))
    await service.hear(scored("ada", "test", "80", 0))
    # Too early: 90 days before the end renewal opens.
    await service.hear(scored("ada", "test", "85", day(YEAR - 91)))
    assert len(await service.told()) == 2
    await service.hear(scored("ada", "test", "90", day(YEAR - 30)))
    first, _, second = await service.told()
    assert (second.achievement_id, second.cycle) == ("aid", 1)
    assert (second.valid_from, second.valid_until) == (at(day(YEAR - 30)), at(day(2 * YEAR)))
    assert second.badge_id == badge_id(NAMESPACE, "ada", "aid", "1", 1) != first.badge_id
    # Again in the same window earns nothing more.
    await service.hear(scored("ada", "test", "95", day(YEAR - 20)))
    await service.expire(day(YEAR + 1))
    assert await holding(service) == {"aid", "stack"}
    assert await told_after_issue(service) == [("aid", "expired")]
    # Late, it begins anew, and the gap is seen.
    await service.expire(day(2 * YEAR + 100))
    assert await holding(service) == set()
    await service.hear(scored("ada", "test", "70", day(2 * YEAR + 50)))
    third = (await service.told())[-1]
    assert (third.cycle, third.valid_until) == (2, at(day(3 * YEAR + 50)))
    assert await holding(service) == {"aid", "stack"}


async def test_the_whole_history_at_once_ends_the_same(service: Service) -> None:
    """Replayed years later, each badge is issued as it was, and has ended."""
    await start(service, achievement("stack", all_of(badge("aid"), done("walk"))))
    story = [
        scored("ada", "test", "80", 0),
        completed("ada", "walk", 10),
        scored("ada", "test", "90", day(YEAR - 30)),
        scored("ada", "test", "70", day(2 * YEAR + 50)),
    ]
    await service.hear(*story)
    live = {issued.badge_id: issued.credential for issued in await service.told()}
    assert len(live) == 4
    await service.expire(day(2 * YEAR + 1))
    assert await holding(service) == {"aid", "stack"}
    assert (await told_after_issue(service))[:2] == [("aid", "expired"), ("aid", "expired")]
    await service.expire(day(9 * YEAR))
    assert await holding(service) == set()


async def test_a_badge_that_had_ended_counts_for_what_was_earned_while_it_was_valid(service: Service) -> None:
    """The fact that completes the stack is heard after the end of the badge, and occurred before it."""
    await start(service, achievement("stack", all_of(badge("aid"), done("walk"))), achievement(
        "late", all_of(badge("aid"), done("swim"))
    ))  # fmt: skip
    await service.hear(scored("ada", "test", "80", 0))
    await service.expire(day(YEAR + 5))
    await service.hear(completed("ada", "walk", day(3)), completed("ada", "swim", day(YEAR + 3)))
    issued = {badge.achievement_id: badge for badge in await service.told()}
    # Earned at the time, and suspended by the end; what came after the end earned nothing.
    assert issued["stack"].valid_from == at(day(3))
    assert "late" not in issued
    assert await holding(service) == set()
    await service.hear(scored("ada", "test", "80", day(YEAR + 6)))
    assert await holding(service) == {"aid", "stack", "late"}


async def test_a_stack_that_ends_is_renewed_by_badges_that_are_valid(service: Service) -> None:
    await start(
        service,
        achievement("walk", done("walk")),
        achievement("ranger", badge("walk"), valid_for_days=100, renewal_opens_days=20, kind="stack"),
        achievement("guide", badge("aid"), valid_for_days=300, kind="stack"),
    )
    await service.hear(completed("ada", "walk", 0), scored("ada", "test", "80", 0))
    assert await service.expire(day(101)) == 1
    assert await holding(service) == {"walk", "aid", "ranger", "guide"}
    renewed = [issued for issued in await service.told() if issued.achievement_id == "ranger"]
    assert [(issued.cycle, issued.valid_from, issued.valid_until) for issued in renewed] == [
        (0, at(0), at(day(100))), (1, at(day(80)), at(day(200))),
    ]  # fmt: skip
    # What needs a badge that ends with it is not.
    await service.expire(day(YEAR + 301))
    assert "guide" not in await holding(service)


async def test_a_person_renews_when_renewal_is_open(service: Service) -> None:

    await start(service)
    await service.hear(scored("ada", "test", "80", 0))
    async with service.database.transaction() as connection:
        catalogue = await service.office.catalogue(connection)
        kept = (await badge_store.badges_of(connection, ["ada"]))["ada"]

    def asked(days: float) -> Any:
        act = Act(NAMESPACE, "award", "ada", "aid", None, "why", "evidence", "someone", at(day(days)))
        return decide_act(catalogue, act, kept, NAMESPACE)

    assert asked(YEAR - 91).why.startswith("expected a learner without this badge")
    award = asked(YEAR - 90)
    assert (award.cycle, award.valid_from, award.valid_until) == (1, at(day(YEAR - 90)), at(day(2 * YEAR)))


async def test_a_void_of_the_first_cycle_leaves_the_renewal(service: Service) -> None:
    await start(service)
    first = scored("ada", "test", "80", 0)
    await service.hear(first, scored("ada", "test", "90", day(YEAR - 30)))
    await service.hear(voided(scored("ada", "test", "90", day(YEAR - 30)), day(YEAR - 20)))
    assert await told_after_issue(service) == [("aid", "suspended")]
    await service.expire(day(YEAR + 1))
    assert await holding(service) == set()


async def test_the_worker_expires_and_puts_off_only_what_fails(service: Service) -> None:
    await start(service)
    await service.hear(scored("ada", "test", "80", -day(400)), scored("ben", "test", "80", -day(401)))
    # A rule that no code of ours knows, so that nothing of Ben's can be told.
    await service.database.pool.execute("alter table badge add check (learner_id <> 'ben' or not is_expired) not valid")
    settled = "select count(*) from badge where is_expired or expiry_put_off_until is not null"
    task = asyncio.create_task(work_off_expiry(service.office, service.database, most=10))
    try:
        async with asyncio.timeout(60):
            for _ in range(1_000):
                if await service.database.pool.fetchval(settled) == 2:
                    break
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
    assert await told_after_issue(service) == [("aid", "expired")]
    assert (await holding(service, "ada"), await holding(service, "ben")) == (set(), {"aid"})


@pytest.mark.parametrize(("days", "opens", "expected"), [(1, None, 0), (30, None, 29), (YEAR, None, 90), (90, 10, 10)])
def test_renewal_opens_within_the_time_of_the_badge(days: int, opens: int | None, expected: int) -> None:

    given = achievement("a", done("x"), valid_for_days=days, renewal_opens_days=opens)
    assert Achievement.of(given).renewal_opens.days == expected

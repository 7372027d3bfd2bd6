"""Badges stay true (B4): what falls away, what that takes with it, and how it comes back; on a real database."""

from __future__ import annotations

import random
from typing import Any

import pytest

from libs.common.contracts import BadgeReinstated, BadgeRevoked, BadgeSuspended
from tests.services.awarding.support import (
    ISSUER,
    Event,
    Service,
    achievement,
    all_of,
    any_of,
    at,
    badge,
    completed,
    credits_from,
    done,
    erased,
    evidence,
    n_of,
    passed,
    published,
    registered,
    scored,
    verified,
    voided,
)

CHANGES = {BadgeSuspended.TYPE: BadgeSuspended, BadgeReinstated.TYPE: BadgeReinstated, BadgeRevoked.TYPE: BadgeRevoked}
PART = achievement("part", passed("x"), credits="5")
NESTED = (
    ISSUER,
    PART,
    achievement("other", done("y"), credits="5"),
    achievement("stack", all_of(badge("part"), badge("other")), kind="stack"),
    achievement("top", credits_from("10", "part", "other"), kind="milestone"),
    achievement("path", any_of(badge("stack"), done("z")), kind="pathway"),
)


async def holding(service: Service) -> set[str]:
    """The achievements of which Ada holds a badge now."""
    rows = await service.database.pool.fetch("select achievement_id from badge where learner_id = 'ada' and state = 0")
    return {row["achievement_id"] for row in rows}


async def changes(service: Service) -> list[tuple[str, str]]:
    """What was told of badges after their issue: (achievement, what), in the order in which it is told."""
    rows = await service.database.pool.fetch(
        "select type, achievement_id, time, value, event_id from outbox"
        " join badge on convert_to(badge_id::text, 'UTF8') = key"
        " where type like 'cairn.badge-%' and type <> 'cairn.badge-issued.v1' order by id"
    )
    assert len({row["event_id"] for row in rows}) == len(rows)
    for row in rows:
        CHANGES[row["type"]].model_validate_json(row["value"])
    return [(row["achievement_id"], row["type"].removeprefix("cairn.badge-").removesuffix(".v1")) for row in rows]


async def test_a_voided_score_suspends_all_that_stands_on_it_and_a_new_one_brings_it_back(service: Service) -> None:
    good = scored("ada", "x", "80", 1)
    await service.hear(*published(*NESTED), *registered("ada"), good, completed("ada", "y", 2))
    everything = {"part", "other", "stack", "top", "path"}
    assert await holding(service) == everything
    await service.hear(voided(good, 5))
    assert await holding(service) == {"other"}
    assert await changes(service) == [(name, "suspended") for name in ("part", "stack", "top", "path")]
    await service.hear(scored("ada", "x", "90", 4))
    assert await holding(service) == everything
    assert (await changes(service))[4:] == [(name, "reinstated") for name in ("part", "stack", "top", "path")]
    # One badge each, and what undoes a change is told as later than it, though the fact occurred before.
    assert len(await service.told()) == len(everything)
    times = await service.database.pool.fetch("select badge_id, told_at from badge_change order by place")
    for row in times:
        own = [other["told_at"] for other in times if other["badge_id"] == row["badge_id"]]
        assert own == sorted(set(own))
    assert not await service.database.pool.fetchval("select unsettled from learner")


async def test_withdrawn_evidence_suspends_what_stands_on_it_whenever_it_is_heard_of(service: Service) -> None:
    seen = evidence("ada", "folder", 1)
    catalogue = (ISSUER, achievement("part", verified("folder")), achievement("stack", badge("part")))
    await service.hear(*published(*catalogue), *registered("ada", "ben"), seen)
    assert await holding(service) == {"part", "stack"}
    await service.hear(voided(seen, 2))
    assert await changes(service) == [("part", "suspended"), ("stack", "suspended")]
    await service.hear(evidence("ada", "folder", 3))
    assert await holding(service) == {"part", "stack"}
    # Withdrawn before it came, it never counts.
    bens = evidence("ben", "folder", 1)
    await service.hear(voided(bens, 2))
    await service.hear(bens)
    assert {learner for learner, _ in await service.badges()} == {"ada"}


async def test_another_route_keeps_what_stands_on_it(service: Service) -> None:
    good = scored("ada", "x", "80", 1)
    await service.hear(*published(*NESTED), *registered("ada"), good, completed("ada", "y", 2))
    await service.hear(completed("ada", "z", 3))
    await service.hear(voided(good, 5))
    assert await holding(service) == {"other", "path"}


async def test_a_worse_latest_attempt_suspends_and_a_better_one_reinstates(service: Service) -> None:
    await service.hear(*published(ISSUER, achievement("a", passed("x", attempt="latest"))), *registered("ada"))
    await service.hear(scored("ada", "x", "80", 1))
    await service.hear(scored("ada", "x", "20", 0))
    assert await changes(service) == []
    await service.hear(scored("ada", "x", "20", 2))
    assert await holding(service) == set()
    await service.hear(scored("ada", "x", "70", 3))
    assert await changes(service) == [("a", "suspended"), ("a", "reinstated")]


@pytest.mark.parametrize(
    ("policy", "told", "issued"),
    [
        ("keep", [], 2),
        ("suspend", [("part", "suspended"), ("stack", "suspended")], 2),
        ("revoke", [("part", "revoked"), ("stack", "revoked")], 2),
    ],
)
async def test_the_policy_says_what_a_loss_costs(
    service: Service, policy: Any, told: list[tuple[str, str]], issued: int
) -> None:
    good = scored("ada", "x", "80", 1)
    await service.hear(
        *published(
            ISSUER,
            achievement("part", passed("x"), on_loss=policy),
            achievement("stack", badge("part"), on_loss=policy),
        ),
        *registered("ada"),
        good,
    )
    await service.hear(voided(good, 2))
    assert await changes(service) == told
    assert len(await service.told()) == issued


async def test_a_revoked_badge_is_earned_again_as_the_next_cycle(service: Service) -> None:
    good = scored("ada", "x", "80", 1)
    part = achievement("part", passed("x"), on_loss="revoke")
    await service.hear(*published(ISSUER, part, achievement("stack", badge("part"))), *registered("ada"), good)
    await service.hear(voided(good, 2))
    assert await changes(service) == [("part", "revoked"), ("stack", "suspended")]
    await service.hear(scored("ada", "x", "70", 3))
    assert await holding(service) == {"part", "stack"}
    told = await service.told()
    assert [(issued.achievement_id, issued.cycle) for issued in told] == [("part", 0), ("stack", 0), ("part", 1)]
    assert len({issued.badge_id for issued in told}) == 3


async def test_under_revoke_another_good_attempt_earns_anew_at_once(service: Service) -> None:
    good = scored("ada", "x", "80", 1)
    await service.hear(*published(ISSUER, achievement("a", passed("x"), on_loss="revoke")), *registered("ada"), good)
    await service.hear(scored("ada", "x", "70", 3))
    await service.hear(voided(good, 4))
    assert await changes(service) == [("a", "revoked")]
    assert [issued.cycle for issued in await service.told()] == [0, 1]
    assert (await service.told())[1].valid_from == at(3)


async def test_a_publication_can_bring_back_what_was_suspended(service: Service) -> None:
    """A stack of credits lost a part; a newly published part, met long ago, makes up for it."""
    good = scored("ada", "x", "80", 1)
    stack = achievement("stack", n_of(1, badge("part"), badge("late")))
    await service.hear(*published(ISSUER, PART, stack), *registered("ada"), good, completed("ada", "y", 2))
    await service.hear(voided(good, 3))
    assert await holding(service) == set()
    await service.hear(*published(achievement("late", done("y"))))
    await service.recheck()
    assert await holding(service) == {"late", "stack"}


async def test_an_erased_learners_badges_stay_as_they_are(service: Service) -> None:
    good = scored("ada", "x", "80", 1)
    await service.hear(*published(*NESTED), *registered("ada"), good)
    await service.hear(erased("ada"))
    await service.hear(*registered("ada"))
    await service.hear(voided(good, 3), completed("ada", "y", 4))
    assert await holding(service) >= {"part"}
    assert await changes(service) == []


STORY: tuple[Event, ...] = (
    scored("ada", "x", "80", 1),
    completed("ada", "y", 2),
    completed("ada", "z", 3),
    scored("ada", "x", "60", 9),
    completed("ada", "y", 10),
    scored("ada", "w", "90", 11),
    scored("ada", "w", "10", 12),
    scored("ada", "v", "90", 11),
)
VOIDS = tuple(voided(event, 20 + place) for place, event in enumerate(STORY) if place in (0, 1, 2, 4, 6))


@pytest.mark.parametrize("policy", ["suspend", "revoke"])
@pytest.mark.parametrize("seed", range(4))
async def test_any_order_any_batches_and_doubles_end_in_the_same_holdings(
    service: Service, policy: Any, seed: int
) -> None:
    catalogue = (
        ISSUER,
        achievement("part", passed("x"), credits="5", on_loss=policy),
        achievement("other", done("y"), credits="5"),
        achievement("latest", passed("w", attempt="latest"), on_loss=policy),
        achievement("stack", all_of(badge("part"), any_of(badge("other"), badge("latest"))), on_loss=policy),
        achievement("top", credits_from("10", "part", "other"), on_loss=policy),
        achievement("path", all_of(badge("stack"), passed("v"))),
    )
    order = random.Random(seed)
    events = [*STORY, *VOIDS, *order.sample([*STORY, *VOIDS], 4)]
    order.shuffle(events)
    await service.hear(*published(*catalogue), *registered("ada"))
    while events:
        size = order.randint(1, 3)
        await service.hear(*events[:size])
        del events[:size]
    assert await holding(service) == {"part", "latest", "stack", "path"}

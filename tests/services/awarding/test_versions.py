"""Version contracts (B5): which version judges whom, what the badge names, and what becomes of earlier badges."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from libs.common.contracts import AchievementPublished
from libs.common.contracts.requirement import Requirement
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    at,
    badge,
    completed,
    done,
    passed,
    published,
    registered,
    scored,
    voided,
)
from tests.services.awarding.test_states import changes, holding

X, Y, Z = done("x"), done("y"), done("z")


def version(number: int, requirement: Requirement, minutes: float, policy: str = "grandfather", **more: Any) -> Any:
    """A version of the achievement `a`, published some minutes after the beginning."""
    return achievement("a", requirement, version=number, published_at=at(minutes), on_new_version=policy, **more)


async def earned(service: Service, learner: str = "ada") -> list[int]:
    """The versions of `a` of which the learner has a badge that holds."""
    rows = await service.database.pool.fetch(
        "select version from badge where learner_id = $1 and achievement_id = 'a' and state = 0 and not is_expired",
        learner,
    )
    return sorted(row["version"] for row in rows)


async def begin(
    service: Service, *versions: AchievementPublished, others: tuple[AchievementPublished, ...] = ()
) -> None:
    """An issuer, these versions, and two learners."""
    await service.hear(*published(ISSUER, *versions, *others), *registered("ada", "ben"))


async def test_grandfathered_learners_stay_with_the_version_they_started(service: Service) -> None:
    await begin(service, version(1, all_of(X, Y), 0), version(2, all_of(X, Y, Z), 10))
    await service.hear(completed("ada", "x", 5), completed("ada", "y", 20))
    await service.hear(completed("ben", "x", 15), completed("ben", "y", 20))
    assert (await earned(service, "ada"), await earned(service, "ben")) == ([1], [])
    await service.hear(completed("ben", "z", 21), completed("ada", "z", 21))
    assert (await earned(service, "ada"), await earned(service, "ben")) == ([1], [2])
    (first, second) = await service.told()
    for issued in (first, second):
        assert orjson.loads(issued.credential)["credentialSubject"]["achievement"]["version"] == str(issued.version)
        assert "refreshService" not in issued.credential


async def test_a_fact_before_every_version_starts_the_first(service: Service) -> None:
    await begin(service, version(1, X, 10), version(2, all_of(X, Y), 20))
    await service.hear(completed("ada", "x", 5))
    assert await earned(service) == [1]


async def test_an_upgrade_judges_everybody_by_the_newest_and_takes_no_badge_away(service: Service) -> None:
    await begin(service, version(1, X, 0, "upgrade"))
    await service.hear(completed("ada", "x", 5), completed("ben", "q", 5))
    await service.hear(*published(version(2, all_of(X, Y), 10, "upgrade")))
    await service.recheck()
    await service.hear(completed("ben", "x", 15))
    assert (await earned(service, "ada"), await earned(service, "ben")) == ([1], [])
    await service.hear(completed("ada", "y", 20), completed("ben", "y", 20))
    assert (await earned(service, "ada"), await earned(service, "ben")) == ([1, 2], [2])
    assert await changes(service) == []
    first = (await service.told())[0]
    # OB 3.0, refreshService: where the newer badge is found.
    assert orjson.loads(first.credential)["refreshService"] == {
        "id": f"http://localhost:8104/badges/{first.badge_id}/refresh", "type": "1EdTechCredentialRefresh",
    }  # fmt: skip


async def test_what_occurred_before_an_upgrade_counts_for_the_earlier_version_whenever_it_is_heard(
    service: Service,
) -> None:
    await begin(service, version(1, X, 0), version(2, all_of(X, Y), 10, "upgrade"))
    await service.hear(completed("ada", "x", 5))
    assert await earned(service) == [1]
    # And what occurred after it does not, though the publication is heard later.
    await service.hear(*published(achievement("b", X)), completed("ben", "x", 15))
    await service.hear(
        *published(achievement("b", all_of(X, Y), version=2, published_at=at(10), on_new_version="upgrade"))
    )
    await service.recheck()
    assert "b" not in {row["achievement_id"] for row in await service.database.pool.fetch(
        "select achievement_id from badge where state = 0 and learner_id = 'ben'"
    )}  # fmt: skip


@pytest.mark.parametrize(("on_loss", "kept"), [("keep", [1]), ("suspend", []), ("revoke", [])])
async def test_re_evaluation_has_holders_meet_the_new_version(service: Service, on_loss: str, kept: list[int]) -> None:
    stack = achievement("stack", badge("a"))
    await begin(service, version(1, X, 0), others=(stack,))
    await service.hear(completed("ada", "x", 5), completed("ben", "x", 5), completed("ben", "y", 6))
    await service.hear(*published(version(2, all_of(X, Y), 10, "re-evaluate", on_loss=on_loss)))
    await service.recheck(most=1)
    assert (await earned(service, "ada"), await earned(service, "ben")) == (kept, [1, 2])
    assert ("stack" in await holding(service)) is bool(kept)
    told = await service.database.pool.fetch("select told_at, cause_id from badge_change")
    assert {row["told_at"] for row in told} == (set() if kept else {at(10)})
    # Met later, it holds again: nothing was taken for good.
    await service.hear(completed("ada", "y", 20))
    assert await earned(service, "ada") == [1, 2]
    assert "stack" in await holding(service)


async def test_a_chain_of_mixed_policies(service: Service) -> None:
    """v2 leaves, v3 takes along, v4 leaves again: who started v1 or v2 is judged by v3, who starts now by v4."""
    await begin(
        service,
        version(1, X, 0),
        version(2, all_of(X, Y), 10),
        version(3, all_of(X, Z), 20, "upgrade"),
        version(4, all_of(X, done("w")), 30),
    )
    await service.hear(*registered("cleo"))
    await service.hear(completed("ada", "z", 5), completed("ben", "z", 15), completed("cleo", "z", 35))
    for learner in ("ada", "ben", "cleo"):
        await service.hear(completed(learner, "x", 40))
    assert [await earned(service, name) for name in ("ada", "ben", "cleo")] == [[3], [3], []]
    await service.hear(completed("cleo", "w", 41), completed("ada", "w", 41), completed("ada", "y", 42))
    assert [await earned(service, name) for name in ("ada", "ben", "cleo")] == [[3], [3], [4]]


async def test_a_stack_takes_whichever_version_and_earlier_badges_follow_their_own_facts(service: Service) -> None:
    good = scored("ada", "q", "80", 5)
    await begin(
        service, version(1, passed("q"), 0), version(2, all_of(passed("q"), Y), 10, "upgrade"),
        others=(achievement("stack", badge("a")),),
    )  # fmt: skip
    await service.hear(good)
    assert await holding(service) == {"a", "stack"}
    await service.hear(voided(good, 30))
    assert await holding(service) == set()
    # Too late for the earlier version, whose badge was lost; the newer one brings the stack back.
    await service.hear(scored("ada", "q", "90", 31))
    assert await earned(service) == []
    await service.hear(completed("ada", "y", 32))
    assert await earned(service) == [2]
    assert await holding(service) == {"a", "stack"}


async def test_an_upgraded_stack_of_badges_alone(service: Service) -> None:
    stack = achievement("stack", badge("a"), published_at=at(0))
    newer = achievement(
        "stack", all_of(badge("a"), badge("b")), version=2, published_at=at(10), on_new_version="upgrade"
    )
    await begin(service, version(1, X, 0), others=(achievement("b", Y), stack))
    await service.hear(completed("ada", "x", 5))
    await service.hear(*published(newer))
    await service.recheck()
    await service.hear(completed("ada", "y", 20))
    rows = await service.database.pool.fetch("select version from badge where achievement_id = 'stack' order by 1")
    assert [row["version"] for row in rows] == [1, 2]

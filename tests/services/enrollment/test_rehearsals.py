"""A version that changes what recorded facts mean is published as it was rehearsed, or by who may override (B3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid5

import httpx
import pytest

from libs.common.contracts import AchievementPublished, RehearsalCompleted
from libs.common.contracts.enrollment import meaning_digest
from libs.common.contracts.envelope import Envelope
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import begin
from libs.common.postgres.database import Database
from services.enrollment import handlers, rules
from services.enrollment.model import RehearsalPolicy
from services.enrollment.rules import NAMESPACE
from tests.services.enrollment.support import body, publish, quiz
from tests.services.enrollment.test_rules import AT, achievement
from tests.tokens import TokenMint

STRICTER = body(quiz(1) | {"at_least": 0.6}, on_new_version="re-evaluate")
REASON = "The board decided so on 2 March."


def rehearsed(draft: AchievementPublished, **changes: Any) -> RehearsalCompleted:
    """What awarding tells of a draft."""
    content: dict[str, Any] = {
        "achievement_id": draft.achievement_id, "digest": meaning_digest(draft), "against_version": 1, "learners": 90,
        "gain": 3, "lose": 2, "within_limits": True, "rehearsed_by": "designer", "rehearsed_at": AT,
    }  # fmt: skip
    return RehearsalCompleted.model_validate(content | changes)


FIRST = achievement("a", quiz(1))
DRAFT = achievement("a", quiz(2), version=2, on_new_version="upgrade")
POLICY = RehearsalPolicy(most_gain=10, most_lose=5)


def test_what_needs_a_rehearsal() -> None:
    words = achievement("a", quiz(1), version=2, name="Other words")
    quiet = achievement("a", quiz(2), version=2)
    needed = {
        demanded: [
            rules.needs_rehearsal(draft, latest, RehearsalPolicy(demanded))
            for draft, latest in ((FIRST, None), (words, FIRST), (quiet, FIRST), (DRAFT, FIRST))
        ]
        for demanded in ("never", "binding", "always")
    }
    assert needed == {
        "never": [False, False, False, False],
        "binding": [False, False, False, True],
        "always": [True, False, True, True],
    }


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, None),
        ({"gain": 10, "lose": 5}, None),
        ({"gain": 11}, "Beyond the limit"),
        ({"gain": 5, "gain_above": 6}, "Beyond the limit"),
        ({"lose": 3, "lose_above": 3}, "Beyond the limit"),
        ({"within_limits": False, "most_lose": 1}, "Beyond the limit"),
        ({"against_version": None}, "Rehearsal is outdated"),
        ({"against_version": 2}, "Rehearsal is outdated"),
        ({"rehearsed_at": AT - timedelta(seconds=3601)}, "Rehearsal is outdated"),
    ],
)
def test_a_rehearsal_must_fit(changes: dict[str, Any], title: str | None) -> None:
    refusal = rules.decide_rehearsal(DRAFT, FIRST, rehearsed(DRAFT, **changes), POLICY, AT)
    assert (refusal.title if refusal else None) == title
    if refusal is not None:
        assert refusal.status == 409
        assert meaning_digest(DRAFT) in refusal.faults[0].detail


async def hear(database: Database, content: RehearsalCompleted) -> None:
    """Enrollment's worker hears of a rehearsal."""
    event_id = uuid5(NAMESPACE, content.model_dump_json())
    envelope = Envelope(str(event_id), "/test", content.TYPE, content.rehearsed_at, content.achievement_id)
    async with begin(database) as work:
        await handlers.on_rehearsal_completed(work, [Received(envelope, content, "rehearsals", 0, 0, event_id)])


def drafted() -> AchievementPublished:
    """The stricter version."""
    return achievement("reading", STRICTER["requirement"], on_new_version="re-evaluate", version=2)


async def test_the_door_wants_a_rehearsal_of_the_same_draft(doors: httpx.AsyncClient, database: Database) -> None:
    assert (await publish(doors, "reading", body())).status_code == 201
    answer = await publish(doors, "reading", STRICTER)
    assert (answer.status_code, answer.json()["title"]) == (409, "Rehearsal needed")
    assert meaning_digest(drafted()) in answer.json()["errors"][0]["detail"]
    now = datetime.now(UTC)
    other = achievement("reading", quiz(7), on_new_version="re-evaluate")
    await hear(database, rehearsed(other, rehearsed_at=now))
    assert (await publish(doors, "reading", STRICTER)).status_code == 409
    await hear(database, rehearsed(drafted(), rehearsed_at=now, lose=101))
    assert (await publish(doors, "reading", STRICTER)).json()["title"] == "Beyond the limit"
    # An older word, heard later, changes nothing; a newer one does.
    await hear(database, rehearsed(drafted(), rehearsed_at=now - timedelta(seconds=5)))
    assert (await publish(doors, "reading", STRICTER)).status_code == 409
    await hear(database, rehearsed(drafted(), rehearsed_at=now + timedelta(seconds=5)))
    answer = await publish(doors, "reading", STRICTER)
    assert (answer.status_code, answer.json()["version"]) == (201, 2)
    # The same again is no publication, and needs none.
    assert (await publish(doors, "reading", STRICTER)).status_code == 200


async def test_words_and_grandfathered_versions_need_none(doors: httpx.AsyncClient) -> None:
    assert (await publish(doors, "reading", body())).status_code == 201
    assert (await publish(doors, "reading", body(name="Reading II", on_new_version="grandfather"))).status_code == 201
    assert (await publish(doors, "reading", body(quiz(2)))).status_code == 201


async def test_who_may_overrides_with_a_reason_and_that_is_kept(
    doors: httpx.AsyncClient, database: Database, mint: TokenMint
) -> None:
    await publish(doors, "reading", body())
    url = "/achievements/reading"
    answer = await doors.put(url, json=STRICTER, params={"override": REASON})
    assert answer.status_code == 403
    chief = mint.headers("catalogue.write", "catalogue.override", subject="chief")
    assert (await doors.put(url, json=STRICTER, params={"override": "so"}, headers=chief)).status_code == 422
    assert (await doors.put(url, json=STRICTER, params={"override": REASON}, headers=chief)).status_code == 201
    await hear(database, rehearsed(drafted()))
    told = (await doors.get(f"{url}/rehearsals")).json()
    (override,) = told["overrides"]
    assert (override["version"], override["reason"], override["overridden_by"]) == (2, REASON, "chief")
    assert override["refusal"].startswith("Rehearsal needed: expected a rehearsal of this draft")
    assert [one["digest"] for one in told["rehearsals"]] == [meaning_digest(drafted())]
    # What needed no override leaves no trace of one.
    assert (await doors.put(url, json=body(name="Again"), params={"override": REASON}, headers=chief)).is_success
    assert await database.pool.fetchval("select count(*) from rehearsal_override") == 1

"""What progress hears: learning events as at the HTTP door, enrolments and badges in any order."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.common.contracts import (
    ActivityCompleted,
    AssessmentScored,
    BadgeExpired,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgeSuspended,
    Contract,
    Enrolled,
    IssuerPublished,
    KeyPublished,
    MilestoneReached,
    ScoreVoided,
    Withdrawn,
)
from libs.common.messaging.delivery import Delivery
from libs.common.postgres.database import Database
from services.progress.rules import event_id_of
from services.progress.store import SQL
from tests.services.progress.support import Message, hear, learner, message, read, scored, told
from tests.tokens import TokenMint

BADGE = "7f0f4a8e-50a5-4a4e-9a55-0d5f7a2d5e11"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def heard(event: dict[str, Any], contract: type[Contract] = AssessmentScored) -> Message:
    """The same event as at the HTTP door, on the topic `learning-events`."""
    attributes = {name: text for name, text in event.items() if name not in ("data", "type")}
    learner_id = event["data"]["learner_id"]
    return message("learning-events", contract, learner_id, event["data"], **attributes)


async def test_learning_events_from_kafka_follow_the_same_rules(delivery: Delivery, database: Database) -> None:
    outcome = await hear(
        delivery,
        learner("ada"),
        heard(scored("ada", 1, traceparent=TRACEPARENT)),
        heard(scored("ada", 1)),
        heard(scored("bob", 1)),
    )
    # What comes twice is left to progress, which keeps the bodies, as at the HTTP door.
    assert (outcome.handled, outcome.duplicates, outcome.dead_lettered) == (4, 0, 0)
    (row,) = await told(database)
    assert row["event_id"] == event_id_of("learning-events", "urn:lms", "score-ada-1")
    assert row["traceparent"] == TRACEPARENT
    assert await database.pool.fetchval("select learner_id from parked_event") == "bob"


async def test_malformed_learning_events_become_dead_letters_and_neighbours_are_told(
    delivery: Delivery, database: Database
) -> None:
    bad = scored("ada", 2)
    bad["data"]["score"] = {"raw": "many", "max": 100}
    empty = message("learning-events", AssessmentScored, "ada", None)
    wrong_version = message("learning-events", AssessmentScored, "ada", {}, type="cairn.assessment-scored.v9")
    outcome = await hear(
        delivery, learner("ada"), heard(scored("ada", 1)), heard(bad), empty, wrong_version, heard(scored("ada", 3))
    )
    assert (outcome.handled, outcome.dead_lettered) == (3, 3)
    assert [row["subject"] for row in await told(database)] == ["quiz:1", "quiz:3"]
    reasons = [row["reason"] for row in await database.pool.fetch("select reason from dead_letter order by id")]
    assert any("/score/raw" in reason for reason in reasons)
    assert any("found nothing" in reason for reason in reasons)
    assert any("unsupported version" in reason for reason in reasons)


async def test_one_id_with_another_body_is_a_dead_letter(delivery: Delivery, database: Database) -> None:
    await hear(delivery, learner("ada"), heard(scored("ada", 1)))
    assert (await hear(delivery, heard(scored("ada", 1)))).dead_lettered == 0
    outcome = await hear(delivery, heard(scored("ada", 1, raw=2)), heard(scored("ada", 2)))
    assert (outcome.handled, outcome.dead_lettered) == (1, 1)
    assert "another body" in await database.pool.fetchval("select reason from dead_letter")
    assert [row["subject"] for row in await told(database)] == ["quiz:1", "quiz:2"]


ENROLMENTS = [
    (Enrolled, "2026-01-01T00:00:00Z"),
    (Withdrawn, "2026-02-01T00:00:00Z"),
    (Enrolled, "2026-03-01T00:00:00Z"),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_newest_word_on_an_enrolment_stands(
    delivery: Delivery, doors: httpx.AsyncClient, mint: TokenMint, order: tuple[int, ...]
) -> None:
    for place in order:
        contract, time = ENROLMENTS[place]
        await hear(
            delivery, message("enrolled", contract, "ada", {"learner_id": "ada", "offer_id": "AAA-2013J"}, time=time)
        )
    shown = (await read(doors, mint, "/learners/ada/progress")).json()["enrollments"]
    assert shown == [{"offer_id": "AAA-2013J", "status": "enrolled", "occurred_at": "2026-03-01T00:00:00+00:00"}]


def _badge(contract: type[Contract], time: str) -> Message:
    content: dict[str, Any] = {"badge_id": BADGE, "learner_id": "ada"}
    if contract is BadgeIssued:
        content |= {"achievement_id": "reading", "version": 1, "cycle": 0, "issuer_id": "school", "valid_from": time,
                    "credential": "{}", "open_badge_2": "{}", "digest": "sha256:" + "0" * 64}  # fmt: skip
    else:
        content |= {"reason": "a reason"}
    return message("badge-issued", contract, BADGE, content, time=time)


def _expired() -> Message:
    content = {"badge_id": BADGE, "learner_id": "ada", "expired_at": "2026-02-15T00:00:00Z"}
    return message("badge-issued", BadgeExpired, BADGE, content, time="2026-02-15T00:00:00Z")


@pytest.mark.parametrize("place", range(4))
async def test_a_badge_whose_time_has_run_out_says_so_unless_it_is_withdrawn(
    delivery: Delivery, doors: httpx.AsyncClient, mint: TokenMint, place: int
) -> None:
    for nth, state in enumerate((*STATES[:3], None)):
        if nth == place:
            await hear(delivery, _expired())
        if state is not None:
            await hear(delivery, _badge(*state))
    (shown,) = (await read(doors, mint, "/learners/ada/progress")).json()["badges"]
    assert (shown["status"], shown["status_at"]) == ("expired", "2026-02-15T00:00:00+00:00")
    await hear(delivery, _badge(*STATES[3]))
    (shown,) = (await read(doors, mint, "/learners/ada/progress")).json()["badges"]
    assert (shown["status"], shown["expired_at"]) == ("revoked", "2026-02-15T00:00:00+00:00")


STATES: list[tuple[type[Contract], str]] = [
    (BadgeIssued, "2026-01-01T00:00:00Z"),
    (BadgeSuspended, "2026-02-01T00:00:00Z"),
    (BadgeReinstated, "2026-03-01T00:00:00Z"),
    (BadgeRevoked, "2026-04-01T00:00:00Z"),
]


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_the_newest_state_of_a_badge_stands(
    delivery: Delivery, doors: httpx.AsyncClient, mint: TokenMint, order: tuple[int, ...]
) -> None:
    first, second, third, fourth = (STATES[place] for place in order)
    await hear(delivery, _badge(*first), _badge(*second))
    await hear(delivery, _badge(*third))
    await hear(delivery, _badge(*fourth))
    (shown,) = (await read(doors, mint, "/learners/ada/progress")).json()["badges"]
    assert (shown["badge_id"], shown["achievement_id"], shown["status"]) == (BADGE, "reading", "revoked")
    assert UUID(shown["badge_id"])


async def test_issuers_and_keys_are_heard_and_need_nothing(delivery: Delivery) -> None:
    issuer = {"issuer_id": "school", "name": "School", "url": "https://school.example"}
    key = {"issuer_id": "school", "key_id": "k1", "public_key_multibase": "z6Mk", "valid_from": "2026-01-01T00:00:00Z"}
    outcome = await hear(
        delivery,
        message("catalogue", IssuerPublished, "issuer:school", issuer),
        message("badge-issued", KeyPublished, "key:school", key),
    )
    assert (outcome.handled, outcome.dead_lettered) == (2, 0)


async def test_progress_is_summed_up(delivery: Delivery, doors: httpx.AsyncClient, mint: TokenMint) -> None:
    done = {"learner_id": "ada", "activity_id": "page:1"}
    wrong = str(event_id_of("learning-events", "urn:lms", "c"))
    void = {"learner_id": "ada", "assessment_id": "quiz:1", "supersedes": wrong}
    await hear(
        delivery,
        learner("ada"),
        message("learning-events", ActivityCompleted, "ada", done),
        heard(scored("ada", 1, raw=90, id="a", time="2026-01-01T00:00:00Z")),
        heard(scored("ada", 1, raw=60, id="b", time="2026-02-01T00:00:00Z")),
        heard(scored("ada", 1, raw=99, id="c", time="2026-02-02T00:00:00Z")),
        message("learning-events", ScoreVoided, "ada", void),
    )
    shown = (await read(doors, mint, "/learners/ada/progress")).json()
    assert shown["known"] is True
    assert shown["activities"] == [{"activity_id": "page:1", "completed_at": "2026-03-01T10:00:00+00:00"}]
    (quiz,) = shown["assessments"]
    assert (quiz["attempts"], quiz["best"]["raw"], quiz["latest"]["raw"]) == (2, "90", "60")
    assert (await read(doors, mint, "/learners/nobody/progress")).status_code == 404
    assert (await read(doors, mint, "/learners/no%20id/progress")).status_code == 422


@pytest.mark.parametrize("name", sorted(SQL))
async def test_every_query_is_understood_by_the_server(database: Database, name: str) -> None:
    async with database.pool.acquire() as connection:
        await connection.prepare(SQL[name])


async def test_milestones_are_shown_and_erased_with_the_learner(
    delivery: Delivery, doors: httpx.AsyncClient, mint: TokenMint
) -> None:
    content = {
        "learner_id": "ada", "achievement_id": "way", "version": 1, "step_id": "half", "name": "Half of the way",
        "reached_at": "2026-02-25T09:00:00Z",
    }  # fmt: skip
    reached = message("badge-issued", MilestoneReached, "milestone:ada", content)
    again = message("badge-issued", MilestoneReached, "milestone:ada", content)
    assert (await hear(delivery, learner("ada"), reached, again)).dead_lettered == 0
    shown = (await read(doors, mint, "/learners/ada/progress")).json()["milestones"]
    assert [(one["achievement_id"], one["step_id"], one["name"]) for one in shown] == [
        ("way", "half", "Half of the way")
    ]
    await hear(delivery, learner("ada", erased=True))
    assert (await read(doors, mint, "/learners/ada/progress")).status_code == 404

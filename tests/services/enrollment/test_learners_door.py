"""Learners and enrolments: each word is told once, bad rows are named, an erased learner is gone everywhere."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from libs.common.contracts import Enrolled, LearnerRegistered, Withdrawn
from libs.common.postgres.database import Database
from tests.services.enrollment.support import pointers, told
from tests.tokens import TokenMint

TIME = "2026-03-01T10:00:00Z"


async def register(doors: httpx.AsyncClient, *learners: object) -> httpx.Response:
    """POST /learners."""
    return await doors.post("/learners", json={"learners": learners})


async def enroll(doors: httpx.AsyncClient, *enrollments: object) -> httpx.Response:
    """POST /enrollments."""
    return await doors.post("/enrollments", json={"enrollments": enrollments})


def word(learner_id: str = "ada", **changes: Any) -> dict[str, Any]:
    """One row of POST /enrollments."""
    return {"learner_id": learner_id, "offer_id": "AAA-2013J", "occurred_at": TIME, "status": "enrolled"} | changes


async def test_new_and_changed_learners_are_told(doors: httpx.AsyncClient, database: Database) -> None:
    ada = {"learner_id": "ada", "name": "Ada Lovelace", "email": "ada@example.org"}
    answer = await register(doors, ada, {"learner_id": "bob"})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "unchanged": 0, "refused": []})
    assert (await register(doors, ada, {"learner_id": "ada"})).json()["unchanged"] == 2
    assert (await register(doors, ada | {"name": "Ada King"}, {"learner_id": "bob"})).json()["accepted"] == 1

    rows = await told(database)
    assert [(row["topic"], row["key"], row["type"]) for row in rows] == [
        ("learners", key, LearnerRegistered.TYPE) for key in (b"ada", b"bob", b"ada")
    ]
    contents = [LearnerRegistered.model_validate_json(row["value"]) for row in rows]
    assert [content.name for content in contents] == ["Ada Lovelace", None, "Ada King"]
    assert contents[2].email == "ada@example.org"
    assert contents[2].registered_at == contents[0].registered_at
    assert len({row["event_id"] for row in rows}) == 3
    assert (await doors.get("/learners/ada")).json()["name"] == "Ada King"


async def test_the_last_word_on_a_learner_in_a_batch_counts(doors: httpx.AsyncClient, database: Database) -> None:
    rows = [{"learner_id": "ada", "name": name} for name in ("A", "B", "C")]
    assert (await register(doors, *rows)).json() == {"accepted": 1, "unchanged": 2, "refused": []}
    assert [LearnerRegistered.model_validate_json(row["value"]).name for row in await told(database)] == ["C"]


async def test_bad_learners_are_named_and_neighbours_registered(doors: httpx.AsyncClient, database: Database) -> None:
    answer = await register(
        doors, {"learner_id": "ada"}, 7, {"name": "x"}, {"learner_id": "a b"}, {"learner_id": "c", "email": "c"},
        {"learner_id": "bob"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["accepted"]) == (207, 2)
    refused = answer.json()["refused"]
    assert [(one["index"], one["learner_id"], one["problem"]["errors"][0]["pointer"]) for one in refused] == [
        (1, None, ""), (2, None, "/learner_id"), (3, "a b", "/learner_id"), (4, "c", "/email"),
    ]  # fmt: skip
    assert [row["key"] for row in await told(database)] == [b"ada", b"bob"]
    only = await register(doors, {"learner_id": ""})
    assert (only.status_code, pointers(only)) == (422, ["/learners/0/learner_id"])


@pytest.mark.parametrize("path", ["/learners", "/enrollments"])
async def test_bodies_that_are_no_batch(doors: httpx.AsyncClient, path: str) -> None:
    name = path.removeprefix("/")
    assert pointers(await doors.post(path, json={})) == [f"/{name}"]
    assert pointers(await doors.post(path, json={name: {}})) == [f"/{name}"]
    assert (await doors.post(path, content=b"{", headers={"content-type": "application/json"})).status_code == 400
    assert (await doors.post(path, content=b"{}")).status_code == 415
    assert (await doors.post(path, json={name: [{}] * 51})).status_code == 413
    assert (await doors.post(path, json={name: ["x" * 70_000]})).status_code == 413
    assert (await doors.post(path, json={name: []})).status_code == 202


async def test_enrolments_are_told_once(doors: httpx.AsyncClient, database: Database) -> None:
    await register(doors, {"learner_id": "ada"})
    left = word(occurred_at="2026-04-01T00:00:00Z", status="withdrawn")
    answer = await enroll(doors, word(), left, word(occurred_at="2026-03-01T12:00:00+02:00"))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "unchanged": 1, "refused": []})
    assert (await enroll(doors, left, word())).json()["unchanged"] == 2
    rows = (await told(database))[1:]
    assert [(row["topic"], row["key"], row["type"], row["subject"]) for row in rows] == [
        ("enrolled", b"ada", Enrolled.TYPE, "AAA-2013J"), ("enrolled", b"ada", Withdrawn.TYPE, "AAA-2013J"),
    ]  # fmt: skip
    assert [row["time"].isoformat() for row in rows] == ["2026-03-01T10:00:00+00:00", "2026-04-01T00:00:00+00:00"]
    assert Enrolled.model_validate_json(rows[0]["value"]).offer_id == "AAA-2013J"
    shown = (await doors.get("/learners/ada")).json()["enrollments"]
    assert shown == [{"offer_id": "AAA-2013J", "status": "withdrawn", "occurred_at": "2026-04-01T00:00:00+00:00"}]


async def test_bad_enrolments_are_named_and_neighbours_recorded(doors: httpx.AsyncClient, database: Database) -> None:
    await register(doors, {"learner_id": "ada"})
    answer = await enroll(
        doors, word(), word("nobody"), word(status="asleep"), word(occurred_at="yesterday"),
        word(occurred_at="2026-03-01T10:00:00"), word(occurred_at="0001-01-01T00:00:00+14:00"), word(offer_id="BBB"),
    )  # fmt: skip
    assert (answer.status_code, answer.json()["accepted"]) == (207, 2)
    places = [(one["index"], one["problem"]["errors"][0]["pointer"]) for one in answer.json()["refused"]]
    assert places == [
        (1, "/learner_id"), (2, "/status"), (3, "/occurred_at"), (4, "/occurred_at"), (5, "/occurred_at"),
    ]  # fmt: skip
    assert len(await told(database)) == 3
    unknown = await enroll(doors, word("nobody"))
    assert (unknown.status_code, pointers(unknown)) == (422, ["/enrollments/0/learner_id"])


async def test_an_erased_learner_is_gone(doors: httpx.AsyncClient, database: Database) -> None:
    await register(doors, {"learner_id": "ada", "name": "Ada Lovelace"})
    await enroll(doors, word())
    assert (await doors.delete("/learners/ada")).status_code == 204
    assert (await doors.delete("/learners/ada")).status_code == 404
    assert (await doors.get("/learners/ada")).status_code == 404
    assert await database.pool.fetchval("select count(*) from enrollment") == 0
    tombstone = (await told(database))[-1]
    assert (tombstone["topic"], tombstone["key"], tombstone["value"]) == ("learners", b"ada", None)
    assert tombstone["type"] == LearnerRegistered.TYPE

    assert (await register(doors, {"learner_id": "ada", "name": "Ada Lovelace"})).json()["accepted"] == 1
    ids = [row["event_id"] for row in await told(database)]
    assert len(ids) == len(set(ids))


async def test_the_same_rows_sent_at_once_are_told_once(doors: httpx.AsyncClient, database: Database) -> None:
    learners = [{"learner_id": f"l{n}"} for n in range(30)]
    words = [word(one["learner_id"]) for one in learners]
    await asyncio.gather(*(register(doors, *(learners if n % 2 else learners[::-1])) for n in range(6)))
    answers = await asyncio.gather(*(enroll(doors, *(words if n % 2 else words[::-1])) for n in range(6)))
    assert [answer.status_code for answer in answers] == [202] * 6
    assert len(await told(database)) == 60


async def test_a_name_is_shown_only_by_the_learners_choice(
    doors: httpx.AsyncClient, database: Database, mint: TokenMint
) -> None:
    await register(
        doors, {"learner_id": "ada", "name": "Ada"}, {"learner_id": "bob", "name": "Bob", "shows_name": True}
    )
    own = {"authorization": f"Bearer {mint.token(subject='ada', learner_id='ada')}"}
    chosen = await doors.patch("/learners/ada", json={"shows_name": True}, headers=own)
    assert (chosen.status_code, chosen.json()["shows_name"]) == (200, True)
    assert (await doors.patch("/learners/bob", json={"shows_name": False}, headers=own)).status_code == 403
    assert (await doors.patch("/learners/bob", json={"shows_name": False})).json()["shows_name"] is False
    assert (await doors.patch("/learners/bob", json={"shows_name": False})).status_code == 200
    assert (await doors.patch("/learners/zoe", json={"shows_name": True})).status_code == 404
    # What is left out stays as it was chosen.
    await register(doors, {"learner_id": "ada", "name": "Ada King"})
    contents = [LearnerRegistered.model_validate_json(row["value"]) for row in await told(database)]
    assert [(content.learner_id, content.shows_name) for content in contents] == [
        ("ada", False), ("bob", True), ("ada", True), ("bob", False), ("ada", True),
    ]  # fmt: skip

"""`POST /events`: good events are told exactly once; bad ones are named, and their neighbours are not affected."""

from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest

from libs.common.messaging.delivery import Delivery
from libs.common.postgres.database import Database
from services.progress.rules import event_id_of
from tests.services.progress.support import (
    BATCH,
    STRUCTURED,
    achievement,
    completed,
    hear,
    learner,
    quiz,
    read,
    scored,
    send,
    send_one,
    told,
)
from tests.tokens import TokenMint


@pytest.fixture
async def ada(delivery: Delivery) -> None:
    """Ada is known, and the catalogue asks for quiz 1."""
    await hear(delivery, achievement("reading", quiz(1)), learner("ada"))


@pytest.mark.usefixtures("ada")
async def test_a_good_batch_is_told(doors: httpx.AsyncClient, mint: TokenMint, database: Database) -> None:
    answer = await send(doors, mint, scored(), completed())
    assert (answer.status_code, answer.json()) == (
        202,
        {"accepted": 2, "duplicates": 0, "parked": 0, "unmapped": 1, "refused": []},
    )
    score, completion = await told(database)
    assert (score["topic"], score["key"], score["type"]) == ("assessment-scored", b"ada", "cairn.assessment-scored.v1")
    assert score["event_id"] == event_id_of("lms", "urn:lms", "score-ada-1")
    assert (score["source"], score["subject"]) == ("/cairn/progress", "quiz:1")
    assert score["time"].isoformat() == "2026-03-01T10:00:00+00:00"
    assert orjson.loads(score["value"])["score"] == {"raw": "80", "min": "0", "max": "100"}
    assert (completion["topic"], completion["subject"]) == ("activity-completed", "page:1")


@pytest.mark.usefixtures("ada")
async def test_every_type_has_its_topic(doors: httpx.AsyncClient, mint: TokenMint, database: Database) -> None:
    before = str(event_id_of("lms", "urn:lms", "score-ada-1"))
    void = {"learner_id": "ada", "assessment_id": "quiz:1", "supersedes": before}
    retract = {"learner_id": "ada", "activity_id": "page:1", "supersedes": before}
    evidence = {"learner_id": "ada", "component_id": "essay", "assessor": "Dr Hopper"}
    withdrawn = {key: text for key, text in (evidence | retract).items() if key in ("learner_id", "component_id")}
    withdrawn["supersedes"] = retract["supersedes"]
    answer = await send(
        doors,
        mint,
        scored(id="1", type="cairn.score-voided.v1", data=void),
        scored(id="2", type="cairn.completion-retracted.v1", data=retract),
        scored(id="3", type="cairn.evidence-verified.v1", data=evidence),
        scored(id="4", type="cairn.evidence-withdrawn.v1", data=withdrawn),
    )
    assert answer.json()["accepted"] == 4
    assert [row["topic"] for row in await told(database)] == [
        "assessment-scored", "activity-completed", "assessment-scored", "assessment-scored",
    ]  # fmt: skip


@pytest.mark.usefixtures("ada")
async def test_sending_again_tells_nothing(doors: httpx.AsyncClient, mint: TokenMint, database: Database) -> None:
    # The instant is the same in another time zone, so the event is.
    same = scored(time="2026-03-01T12:00:00+02:00")
    assert (await send(doors, mint, scored(), same)).json()["duplicates"] == 1
    again = await send(doors, mint, scored(), scored())
    assert (again.status_code, again.json()["accepted"], again.json()["duplicates"]) == (202, 0, 2)
    assert len(await told(database)) == 1


@pytest.mark.usefixtures("ada")
async def test_an_id_belongs_to_its_sender_and_source(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database
) -> None:
    await send(doors, mint, scored(raw=10), sender="lms")
    await send(doors, mint, scored(raw=20), sender="other")
    await send(doors, mint, scored(raw=30, source="urn:lms:2"), sender="lms")
    assert len({row["event_id"] for row in await told(database)}) == 3


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    "changed",
    [scored(raw=81), scored(time="2026-03-01T10:00:01Z"), completed(id="score-ada-1")],
    ids=["body", "time", "type"],
)
async def test_a_used_id_with_another_body_is_a_conflict(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database, changed: dict[str, object]
) -> None:
    await send(doors, mint, scored())
    answer = await send(doors, mint, changed)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == "/0/id"
    within = await send(doors, mint, scored(number=2), scored(number=2, raw=1), scored(number=2))
    assert (within.status_code, within.json()["accepted"], within.json()["duplicates"]) == (207, 1, 1)
    refused = within.json()["refused"]
    assert [(one["index"], one["id"], one["problem"]["status"]) for one in refused] == [(1, "score-ada-2", 409)]
    assert len(await told(database)) == 2


BAD = {
    "not an object": (7, 400, ""),
    "no id": ({k: v for k, v in scored().items() if k != "id"}, 400, "/id"),
    "no time": ({k: v for k, v in scored().items() if k != "time"}, 400, "/time"),
    "empty id": (scored(id=""), 422, "/id"),
    "id with a NUL": (scored(id="a\0b"), 422, "/id"),
    "another specversion": (scored(specversion="0.3"), 422, "/specversion"),
    "a time without offset": (scored(time="2026-03-01T10:00:00"), 422, "/time"),
    "a time before the calendar": (scored(time="0001-01-01T00:00:00+14:00"), 422, "/time"),
    "an unknown type": (scored(type="org.example.thing.v1"), 422, "/type"),
    "another version": (scored(type="cairn.assessment-scored.v2"), 422, "/type"),
    "no data": (scored(data=None), 422, "/data"),
    "data that is no object": (scored(data=[1]), 422, "/data"),
    "data that is no JSON": (scored(datacontenttype="text/xml"), 422, "/datacontenttype"),
    "a learner id of another kind": (scored(data=scored()["data"] | {"learner_id": 5}), 422, "/data/learner_id"),
    "a learner id with a slash": (scored("a/b"), 422, "/data/learner_id"),
    "no assessment": (scored(data={"learner_id": "ada", "score": {"scaled": 1}}), 422, "/data/assessment_id"),
    "a score that is no number": (scored(raw="many"), 422, "/data/score/raw"),  # type: ignore[arg-type]
    "a score of nothing": (scored(data=scored()["data"] | {"score": {"raw": 3}}), 422, "/data/score"),
    "an endless score": (scored(data=scored()["data"] | {"score": {"scaled": "Infinity"}}), 422, "/data/score/scaled"),
}


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("bad", BAD)
async def test_a_bad_event_is_refused_and_its_neighbours_are_told(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database, bad: str
) -> None:
    event, status, pointer = BAD[bad]
    answer = await send(doors, mint, completed(number=1), event, completed(number=2))
    assert (answer.status_code, answer.json()["accepted"]) == (207, 2)
    (refused,) = answer.json()["refused"]
    assert (refused["index"], refused["problem"]["status"]) == (1, status)
    assert refused["problem"]["errors"][0]["pointer"] == pointer
    assert "expected" in str(refused["problem"]).lower() or "found" in str(refused["problem"])
    assert [row["subject"] for row in await told(database)] == ["page:1", "page:2"]

    alone = await send_one(doors, mint, event)
    assert (alone.status_code, alone.headers["content-type"]) == (status, "application/problem+json")
    assert alone.json()["errors"][0]["pointer"] == (pointer or "/")


async def test_a_batch_of_bad_events_is_one_problem(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    answer = await send(doors, mint, 7, scored(type="org.example.thing.v1"))
    assert (answer.status_code, answer.json()["title"]) == (422, "No event was accepted")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/0", "/1/type"]


async def test_a_body_that_is_no_batch(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    headers = mint.headers("events.write") | {"content-type": BATCH}
    for body, title in ((b'[{"id": ', "Malformed JSON"), (b"{}", "Not a batch"), (b'["\\ud800"]', "Malformed JSON")):
        answer = await doors.post("/events", content=body, headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (400, title)


async def test_an_empty_batch_changes_nothing(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    answer = await send(doors, mint)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 0)


async def test_what_is_too_large_is_refused(doors: httpx.AsyncClient, mint: TokenMint, database: Database) -> None:
    many = await send(doors, mint, *(scored(number=n) for n in range(51)))
    assert (many.status_code, many.json()["title"]) == (413, "Batch too long")
    long = await send(doors, mint, scored(padding="x" * 65_536))
    assert (long.status_code, long.json()["title"]) == (413, "Body too large")
    assert await database.pool.fetchval("select count(*) from event") == 0


async def test_another_content_type_is_refused(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    for content_type in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
        headers = mint.headers("events.write") | {"content-type": content_type}
        answer = await doors.post("/events", content=orjson.dumps([scored()]), headers=headers)
        assert answer.status_code == 415
        assert STRUCTURED in answer.headers["accept"]


@pytest.mark.usefixtures("ada")
async def test_one_event_in_each_mode(doors: httpx.AsyncClient, mint: TokenMint, database: Database) -> None:
    structured = await send_one(doors, mint, scored(number=1), **{"content-type": f"{STRUCTURED}; charset=utf-8"})
    assert structured.json()["event_id"] == str(event_id_of("lms", "urn:lms", "score-ada-1"))
    attributes = scored(number=2, source="urn:caf%C3%A9")
    content = attributes.pop("data")
    headers = mint.headers("events.write", subject="lms") | {f"ce-{name}": text for name, text in attributes.items()}
    binary = await doors.post(
        "/events", content=orjson.dumps(content), headers=headers | {"content-type": "application/json"}
    )
    assert (binary.status_code, binary.json()["accepted"]) == (202, 1)
    assert binary.json()["event_id"] == str(event_id_of("lms", "urn:café", "score-ada-2"))
    assert [row["subject"] for row in await told(database)] == ["quiz:1", "quiz:2"]


@pytest.mark.usefixtures("ada")
async def test_fields_that_nobody_asked_for_stay_at_the_door(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database
) -> None:
    await send(doors, mint, scored(data=scored()["data"] | {"learner_name": "Ada Lovelace"}))
    assert b"Lovelace" not in (await told(database))[0]["value"]
    assert b"Lovelace" not in await database.pool.fetchval("select body from event")


async def test_the_door_is_closed_without_the_scope(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    body = orjson.dumps([scored()])
    assert (await doors.post("/events", content=body, headers={"content-type": BATCH})).status_code == 401
    reader = mint.headers("records.read") | {"content-type": BATCH}
    assert (await doors.post("/events", content=body, headers=reader)).status_code == 403
    writer = mint.headers("events.write")
    for path in ("/events?state=parked", "/learners/ada/progress"):
        assert (await doors.get(path)).status_code == 401
        assert (await doors.get(path, headers=writer)).status_code == 403


@pytest.mark.usefixtures("ada")
async def test_the_same_events_sent_at_once_in_any_order_are_told_once(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database
) -> None:
    events = [scored(number=n) for n in range(40)]
    answers = await asyncio.gather(*(send(doors, mint, *(events if n % 2 else events[::-1])) for n in range(6)))
    assert [answer.status_code for answer in answers] == [202] * 6
    assert sum(answer.json()["accepted"] for answer in answers) == 40
    assert len(await told(database)) == 40


@pytest.mark.usefixtures("ada")
async def test_unmapped_events_are_marked_until_the_catalogue_mentions_them(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database, delivery: Delivery
) -> None:
    events = [scored(number=n) for n in (1, 2, 3)]
    assert (await send(doors, mint, *events)).json()["unmapped"] == 2
    listed = (await read(doors, mint, "/events?state=unmapped")).json()
    assert {event["object_id"] for event in listed["events"]} == {"quiz:2", "quiz:3"}
    assert len(await told(database)) == 3

    await hear(delivery, achievement("writing", quiz(2)))
    listed = (await read(doors, mint, "/events?state=unmapped")).json()
    assert [event["object_id"] for event in listed["events"]] == ["quiz:3"]
    # A completion of an activity of the same name is about something else.
    await send(doors, mint, completed(data={"learner_id": "ada", "activity_id": "quiz:2"}))
    listed = (await read(doors, mint, "/events?state=unmapped")).json()
    assert {(event["type"], event["object_id"]) for event in listed["events"]} == {
        ("cairn.assessment-scored.v1", "quiz:3"), ("cairn.activity-completed.v1", "quiz:2"),
    }  # fmt: skip

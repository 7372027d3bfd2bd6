"""Learning events, messages and shorthands of the progress tests."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid5

import httpx
import orjson

from libs.common.contracts import AchievementPublished, Contract, LearnerRegistered
from libs.common.messaging.delivery import Delivery, Outcome
from libs.common.postgres.database import Database
from services.progress.rules.arrival import EVENT_NAMESPACE
from tests.tokens import TokenMint

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
TIME = "2026-03-01T10:00:00Z"
_offsets = itertools.count()


def scored(learner_id: str = "ada", number: int = 1, raw: float = 80, **changes: Any) -> dict[str, Any]:
    """A CloudEvent: `learner_id` scored `raw` of 100 in assessment `number`. `changes` replace attributes."""
    event = {
        "specversion": "1.0",
        "id": f"score-{learner_id}-{number}",
        "source": "urn:lms",
        "type": "cairn.assessment-scored.v1",
        "time": TIME,
        "data": {"learner_id": learner_id, "assessment_id": f"quiz:{number}", "score": {"raw": raw, "max": 100}},
    }
    return event | changes


def completed(learner_id: str = "ada", number: int = 1, **changes: Any) -> dict[str, Any]:
    """A CloudEvent: `learner_id` completed activity `number`."""
    event = {
        "specversion": "1.0",
        "id": f"done-{learner_id}-{number}",
        "source": "urn:lms",
        "type": "cairn.activity-completed.v1",
        "time": TIME,
        "data": {"learner_id": learner_id, "activity_id": f"page:{number}"},
    }
    return event | changes


TRACEPARENTLESS = scored()


async def send(
    doors: httpx.AsyncClient, mint: TokenMint, *events: object, sender: str = "lms", **headers: str
) -> httpx.Response:
    """POST the events as one batch."""
    sent = mint.headers("events.write", subject=sender) | {"content-type": BATCH} | headers
    return await doors.post("/events", content=orjson.dumps(events), headers=sent)


async def send_one(doors: httpx.AsyncClient, mint: TokenMint, event: object, **headers: str) -> httpx.Response:
    """POST one event in structured mode."""
    sent = mint.headers("events.write", subject="lms") | {"content-type": STRUCTURED} | headers
    return await doors.post("/events", content=orjson.dumps(event), headers=sent)


async def read(doors: httpx.AsyncClient, mint: TokenMint, path: str) -> httpx.Response:
    """GET with the scope of the records."""
    return await doors.get(path, headers=mint.headers("records.read"))


async def told(database: Database) -> list[dict[str, Any]]:
    """What waits in the outbox to be told, in order, but for dead letters."""
    rows = await database.pool.fetch("select * from outbox where header_names is null order by id")
    return [dict(row) for row in rows]


@dataclass(frozen=True)
class Message:
    """A Kafka record of the tests."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    partition: int = 0
    timestamp: int = 1_772_000_000_000
    offset: int = field(default_factory=lambda: next(_offsets))


def message(topic: str, contract: type[Contract], key: str, content: Any, **attributes: str) -> Message:
    """A CloudEvent in Kafka's binary mode; `content` is JSON to be, or None for a tombstone."""
    offset = next(_offsets)
    given = {"specversion": "1.0", "id": str(uuid5(EVENT_NAMESPACE, f"test {offset}")), "source": "urn:test",
             "type": contract.TYPE, "time": TIME} | attributes  # fmt: skip
    headers = [(name if name == "traceparent" else f"ce_{name}", text.encode()) for name, text in given.items()]
    value = None if content is None else orjson.dumps(content)
    return Message(topic, key.encode(), value, headers, offset=offset)


def learner(learner_id: str, *, erased: bool = False, **attributes: str) -> Message:
    """The message that a learner is registered, or erased."""
    content = None if erased else {"learner_id": learner_id, "registered_at": TIME}
    return message("learners", LearnerRegistered, learner_id, content, **attributes)


def achievement(achievement_id: str, *requirements: dict[str, Any]) -> Message:
    """The message that an achievement is published that asks for all of the requirements."""
    content = {
        "achievement_id": achievement_id, "version": 1, "kind": "micro-credential", "issuer_id": "school",
        "name": "Name", "description": "Description", "criteria": "Criteria", "published_at": TIME,
        "requirement": {"kind": "all", "of": requirements},
    }  # fmt: skip
    return message("catalogue", AchievementPublished, achievement_id, content)


def quiz(number: int) -> dict[str, Any]:
    """The requirement to pass assessment `number`."""
    return {"kind": "assessment", "assessment_id": f"quiz:{number}", "at_least": 0.4}


async def hear(delivery: Delivery, *messages: Message) -> Outcome:
    """Deliver a batch of messages to progress's worker."""
    return await delivery.handle(messages)

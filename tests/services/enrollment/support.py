"""Issuers, achievements and shorthands of the enrollment tests."""

from __future__ import annotations

from typing import Any

import httpx

from libs.common.postgres.database import Database

ISSUER_BODY = {"name": "School", "url": "https://school.example"}


def body(requirement: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """What `PUT /achievements/{id}` takes; `changes` replace fields."""
    return {
        "kind": "micro-credential",
        "issuer_id": "school",
        "name": "Reading",
        "description": "Reads.",
        "criteria": "Pass the quiz.",
        "requirement": requirement or quiz(1),
    } | changes


def quiz(number: int) -> dict[str, Any]:
    """The requirement to pass assessment `number`."""
    return {"kind": "assessment", "assessment_id": f"quiz:{number}", "at_least": 0.4}


def badge(achievement_id: str) -> dict[str, Any]:
    """The requirement to hold a badge of the achievement."""
    return {"kind": "badge", "achievement_id": achievement_id}


async def publish(doors: httpx.AsyncClient, achievement_id: str, content: dict[str, Any]) -> httpx.Response:
    """Publish an achievement of the issuer `school`, which is published first."""
    assert (await doors.put("/issuers/school", json=ISSUER_BODY)).status_code in (200, 201)
    return await doors.put(f"/achievements/{achievement_id}", json=content)


async def told(database: Database) -> list[dict[str, Any]]:
    """What waits in the outbox to be told, in order."""
    return [dict(row) for row in await database.pool.fetch("select * from outbox order by id")]


def pointers(answer: httpx.Response) -> list[str]:
    """The places that a problem document names."""
    assert answer.headers["content-type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json().get("errors", [])]

"""`/learners/{learner_id}/progress`: what a learner has done so far."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from libs.common.contracts.contract import Identifier
from libs.common.postgres.database import Database
from libs.common.problems import Problem
from libs.common.security import requires
from services.progress import rules, store

router = APIRouter(tags=["learners"])

MOST_EVENTS = 10_000


@router.get("/learners/{learner_id}/progress", dependencies=[Depends(requires("records.read"))])
async def get_progress(request: Request, learner_id: Annotated[Identifier, Path()]) -> Response:
    """The learner's enrolments, activities, assessments, evidence, badges and milestones; how many events are parked.

    `complete` is false when the learner has more than the newest 10,000 events, which are summed up.
    """
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        known = bool(await store.known_learners(connection, [learner_id]))
        enrollments = await store.enrollments_of_learner(connection, learner_id)
        badges = await store.badges_of_learner(connection, learner_id)
        milestones = await store.milestones_of_learner(connection, learner_id)
        events = await store.events_of_learner(connection, learner_id, limit=MOST_EVENTS)
    if not (known or enrollments or badges or events):
        raise Problem(404, "Unknown learner", "Expected a learner who is registered or of whom events came.")
    answer = {
        "learner_id": learner_id,
        "known": known,
        "enrollments": [asdict(enrollment) for enrollment in enrollments],
        **rules.summarise(events),
        "badges": [asdict(badge) for badge in badges],
        "milestones": [asdict(milestone) for milestone in milestones],
        "events": len(events),
        "complete": len(events) < MOST_EVENTS,
    }
    return Response(orjson.dumps(answer, default=str), media_type="application/json")

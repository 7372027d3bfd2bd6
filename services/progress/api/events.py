"""`/events`: where learning events come in, and where those that wait or are unmapped are seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal, cast

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from libs.common.messaging.work import begin
from libs.common.postgres.database import Database
from libs.common.problems import Problem
from libs.common.security import Principal, requires
from libs.common.telemetry import current_traceparent, tracer
from services.progress import handlers, rules, store
from services.progress.api.reading import BATCH, BINARY, STRUCTURED, documents_in, media_type_of
from services.progress.model import FORMS, Classified, FieldFault, KeptEvent, LearningEvent, Refused
from services.progress.settings import ProgressSettings

router = APIRouter(tags=["events"])
_LARGEST_PLACE = 2**63 - 1  # PostgreSQL's bigint

MOST_LISTED = 1_000
_ONE = {"type": "object", "description": f"A CloudEvent 1.0 of one of the types {', '.join(FORMS)}"}
_REQUEST_BODY = {
    "required": True,
    "content": {
        STRUCTURED: {"schema": _ONE},
        BATCH: {"schema": {"type": "array", "items": _ONE}},
        BINARY: {"schema": {"type": "object", "description": "The data; the attributes are ce-* headers"}},
    },
}


@router.post("/events", status_code=202, openapi_extra={"requestBody": _REQUEST_BODY})
async def post_events(request: Request, principal: Annotated[Principal, Depends(requires("events.write"))]) -> Response:
    """Take in one learning event or a batch; each event of a batch stands for itself.

    Answers 202 with the counts `accepted` (new, of which `parked` wait for their learner and `unmapped` are
    mentioned by no published achievement), `duplicates` and the list `refused`; 207 when only some are refused;
    a problem document when all are. An event is known by sender, `source` and `id`: sending it again is safe.
    """
    settings = cast("ProgressSettings", request.app.state.settings)
    body = await request.body()
    with tracer.start_as_current_span("ingest") as span:
        documents = documents_in(request.headers, body, most=settings.most_events_a_request)
        events, positions, refused = rules.read_batch(
            documents, sender=principal.subject, traceparent=current_traceparent()
        )
        outcome = Classified((), (), (), (), 0)
        if events:
            async with begin(request.app.state.database) as work:
                outcome = await handlers.record_events(work, events)
        refused += [_conflict(events[position], positions[position]) for position in outcome.conflicts]
        refused.sort(key=lambda one: one.position)
        accepted = len(outcome.told) + len(outcome.parked)
        span.set_attributes({
            "cairn.accepted": accepted, "cairn.duplicates": len(outcome.duplicates),
            "cairn.parked": len(outcome.parked), "cairn.refused": len(refused),
        })  # fmt: skip
    batch = media_type_of(request.headers) == BATCH
    if refused and len(refused) == len(documents):
        raise _problem(refused, batch=batch)
    answer: dict[str, Any] = {
        "accepted": accepted,
        "duplicates": len(outcome.duplicates),
        "parked": len(outcome.parked),
        "unmapped": outcome.unmapped,
        "refused": [_refusal(one) for one in refused],
    }
    if not batch:
        answer["event_id"] = events[0].event_id
    return _json(answer, 207 if refused else 202)


@router.get("/events", dependencies=[Depends(requires("records.read"))])
async def get_events(
    request: Request,
    state: Literal["parked", "unmapped"],
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
    after: Annotated[int, Query(ge=0, le=_LARGEST_PLACE, description="`next` of the page before")] = 0,
) -> Response:
    """The events that wait for an unknown learner, or whose object no published achievement mentions.

    In order of arrival. `next` is the `after` of the following page, null on the last one.
    """
    database: Database = request.app.state.database
    listed = store.parked_events if state == "parked" else store.unmapped_events
    async with database.transaction() as connection:
        events = await listed(connection, after=after, limit=limit + 1)
    page = events[:limit]
    following = page[-1].sequence if len(events) > limit else None
    return _json({"state": state, "events": [_shown(event) for event in page], "next": following}, 200)


def _shown(event: KeptEvent) -> dict[str, Any]:
    shown = asdict(event)
    traceparent = shown.pop("traceparent")
    shown["trace_id"] = traceparent.split("-")[1] if traceparent else None
    shown["id"] = shown.pop("source_id")
    return shown


def _conflict(event: LearningEvent, position: int) -> Refused:
    detail = f"expected a new id, or the body that it was sent with before; found {event.source_id!r} with another"
    return Refused(position, event.source_id, 409, "Conflict", (FieldFault("/id", detail),))


def _refusal(refused: Refused) -> dict[str, Any]:
    faults = [asdict(fault) for fault in refused.faults]
    problem = {"title": refused.title, "status": refused.status, "errors": faults}
    return {"index": refused.position, "id": refused.id, "problem": problem}


def _problem(refused: Sequence[Refused], *, batch: bool) -> Problem:
    """All were refused: one problem, with every fault at its place in the body."""
    statuses = {one.status for one in refused}
    titles = Counter(one.title for one in refused)
    title = refused[0].title if len(titles) == 1 else "No event was accepted"
    errors = tuple(
        {"pointer": (f"/{one.position}" if batch else "") + fault.pointer or "/", "detail": fault.detail}
        for one in refused
        for fault in one.faults
    )
    return Problem(statuses.pop() if len(statuses) == 1 else 422, title, errors=errors)


def _json(document: object, status: int) -> Response:
    return Response(orjson.dumps(document, default=str), status, media_type="application/json")

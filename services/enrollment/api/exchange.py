"""What the routes share: JSON documents in, JSON and problem documents out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, cast

import orjson
from fastapi import Request
from starlette.responses import Response

from libs.common.problems import Problem
from services.enrollment.model import Fault, NotPublished, Published, Recorded, Refused

JSON = "application/json"


async def document_in(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises `Problem` 400 when it is none, 415 for another content type."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        detail = f"Expected {JSON}, found {media_type or 'nothing'!r:.80}."
        raise Problem(415, "Unsupported content type", detail, headers=(("Accept", JSON),))
    try:
        parsed: object = orjson.loads(await request.body())
    except orjson.JSONDecodeError as fault:
        raise Problem(400, "Malformed JSON", f"Expected JSON (RFC 8259), found: {fault}.") from None
    if not isinstance(parsed, dict):
        raise Problem(400, "Not an object", f"Expected a JSON object, found {type(parsed).__name__}.")
    return cast("dict[str, Any]", parsed)


async def rows_in(request: Request, name: str, *, most: int) -> list[object]:
    """The rows of a batch, `{name: […]}`. Raises `Problem` 413 when they are too many, 422 when there is no list."""
    rows = (await document_in(request)).get(name)
    if not isinstance(rows, list):
        found = "nothing" if rows is None else type(rows).__name__
        errors = ({"pointer": f"/{name}", "detail": f"expected an array, found {found}"},)
        raise Problem(422, "Invalid request", errors=errors)
    batch = cast("list[object]", rows)
    if len(batch) > most:
        raise Problem(413, "Batch too long", f"Expected at most {most} rows, found {len(batch)}.")
    return batch


def answer(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(document), status, headers, media_type=JSON)


def errors_of(faults: Iterable[Fault], under: str = "") -> tuple[dict[str, Any], ...]:
    """Faults as the `errors` of a problem, each with its JSON Pointer below `under`."""
    return tuple({"pointer": under + fault.pointer or "/", "detail": fault.detail} for fault in faults)


def published(outcome: Published | NotPublished, location: str) -> Response:
    """The answer to a publication: 201, or 200 when nothing changed. Raises `Problem` when it was refused."""
    if isinstance(outcome, NotPublished):
        raise Problem(outcome.status, outcome.title, errors=errors_of(outcome.faults))
    content = outcome.content.model_dump(mode="json", exclude_none=True)
    return answer(content, 201 if outcome.is_new else 200, {"Location": location})


def recorded(outcome: Recorded, name: str) -> Response:
    """The answer to a batch: 202, 207 when some rows are refused. Raises `Problem` 422 when all are."""
    refused = outcome.refused
    if refused and not outcome.accepted and not outcome.unchanged:
        errors = tuple(error for one in refused for error in errors_of(one.faults, f"/{name}/{one.position}"))
        raise Problem(422, "No row was accepted", errors=errors)
    counts = {"accepted": outcome.accepted, "unchanged": outcome.unchanged}
    return answer({**counts, "refused": [_refusal(one) for one in refused]}, 207 if refused else 202)


def _refusal(refused: Refused) -> dict[str, Any]:
    faults = [asdict(fault) for fault in refused.faults]
    problem = {"title": "Invalid row", "status": 422, "errors": faults}
    return {"index": refused.position, "learner_id": refused.learner_id, "problem": problem}

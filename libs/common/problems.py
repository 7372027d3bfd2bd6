"""HTTP errors as RFC 9457 problem documents: what was expected, what was found, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from libs.common.contracts.envelope import Refusal

log = structlog.get_logger(__name__)

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 2
_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["detail"],
            },
        },
    },
    "required": ["type", "title", "status"],
}
_PROBLEM: dict[str, Any] = {
    "description": "A problem document (RFC 9457)",
    "content": {PROBLEM_JSON: {"schema": _PROBLEM_SCHEMA}},
}
# How every service's OpenAPI document describes its refusals; 422 stands in place of FastAPI's own form.
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {"4XX": _PROBLEM, 422: _PROBLEM, 503: _PROBLEM}
# What a database that is away, restarting, refusing connections or too busy for this transaction looks like from
# here: the same request may be sent again.
AWAY = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError,
        asyncpg.TooManyConnectionsError, asyncpg.InterfaceError, asyncpg.DeadlockDetectedError,
        asyncpg.SerializationError, asyncpg.LockNotAvailableError, OSError, TimeoutError)  # fmt: skip


@dataclass
class Problem(Exception):
    """A refusal on its way to an HTTP caller.

    `title` is the same for every occurrence of the problem; `detail` speaks of this one; `errors` names the
    fields, each as `{"pointer": JSON Pointer, "detail": text}`; `headers` are added to the response.
    """

    status: int
    title: str
    detail: str = ""
    errors: tuple[dict[str, Any], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        """The problem as RFC 9457 section 3 members."""
        document: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = list(self.errors)
        return document

    def response(self) -> Response:
        """The problem as an HTTP response."""
        return Response(orjson.dumps(self.document()), self.status, dict(self.headers), media_type=PROBLEM_JSON)


INTERNAL_ERROR = Problem(500, "Internal error", "The fault was logged with this request's trace id.")


def field_error(pointer: str, refusal: Refusal) -> dict[str, Any]:
    """One entry of a problem's `errors`: the field's JSON Pointer and what was wrong with it."""
    return {"pointer": pointer, "detail": f"expected {refusal.expected}, found {refusal.found}"}


def pydantic_errors(fault: ValidationError | RequestValidationError, under: str = "") -> tuple[dict[str, Any], ...]:
    """The faults that pydantic found, each with the JSON Pointer of its field (below `under`)."""
    return tuple(_error(error, under) for error in fault.errors())


def _error(error: Any, under: str) -> dict[str, Any]:
    location: Sequence[Any] = error["loc"]
    if location and location[0] in ("body", "query", "path", "header"):
        location = location[1:]
    pointer = under + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)
    found = repr(error.get("input"))[:120]
    return {"pointer": pointer or "/", "detail": f"{error['msg']}; found {found}"}


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of `app` a problem document. A database that is away answers 503 with Retry-After."""

    async def problem(_: Request, fault: Exception) -> Response:
        assert isinstance(fault, Problem)
        return fault.response()

    async def http(_: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)
        headers = tuple((fault.headers or {}).items())
        return Problem(fault.status_code, str(fault.detail), headers=headers).response()

    async def invalid(_: Request, fault: Exception) -> Response:
        assert isinstance(fault, RequestValidationError)
        return Problem(422, "Invalid request", errors=pydantic_errors(fault)).response()

    async def away(request: Request, fault: Exception) -> Response:
        if isinstance(fault, ValueError):  # asyncpg's DataError is an InterfaceError too: ours, and no outage
            return await unforeseen(request, fault)
        log.warning("database away", fault=type(fault).__name__)
        retry = (("Retry-After", str(RETRY_AFTER_SECONDS)),)
        return Problem(503, "Temporarily unavailable", "The database is away; try again.", headers=retry).response()

    async def unforeseen(_: Request, fault: Exception) -> Response:
        log.error("unforeseen fault", exc_info=fault)
        return INTERNAL_ERROR.response()

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in AWAY:
        app.add_exception_handler(kind, away)
    app.add_exception_handler(Exception, unforeseen)

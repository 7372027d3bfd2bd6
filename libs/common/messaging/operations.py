"""The operators' door of every service: dead letters and the state of delivery (B9). Scope `operations`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from libs.common.messaging import dead_letters
from libs.common.messaging.dead_letters import DeadLetterContent, State
from libs.common.postgres.database import Database
from libs.common.problems import Problem
from libs.common.security import Principal, requires

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

_LARGEST_ID = 2**63 - 1
_operator = requires("operations")
Operator = Annotated[Principal, Depends(_operator)]
DeadLetterId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]


class Motive(BaseModel):
    """Why an operator asks for something; kept in the audit trail."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=1000, pattern=r"\S")


def operations_router(
    service: str,
    database_of: Callable[[Request], Database],
    *,
    also_waiting: Callable[[Connection], Awaitable[Mapping[str, int]]] | None = None,
) -> APIRouter:
    """The `/operations` routes of `service`; `database_of` gives the database of a request's app.

    `also_waiting` counts, by name, what waits in this service beside what waits in all: it joins the backlog.
    """
    router = APIRouter(prefix="/operations", tags=["operations"], dependencies=[Depends(_operator)])

    @router.get("/dead-letters")
    async def list_dead_letters(  # pyright: ignore[reportUnusedFunction]
        request: Request,
        state: Annotated[Sequence[State], Query()] = dead_letters.OPEN,
        after_id: Annotated[int, Query(ge=0, le=_LARGEST_ID)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        async with database_of(request).transaction() as connection:
            letters = await dead_letters.list_dead_letters(connection, states=state, after_id=after_id, limit=limit)
        return {"service": service, "dead_letters": [asdict(letter) for letter in letters]}

    @router.get("/dead-letters/{dead_letter_id}")
    async def show_dead_letter(  # pyright: ignore[reportUnusedFunction]
        request: Request, dead_letter_id: DeadLetterId
    ) -> dict[str, Any]:
        async with database_of(request).transaction() as connection:
            content = await dead_letters.show_dead_letter(connection, dead_letter_id)
        if content is None:
            raise _unknown(dead_letter_id)
        return _shown(content)

    async def ask(request: Request, dead_letter_id: int, action: str, principal: Principal, motive: Motive) -> Any:
        asked = dead_letters.request_resend if action == "resend" else dead_letters.request_discard
        async with database_of(request).transaction() as connection:
            done = await asked(connection, dead_letter_id, by=principal.subject, reason=motive.reason)
            content = await dead_letters.show_dead_letter(connection, dead_letter_id)
        if content is None:
            raise _unknown(dead_letter_id)
        if not done:
            detail = f"Expected a dead letter in the state 'waiting', found {content.letter.state!r}."
            raise Problem(409, "Not waiting", detail)
        return _shown(content)

    @router.post("/dead-letters/{dead_letter_id}/resend", status_code=202)
    async def resend(  # pyright: ignore[reportUnusedFunction]
        request: Request, dead_letter_id: DeadLetterId, motive: Motive, principal: Operator
    ) -> dict[str, Any]:
        return await ask(request, dead_letter_id, "resend", principal, motive)

    @router.post("/dead-letters/{dead_letter_id}/discard", status_code=202)
    async def discard(  # pyright: ignore[reportUnusedFunction]
        request: Request, dead_letter_id: DeadLetterId, motive: Motive, principal: Operator
    ) -> dict[str, Any]:
        return await ask(request, dead_letter_id, "discard", principal, motive)

    @router.get("/delivery")
    async def delivery(request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        async with database_of(request).transaction() as connection:
            backlog = asdict(await dead_letters.delivery_backlog(connection))
            if also_waiting is not None:
                backlog |= await also_waiting(connection)
            return {
                "service": service,
                "backlog": backlog,
                "positions": [asdict(found) for found in await dead_letters.delivery_positions(connection)],
                "workers": [asdict(found) for found in await dead_letters.heartbeats(connection)],
            }

    return router


def _unknown(dead_letter_id: int) -> Problem:
    return Problem(404, "No such dead letter", f"Found no dead letter with the id {dead_letter_id}.")


def _shown(content: DeadLetterContent) -> dict[str, Any]:
    return {
        **asdict(content.letter),
        "sent_at": content.sent_at,
        "key": _text(content.key),
        "value": _text(content.value),
        "headers": [[name, _text(found)] for name, found in content.headers],
        "traceparent": content.traceparent,
        "audit": [asdict(entry) for entry in content.audit],
    }


def _text(content: bytes | None) -> str | None:
    """Bytes for people: what is not UTF-8 is shown as escapes."""
    return None if content is None else content.decode(errors="backslashreplace")

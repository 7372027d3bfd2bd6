"""Badges of other issuers: a learner, or who may write records, brings them (B12)."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response

from libs.common.checking import Terms
from libs.common.checking.model import Judgement
from libs.common.checking.recipient import Person, person_of
from libs.common.checking.strict import Fault
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal, caller, requires
from libs.common.telemetry import current_traceparent
from libs.common.web.brought import Brought, brought_in
from libs.common.web.negotiation import preferred
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.desk import Desk
from services.awarding.api.own_imports import imports_page
from services.awarding.api.records import JSON, PAGE, learner_reader
from services.awarding.api.requests import database_of
from services.awarding.model import Import, NotImported
from services.awarding.rules.imports import OWN_BADGE, decide_import, import_told, is_own, issuer_named, next_look
from services.awarding.store import imports as import_store
from services.awarding.store import learners as learner_store

WRITES = "records.write"
_PATIENCE_SECONDS = 5
_STATUS = {"duplicate": 409, "too-many": 409}
_TITLES = {
    "nothing-found": "No badge found",
    "not-genuine": "Badge is not genuine or not in force",
    "other-recipient": "Badge of somebody else",
    "no-badge": "Not a badge",
    "own-badge": "Our own badge",
    "duplicate": "Badge is imported already",
    "too-many": "Too many imported badges",
}

router = APIRouter(prefix="/learners/{learner_id}/imported-badges", tags=["imported badges"])


def learner_writer(request: Request, learner_id: str) -> Principal:
    """Who may bring and drop badges of a learner: the learner, or a caller with the scope `records.write`."""
    principal = caller(request)
    if principal is not None and principal.learner_id == learner_id:
        return principal
    return requires(WRITES)(request)


Writer = Annotated[Principal, Depends(learner_writer)]


@router.post("", status_code=202)
async def bring(request: Request, response: Response, learner_id: str, principal: Writer) -> dict[str, Any]:
    """Bring a badge of another issuer: as JSON, token, PNG, SVG or PDF; or JSON or a form with `url` or `text`.

    `recipient` (in the JSON, the form or the query; `email:ada@example.org`) says to whom it was awarded. A learner
    names the e-mail address that they are registered with; for any other identifier an authorised person answers.
    What is genuine counts within seconds; what nobody can tell now is tried again.
    """
    brought = await brought_in(request)
    person = _person(request, brought)
    desk = cast("Desk", request.app.state.desk)
    if not await learner_store.is_learner_known(database_of(request).pool, learner_id):
        raise Problem(404, "Not found", "Expected a known learner, found none of this id.")
    if is_own(issuer_named(brought.content), desk.addresses):
        raise _refusal(OWN_BADGE, None)
    now = datetime.now(UTC)
    judgement, carried = await _judged(desk, principal, brought, Terms(now, frozenset(), person))
    found = decide_import(judgement, desk.addresses)
    if isinstance(found, NotImported):
        raise _refusal(found, judgement)
    asked = _asked(learner_id, principal, person, now)
    asked = replace(
        asked, state="unclear" if found is None else "genuine", badge=found, brought=carried,
        digest="sha256:" + hashlib.sha256(carried).hexdigest(),
    )  # fmt: skip
    asked = replace(asked, next_check_at=next_look(asked, now, desk.every))
    async with begin(database_of(request)) as work:
        kept = await handlers.record_import(work, asked)
    if isinstance(kept, NotImported):
        raise _refusal(kept, judgement)
    response.headers["Location"] = f"/learners/{learner_id}/imported-badges/{kept.import_id}"
    return {**import_told(kept), "sentence": judgement.sentence, "findings": _findings(judgement)}


@router.get("", response_model=dict[str, Any])
async def imports(
    request: Request, response: Response, learner_id: str, principal: Annotated[Principal, Depends(learner_reader)]
) -> Any:
    """The badges that a learner brought, or programs for them, and what became of each, as JSON or as a page, where the
    learner says to which address a pushed one was awarded. For the learner and for `records.read`."""
    pool = database_of(request).pool
    if preferred(request.headers.get("accept"), (JSON, PAGE)) == PAGE:
        found = await import_store.imports_of(pool, learner_id)
        return imports_page(request, learner_id, found, is_own=principal.learner_id == learner_id)
    response.headers["Vary"] = "Accept"
    return {"learner_id": learner_id, "imported_badges": await handlers.show_imports(pool, learner_id)}


@router.get("/{import_id}")
async def imported(
    request: Request, learner_id: str, import_id: UUID, _: Annotated[Principal, Depends(learner_reader)]
) -> dict[str, Any]:
    """One badge that a learner brought. For the learner and for `records.read`."""
    found = await handlers.show_import(database_of(request).pool, learner_id, import_id)
    if found is None:
        raise not_found()
    return found


@router.post("/{import_id}/check", status_code=202)
async def check(request: Request, learner_id: str, import_id: UUID, principal: Writer) -> dict[str, Any]:
    """Have a badge looked at again at its source, without waiting for its turn.

    With `recipient` as for one that is brought, where it is not known to whom a pushed badge was awarded.
    """
    await cast("Desk", request.app.state.desk).pace.take(principal.subject)
    person = _person_named(request.query_params["recipient"]) if "recipient" in request.query_params else None
    named = None if person is None else (person.kind, person.identity)
    vouched = principal.learner_id != learner_id
    async with begin(database_of(request)) as work:
        asked = await handlers.schedule_import_check(work, learner_id, import_id, named, is_vouched=vouched)
        found = await handlers.show_import(work.connection, learner_id, import_id)
    if not asked or found is None:
        raise not_found()
    return found


@router.delete("/{import_id}", status_code=204)
async def drop(request: Request, learner_id: str, import_id: UUID, _: Writer) -> None:
    """Take an imported badge back: what stands on it follows, as each achievement says (B4)."""
    async with begin(database_of(request)) as work:
        had = await handlers.withdraw_import(work, learner_id, import_id, datetime.now(UTC))
    if not had:
        raise not_found()


def _person(request: Request, brought: Brought) -> Person:
    asked = request.query_params.get("recipient")
    return _required(person_of(asked) if asked else brought.person)


def _person_named(text: str) -> Person:
    return _required(person_of(text))


def _required(person: Person | Fault | None) -> Person:
    if isinstance(person, Fault):
        raise Problem(422, "Invalid request", errors=({"pointer": "/recipient", "detail": person.more},))
    if person is None or "\0" in person.kind + person.identity or len(person.identity) > 2000:
        error = {"pointer": "/recipient", "detail": "expected to whom it was awarded, such as email:ada@example.org"}
        raise Problem(422, "Invalid request", errors=(error,))
    return person


async def _judged(desk: Desk, principal: Principal, brought: Brought, terms: Terms) -> tuple[Judgement, bytes]:
    await desk.pace.take(principal.subject)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await desk.pace.places.acquire()
    except TimeoutError:
        raise Problem(503, "Busy", "Too many verifications are under way.", headers=(("Retry-After", "5"),)) from None
    try:
        return await desk.verifier.judge(brought.content, terms)
    finally:
        desk.pace.places.release()


def _asked(learner_id: str, principal: Principal, person: Person, now: datetime) -> Import:
    return Import(
        import_id=uuid4(),
        learner_id=learner_id,
        state="unclear",
        brought=None,
        digest="",
        person=(person.kind, person.identity),
        is_vouched=principal.learner_id != learner_id,
        actor=principal.subject,
        asked_at=now,
        badge=None,
        checked_at=now,
        traceparent=current_traceparent(),
    )


def _refusal(refused: NotImported, judgement: Judgement | None) -> Problem:
    errors = () if judgement is None else tuple(_findings(judgement))
    return Problem(_STATUS.get(refused.why, 422), _TITLES[refused.why], refused.detail, errors=errors)


def _findings(judgement: Judgement) -> list[dict[str, Any]]:
    """What did not pass."""
    return [
        {"pointer": "", "check": finding.name, "outcome": finding.outcome, "reason": finding.reason,
         "detail": finding.detail, "more": finding.more}
        for finding in judgement.findings
        if finding.outcome != "pass" and finding.name != "issuer"
    ]  # fmt: skip

"""The programs that a learner let at their badges, and what these pushed: to see, and to end (M1.3, M1.38).

For the learner alone, like the doors of sharing: programs use their own token and JSON, people a page with forms.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal, caller, form_token, sender
from libs.common.web.documents import PRIVATE
from libs.common.web.refusals import not_found
from services.verification.api.granting import WORDS
from services.verification.api.parts import PAGE, database_of, form_of, parts_of
from services.verification.handlers.granting.ending import withdraw_grant
from services.verification.model.grants import Grant, GrantWord
from services.verification.model.imports import PushedBadge
from services.verification.rules.pushes import ASKED, cause_of, name_of, sentence_of, state_of
from services.verification.store import grants as grants_store
from services.verification.store import imports as import_store

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/learners/{learner_id}/programs", tags=["sharing"])
_MOST = 200
_FORM_BYTES = 16 * 1024
# What a line of the history says, by what was done and by whom.
_ACTS = {
    ("granted", "learner"): "You let it in.",
    ("ended", "learner"): "You ended its access.",
    ("ended", "program"): "It ended its access itself.",
    ("ended", "misuse"): "Its access was ended, because a key of it was shown twice.",
}


@router.get("")
async def programs(request: Request, learner_id: str) -> Response:
    """The programs that the learner let in and what happened, and the badges these pushed: as a page or JSON."""
    _require_own(caller(request), learner_id)
    pool, now = database_of(request).pool, parts_of(request).now()
    grants = await grants_store.grants_of_learner(pool, learner_id, now, _MOST)
    words = await grants_store.grant_words(pool, learner_id, _MOST)
    pushed = await import_store.pushed_badges(pool, learner_id, _MOST)
    # JSON first: a browser names HTML, a program with a token may name nothing.
    if form_of(request, ("application/json", PAGE)) == PAGE:
        return _page(request, grants, words, pushed)
    content = {
        "learner_id": learner_id,
        "programs": [_grant_told(one) for one in grants],
        "history": [_word_told(one) for one in words],
        "pushed_badges": [_pushed_told(one) for one in pushed],
    }
    return Response(orjson.dumps(content), 200, {"Cache-Control": PRIVATE, "Vary": "Accept"}, "application/json")


@router.delete("/{grant_id}", status_code=204)
async def end(request: Request, learner_id: str, grant_id: UUID) -> None:
    """End what a program was granted: its tokens, and those with which it would get new ones, fail from now on."""
    _require_own(caller(request), learner_id)
    if not await _end(request, learner_id, grant_id):
        raise not_found()


@router.post("", include_in_schema=False)
async def sent(request: Request, learner_id: str) -> Response:
    """The form of the page: it ends a grant, and comes back to the page."""
    async with request.form(max_files=0, max_fields=10, max_part_size=_FORM_BYTES) as form:
        token, named = form.get("token"), form.get("grant")
    _require_own(sender(request, token if isinstance(token, str) else ""), learner_id)
    try:
        grant_id = UUID(named if isinstance(named, str) else "")
    except ValueError:
        error = {"pointer": "/grant", "detail": "expected the id of a grant"}
        raise Problem(422, "Invalid request", errors=(error,)) from None
    # One that is ended already, by whomever, is as it should be.
    await _end(request, learner_id, grant_id)
    language = request.query_params.get("lang")
    query = f"?lang={language}" if language in ("en", "fr") else ""
    return Response(status_code=303, headers={"Location": request.url.path + query, "Cache-Control": "no-store"})


def _require_own(principal: Principal | None, learner_id: str) -> None:
    if principal is None or principal.learner_id != learner_id:
        raise not_found()


async def _end(request: Request, learner_id: str, grant_id: UUID) -> bool:
    async with begin(database_of(request)) as work:
        ended = await withdraw_grant(work, learner_id, grant_id, parts_of(request).now())
    if ended:
        log.info("grant ended", grant=str(grant_id), actor="learner")
    return ended


def _grant_told(one: Grant) -> dict[str, Any]:
    scopes = one.scope.split()
    return {
        "grant_id": str(one.grant_id), "program": one.program, "address": one.address, "scopes": scopes,
        "allows": [WORDS[scope] for scope in scopes if scope in WORDS], "granted_at": one.granted_at,
        "ends_at": one.ends_at,
    }  # fmt: skip


def _word_told(one: GrantWord) -> dict[str, Any]:
    return {
        "grant_id": str(one.grant_id), "act": one.act, "actor": one.actor, "at": one.at, "program": one.program,
        "address": one.address, "scopes": one.scope.split(),
    }  # fmt: skip


def _pushed_told(one: PushedBadge) -> dict[str, Any]:
    return {
        "credential_id": one.credential_id, "name": name_of(one), "pushed_at": one.kept_at,
        "import_id": one.push_id and str(one.push_id), "state": state_of(one), "cause": cause_of(one),
        "detail": sentence_of(one),
    }  # fmt: skip


def _imports_url(request: Request) -> str | None:
    """Where the learner says to whom a pushed badge was awarded: awarding's page, for it alone checks that."""
    awarding = parts_of(request).awarding_url
    learner = request.url.path.rpartition("/")[0]
    return awarding and f"{awarding.rstrip('/')}{learner}/imported-badges"


def _page(request: Request, grants: list[Grant], words: list[GrantWord], pushed: list[PushedBadge]) -> Response:
    return parts_of(request).pages.respond(
        request,
        "programs.html",
        cache_control=PRIVATE,
        grants=[
            (one, urlsplit(one.address).netloc, [WORDS[scope] for scope in one.scope.split() if scope in WORDS])
            for one in grants
        ],
        words=[(one, urlsplit(one.address).netloc, _ACTS.get((one.act, one.actor), "")) for one in words],
        pushed=[(one, name_of(one), sentence_of(one), cause_of(one) == ASKED) for one in pushed],
        badges_path=request.url.path.rpartition("/")[0] + "/badges",
        imports_url=_imports_url(request),
        token=form_token(request),
    )

"""The doors of OAuth 2.0, by which a learner lets a program at their badges (OB 3.0, section 7)."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal, caller, form_token, sender
from libs.common.web.documents import PRIVATE
from libs.common.web.pages import CONTENT_SECURITY_POLICY
from services.verification.api.parts import database_of, parts_of
from services.verification.handlers import granting as handlers
from services.verification.handlers import wallet as wallet_handlers
from services.verification.handlers.granting.desk import (
    OFFLINE,
    READ_CREDENTIALS,
    READ_PROFILE,
    WRITE_CREDENTIALS,
    WRITE_PROFILE,
)
from services.verification.rules.wallet import PRE_AUTHORIZED

router = APIRouter(prefix="/oauth", tags=["Open Badges 3.0 API"])
_FORM_BYTES = 16 * 1024
_FORM: dict[str, Any] = {
    "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}
}
# What a program may do, in the words of the page on which the learner decides.
WORDS = {
    READ_CREDENTIALS: "See all your badges, also those that you share with nobody",
    WRITE_CREDENTIALS: "Add badges of other issuers to yours",
    READ_PROFILE: "See your profile",
    WRITE_PROFILE: "Change your profile",
    OFFLINE: "Do so also while you are not there, until you end it",
}


@router.get("/authorize")
async def consent(request: Request) -> Response:
    """The page on which a learner, signed in by their own link, lets a program in or does not."""
    fields = request.query_params.multi_items()
    wish = await handlers.show_wish(database_of(request).pool, fields, parts_of(request).now())
    if isinstance(wish, handlers.Answer) and wish.status != 302:
        return _answered(wish)
    # Anybody may register a program: strangers are sent to none, with an error neither (RFC 9700, section 4.11.2).
    learner_id = _require_learner(caller(request))
    if isinstance(wish, handlers.Answer):
        return _answered(wish)
    own = urlsplit(wish.redirect_uri)
    # A browser holds the way back against form-action too.
    policy = CONTENT_SECURITY_POLICY.replace("form-action 'self'", f"form-action 'self' {own.scheme}://{own.netloc}")
    return parts_of(request).pages.respond(
        request, "consent.html", cache_control=PRIVATE, headers={"Content-Security-Policy": policy},
        program=str(wish.client.metadata["client_name"]), place=own.netloc,
        programs_path=f"/learners/{learner_id}/programs",
        wishes=[WORDS[scope] for scope in wish.scopes],
        fields=[(name, value) for name, value in fields if name != "lang"], token=form_token(request),
    )  # fmt: skip


@router.post("/authorize", include_in_schema=False)
async def consented(request: Request) -> Response:
    """What the learner decided on that page: back to the program with a code, or with the refusal."""
    fields = await _fields(request)
    sent = dict(fields)
    learner_id = _require_learner(sender(request, sent.get("token", "")))
    rest = [(name, value) for name, value in fields if name not in ("token", "do")]
    async with begin(database_of(request)) as work:
        answer = await handlers.record_consent(
            work, rest, learner_id if sent.get("do") == "allow" else None, parts_of(request).now()
        )
    # 303: the program must be asked with GET, whatever this was.
    return _answered(answer._replace(status=303 if answer.status == 302 else answer.status))


@router.post("/token", openapi_extra=_FORM)
async def token(request: Request) -> Response:
    """Tokens for an authorisation code (with PKCE), for a refresh token, or for what a learner offers a wallet."""
    fields, authorization = await _fields(request), request.headers.get("authorization")
    if dict(fields).get("grant_type") == PRE_AUTHORIZED:
        return await _wallet_token(request, fields)
    async with begin(database_of(request)) as work:
        return _answered(await handlers.issue_tokens(work, fields, authorization, parts_of(request).now()))


@router.post("/revoke", openapi_extra=_FORM)
async def revoke(request: Request) -> Response:
    """End what was granted, by either token."""
    fields, authorization = await _fields(request), request.headers.get("authorization")
    async with begin(database_of(request)) as work:
        return _answered(await handlers.revoke_tokens(work, fields, authorization, parts_of(request).now()))


@router.post("/register", status_code=201)
async def register(request: Request) -> Response:
    """Register a program: its name, where it lives, where learners go back to. So many a minute of one caller."""
    await parts_of(request).pace.take(request.client.host if request.client else "")
    content = await request.body()
    try:
        document: Any = orjson.loads(content) if len(content) <= _FORM_BYTES else None
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or b"\\u0000" in content:
        raise Problem(422, "Invalid request", f"Expected a JSON object of at most {_FORM_BYTES} bytes.")
    async with begin(database_of(request)) as work:
        return _answered(
            await handlers.register_program(work, cast("dict[str, Any]", document), parts_of(request).now())
        )


async def _wallet_token(request: Request, fields: list[tuple[str, str]]) -> Response:
    parts = parts_of(request)
    try:
        await parts.codes_pace.take(request.client.host if request.client else "")
    except Problem as problem:
        told = {"error": "slow_down", "error_description": problem.detail}
        answer = _answered(handlers.Answer(429, told, problem.headers))
    else:
        async with begin(database_of(request)) as work:
            answer = _answered(await wallet_handlers.issue_wallet_token(work, fields, parts.now()))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _require_learner(principal: Principal | None) -> str:
    if principal is None or principal.learner_id is None:
        detail = "Open the link to your own badges first; then come back to this address."
        raise Problem(401, "Sign in first", detail, headers=(("WWW-Authenticate", 'Bearer realm="cairn"'),))
    return principal.learner_id


async def _fields(request: Request) -> list[tuple[str, str]]:
    async with request.form(max_files=0, max_fields=30, max_part_size=_FORM_BYTES) as form:
        return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def _answered(answer: handlers.Answer) -> Response:
    body = orjson.dumps(answer.body) if answer.body else b""
    headers = {**dict(answer.headers), "Cache-Control": "no-store"}
    headers.setdefault("Content-Type", "application/json")
    return Response(body, answer.status, headers)

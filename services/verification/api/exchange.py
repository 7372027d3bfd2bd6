"""The Open Badges 3.0 API (OB 3.0, section 6): programs that a learner let in fetch and push badges.

Its answers and errors are the standard's own (`Imsx_StatusInfo`), as other systems expect them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.common.checking.dates import instant_of
from libs.common.checking.strict import Fault, read_json
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from services.verification.api.granting import WORDS
from services.verification.api.parts import database_of, parts_of
from services.verification.api.verifications import judge_any
from services.verification.handlers import backpack as handlers
from services.verification.handlers.granting.desk import (
    OFFLINE,
    READ_CREDENTIALS,
    READ_PROFILE,
    WRITE_CREDENTIALS,
    WRITE_PROFILE,
)
from services.verification.rules.pushes import instant_in_utc, is_token
from services.verification.store import backpack as store
from services.verification.store import grants as grants_store
from services.verification.store.backpack import Held

BASE = "/ims/ob/v3p0"
router = APIRouter(prefix=BASE, tags=["Open Badges 3.0 API"])
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 100
_MOST_PUSHED = 1_000
_PROFILE_BYTES = 64 * 1024
_LONGEST_ID = 2_000
_LARGEST = 2**31 - 1
_MINOR = {400: "invalid_data", 401: "unauthorizedrequest", 403: "forbidden", 404: "not_found", 429: "server_busy"}


class _Refusal(Exception):
    """A request that is refused, with its status and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


@router.get("/discovery")
async def discovery(request: Request) -> Response:
    """What is offered here, and how a program registers and is let in (OB 3.0, section 6.2)."""
    parts = parts_of(request)
    own = parts.addresses.base_url
    flow = {
        "authorizationUrl": f"{own}/oauth/authorize",
        "tokenUrl": f"{own}/oauth/token",
        "refreshUrl": f"{own}/oauth/token",
        "scopes": {scope: words for scope, words in WORDS.items() if scope != OFFLINE},
    }
    scheme = {
        "type": "oauth2",
        "description": "OAuth 2.0 authorisation code with PKCE (S256)",
        "x-imssf-registrationUrl": f"{own}/oauth/register",
        "flows": {"authorizationCode": flow},
    }
    about = {
        "title": "Cairn", "version": "3.0",
        # Both must be there (OB 3.0, section 6.2.2): without a page of its own, the front page has to do.
        "termsOfService": parts.terms_url or f"{own}/", "x-imssf-privacyPolicyUrl": parts.privacy_url or f"{own}/",
    }  # fmt: skip
    security = {"securitySchemes": {"OAuth2ACG": scheme}}
    # Its own doors, as this service's whole description has them.
    paths = {
        path.removeprefix(BASE): operations
        for path, operations in request.app.openapi()["paths"].items() if path.startswith(BASE)
    }  # fmt: skip
    servers = [{"url": f"{own}{BASE}"}]
    return _json({"openapi": "3.0.1", "info": about, "servers": servers, "components": security, "paths": paths})


@router.get("/credentials")
async def credentials(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=_LARGEST)] = _MOST,
    offset: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
    since: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The learner's badges, newest first: our own as they were signed, and those that were pushed."""
    try:
        learner_id = await _learner(request, READ_CREDENTIALS)
        after = _since(since)
    except _Refusal as refusal:
        return _refused(refusal)
    limit = min(limit, _MOST)
    page = await store.credentials(database_of(request).pool, learner_id, after, limit=limit, offset=offset)
    held, total = page
    content = {
        "credential": [orjson.Fragment(one.content) for one in held if not one.is_token],
        "compactJwsString": [one.content.decode() for one in held if one.is_token],
    }
    links = _links(request, total, limit, offset, {"since": since} if since else {})
    return _json(content, headers={"X-Total-Count": str(total), "Link": links})


@router.post("/credentials")
async def push(request: Request) -> Response:
    """Bring a badge of any issuer: kept if it is genuine and current; again the same answers 200."""
    content = (await request.body()).strip()
    try:
        learner_id = await _learner(request, WRITE_CREDENTIALS)
        await _take_turn(request, learner_id)
        held = Held(content, is_token(content))
        credential_id, issued_at = await _genuine(request, held)
        async with begin(database_of(request)) as work:
            added = await handlers.keep_pushed_badge(
                work,
                learner_id,
                credential_id,
                held,
                issued_at=issued_at,
                at=parts_of(request).now(),
                most=_MOST_PUSHED,
            )
    except _Refusal as refusal:
        return _refused(refusal)
    if added is None:
        return _refused(
            _Refusal(403, f"expected at most {_MOST_PUSHED} badges of others, and access that has not ended")
        )
    media_type = "text/plain" if held.is_token else "application/json"
    return Response(content, 201 if added else 200, {"Cache-Control": "no-store"}, media_type)


@router.get("/profile")
async def profile(request: Request) -> Response:
    """The learner's profile: what programs may know of them."""
    try:
        learner_id = await _learner(request, READ_PROFILE)
    except _Refusal as refusal:
        return _refused(refusal)
    kept = await store.profile(database_of(request).pool, learner_id)
    return _json(_profile(request, learner_id, orjson.loads(kept) if kept else {}))


@router.put("/profile")
async def put_profile(request: Request) -> Response:
    """Replace the learner's profile; its id and type stay as they are."""
    content = await request.body()
    try:
        learner_id = await _learner(request, WRITE_PROFILE)
        document = read_json(content)
        if isinstance(document, Fault) or len(content) > _PROFILE_BYTES or "Profile" not in str(document.get("type")):
            raise _Refusal(400, f"expected a Profile of at most {_PROFILE_BYTES} bytes")
        told = _profile(request, learner_id, document)
        async with begin(database_of(request)) as work:
            if not await handlers.keep_profile(work, learner_id, orjson.dumps(told), parts_of(request).now()):
                raise _Refusal(401, "expected an access token that is good")
    except _Refusal as refusal:
        return _refused(refusal)
    return _json(told)


async def _learner(request: Request, scope: str) -> str:
    """The learner who let the caller do `scope`, by its access token. Raises `_Refusal` 401 or 403."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    pool, now = database_of(request).pool, parts_of(request).now()
    found = await grants_store.access(pool, token.strip(), now) if scheme.lower() == "bearer" else None
    if found is None:
        raise _Refusal(401, "expected an access token that is good")
    if scope not in found[1]:
        raise _Refusal(403, f"expected an access token with the scope {scope}")
    return found[0]


async def _take_turn(request: Request, learner_id: str) -> None:
    """Each push costs a verification, and reaches out to other sites. Raises `_Refusal` 429."""
    try:
        await parts_of(request).pace.take(f"learner {learner_id}")
    except Problem:
        raise _Refusal(429, "expected fewer badges a minute") from None


async def _genuine(request: Request, held: Held) -> tuple[str, datetime]:
    """The id and the day of a badge that holds. Raises `_Refusal` 400 with what is wrong."""
    parts = parts_of(request)
    if not held.is_token and not held.content.startswith(b"{"):
        raise _Refusal(400, "expected an AchievementCredential in JSON, or a compact JWS")
    async with parts.pace.places:
        judgement = await judge_any(request, held.content, None)
    shown = judgement.shown
    if judgement.answer != "genuine" or shown is None or "Open Badges 3.0" not in judgement.standard:
        reasons = [f"{one.name}: {one.detail}" for one in judgement.findings if one.outcome != "pass"]
        raise _Refusal(400, "; ".join([judgement.sentence, *reasons])[:1000])
    # U+0000 is the one character that PostgreSQL cannot keep, and what is looked up may only be so long.
    if not shown.credential_id or "\0" in shown.credential_id or len(shown.credential_id.encode()) > _LONGEST_ID:
        raise _Refusal(400, f"expected a credential with an id of at most {_LONGEST_ID} bytes, without U+0000")
    return shown.credential_id, instant_in_utc(shown.issued_at) or parts.now()


def _since(text: str) -> datetime:
    if not text:
        return _BEGINNING
    # The standard writes it without a zone, its examples with one.
    found = instant_of(text) or instant_of(f"{text}Z") or instant_of(text.replace(" ", "+"))
    if found is None:
        raise _Refusal(400, f"since: expected YYYY-MM-DDThh:mm:ss, found {text[:40]!r}")
    return found


def _links(request: Request, total: int, limit: int, offset: int, more: dict[str, str]) -> str:
    """The Link header of a page (OB 3.0, section 6.1.3)."""
    last = max(0, (total - 1) // limit * limit)
    places = {"first": 0, "last": last}
    if offset + limit < total:
        places["next"] = offset + limit
    if offset > 0:
        places["prev"] = max(0, offset - limit)
    own = f"{parts_of(request).addresses.base_url}{BASE}/credentials"
    return ", ".join(
        f'<{own}?{urlencode({"limit": limit, "offset": place, **more})}>; rel="{name}"'
        for name, place in places.items()
    )


def _profile(request: Request, learner_id: str, document: dict[str, Any]) -> dict[str, Any]:
    own = f"{parts_of(request).addresses.base_url}/learners/{learner_id}/badges"
    return {**document, "id": own, "type": ["Profile"]}


def _refused(refusal: _Refusal) -> Response:
    field = {"imsx_codeMinorFieldName": "Cairn", "imsx_codeMinorFieldValue": _MINOR[refusal.status]}
    content = {
        "imsx_codeMajor": "failure", "imsx_severity": "error", "imsx_description": refusal.why,
        "imsx_codeMinor": {"imsx_codeMinorField": [field]},
    }  # fmt: skip
    headers = {"WWW-Authenticate": 'Bearer realm="cairn", error="invalid_token"'} if refusal.status == 401 else {}
    return _json(content, refusal.status, headers)


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    told = {"Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(content), status, told, "application/json")

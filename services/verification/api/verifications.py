"""Verify any badge, ours or another issuer's: `POST /verifications` for programs, `/verify` for people (B6, M2.4)."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.checking import Terms
from libs.common.checking.dates import instant_of
from libs.common.checking.judging import overrule_status, trust_by_lists
from libs.common.checking.model import Judgement
from libs.common.checking.recipient import Person
from libs.common.credentials.canonical import MAX_BYTES
from libs.common.postgres.database import Database
from libs.common.problems import AWAY, Problem
from libs.common.web.brought import Brought, brought_in
from libs.common.web.pages import SCRIPTED
from services.verification import store
from services.verification.api.parts import Parts, database_of, parts_of
from services.verification.api.recalling import badge_of
from services.verification.store import trust

router = APIRouter(tags=["verifications"])
_MAX_ISSUERS = 1_000
_PATIENCE_SECONDS = 5
# A badge that had to be given up, or a large record, cost as much as this many others.
_COSTLY_TURNS = 20
FINDING_NAMES = {
    "well-formed": "Readable",
    "schema": "Complete",
    "proof": "Unchanged",
    "key": "Issuer’s key",
    "status": "Not withdrawn",
    "dates": "Dates",
    "issuer": "Trusted issuer",
    "recipient": "Right person",
    "parts": "Documents within",
}


@router.post("/verifications")
async def verifications(request: Request) -> Response:
    """The verdict on a badge, as JSON.

    The body is the badge itself (JSON, token, PNG, SVG, PDF), or JSON `{"url" | "text": …, "recipient":
    "email:…"}`, or a form with `file`, `text` or `url`. A badge that is not genuine is a verdict, not an error.
    """
    judgement = await _verify(request, await brought_in(request))
    headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
    document = {**asdict(judgement), "tone": judgement.tone}
    return Response(orjson.dumps(document), media_type="application/json", headers=headers)


@router.get("/verify")
async def form(request: Request) -> Response:
    """The page where people bring a badge."""
    return _page(request, None)


@router.post("/verify")
async def answer(request: Request) -> Response:
    """The same page, with the verdict above the form."""
    return _page(request, await _verify(request, await brought_in(request)))


def _page(request: Request, judgement: Judgement | None) -> Response:
    shown = None if judgement is None else judgement.shown
    return parts_of(request).pages.respond(
        request, "verify.html", cache_control="no-store", judgement=judgement, finding_names=FINDING_NAMES,
        issued_at=shown and instant_of(shown.issued_at), expires_at=shown and instant_of(shown.expires_at),
        outcome_names={"pass": "passed", "fail": "failed", "unknown": "unknown"},
        headers={"Content-Security-Policy": SCRIPTED},
    )  # fmt: skip


async def _verify(request: Request, brought: Brought) -> Judgement:
    parts = parts_of(request)
    caller = request.client.host if request.client else ""
    await parts.pace.take(caller)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await parts.pace.places.acquire()
    except TimeoutError:
        raise Problem(503, "Busy", "Too many verifications are under way.", headers=(("Retry-After", "5"),)) from None
    try:
        judgement = await judge_any(request, brought.content, brought.person)
    finally:
        parts.pace.places.release()
    if len(brought.content) > MAX_BYTES or any(finding.reason == "too-costly" for finding in judgement.findings):
        await parts.pace.charge(caller, _COSTLY_TURNS)
    return judgement


async def judge_any(request: Request, content: bytes, person: Person | None) -> Judgement:
    """The judgement on the badge of any issuer in `content`, whoever asks and however often."""
    parts, database = parts_of(request), database_of(request)
    trusted = await _trusted(parts, database)
    judgement = await parts.verifier.verify(content, Terms(parts.now(), trusted, person))
    return await _with_lists(await with_our_own_word(judgement, parts, database), database)


async def _with_lists(judgement: Judgement, database: Database) -> Judgement:
    """An issuer that is not our own may be on a list that was imported."""
    issuer_id = "" if judgement.shown is None or judgement.trusted != "unknown" else judgement.shown.issuer_id
    try:
        lists = await trust.lists_of_issuer(database.pool, issuer_id) if issuer_id else ()
    except AWAY:
        lists = ()
    return trust_by_lists(judgement, lists) if lists else judgement


async def _trusted(parts: Parts, database: Database) -> frozenset[str]:
    """The ids of the issuers of our catalogue. A database that is away leaves nobody known, and nothing unanswered."""
    try:
        issuers = await store.issuers(database.pool, _MAX_ISSUERS)
    except AWAY:
        return frozenset()
    names = [issuer.issuer_id for issuer in issuers]
    addresses = parts.addresses
    return frozenset(map(addresses.issuer_did, names)) | frozenset(map(addresses.issuer_open_badge_2, names))


async def with_our_own_word(judgement: Judgement, parts: Parts, database: Database) -> Judgement:
    """Of our own badges we know first-hand whether they were withdrawn, whatever their lists say by now."""
    shown = judgement.shown
    badge_id = None if shown is None else badge_of(shown.credential_id, parts.addresses)
    if shown is None or badge_id is None:
        return judgement
    try:
        badge = await store.badge(database.pool, badge_id)
    except AWAY:
        return judgement
    # Whoever signs with a key of their own may write any id: they learn nothing of a badge that they do not have.
    if badge is None or shown.issuer_id not in _names_of(badge.issuer_id, parts):
        return judgement
    if badge.revocation is not None:
        return overrule_status(judgement, "revoked", badge.revocation.reason)
    if badge.suspension is not None and badge.suspension.holds:
        return overrule_status(judgement, "suspended", badge.suspension.reason)
    return judgement


def _names_of(issuer_id: str, parts: Parts) -> tuple[str, str]:
    return parts.addresses.issuer_did(issuer_id), parts.addresses.issuer_open_badge_2(issuer_id)


def path_of_own(url: str, public_url: str) -> str | None:
    """The path of `url` within this deployment, or None if it is elsewhere. did:web always says https."""
    try:
        asked = urlsplit(url)
    except ValueError:
        return None
    own = urlsplit(public_url)
    if asked.netloc != own.netloc or not asked.path.startswith(own.path.rstrip("/") + "/"):
        return None
    return asked.path[len(own.path.rstrip("/")) :]

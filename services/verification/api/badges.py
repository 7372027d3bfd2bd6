"""The public addresses of a badge: its page, its signed credential, its Open Badges 2.0 assertion."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from opentelemetry import trace
from starlette.responses import Response

from libs.common.credentials.contexts import OPEN_BADGES_2
from libs.common.problems import Problem
from libs.common.telemetry import span_context_of
from libs.common.web.documents import OPEN_TO_ALL, SIGNED, Document, respond
from libs.common.web.negotiation import preferred
from libs.common.web.refusals import not_found
from services.verification import store
from services.verification.api.parts import (
    CREDENTIAL_TYPES,
    PAGE,
    PATHS,
    art_of,
    badge_id_of,
    database_of,
    form_of,
    json_document,
    level_words,
    parts_of,
)
from services.verification.model import Achievement, Badge, Claims
from services.verification.rules.claims import read_claims
from services.verification.rules.standing import decide_standing
from services.verification.rules.verdict import decide_verdict

router = APIRouter(tags=["badges"])
READ = ["GET", "HEAD"]
_SUFFIX = ".json"
_FOLDER = PATHS.badge("")
CHECK_NAMES = {
    "signature": "Signature",
    "key": "Key",
    "status": "Status",
    "dates": "Dates",
    "issuer": "Issuer",
}
OUTCOME_NAMES = {"pass": "passed", "fail": "failed", "unknown": "unknown"}


def shelf_key(path: str, accept: str | None) -> str | None:
    """Under which key the shelf holds the signed document that is asked for at `path`, if it is one."""
    if not path.startswith(_FOLDER):
        return None
    name = path[len(_FOLDER) :]
    if name.endswith(_SUFFIX):
        return f"{name[: -len(_SUFFIX)]} {preferred(accept, CREDENTIAL_TYPES) or CREDENTIAL_TYPES[0]}"
    form = preferred(accept, (PAGE, *CREDENTIAL_TYPES))
    return None if form is None or form == PAGE else f"{name} {form}"


@router.api_route(PATHS.badge("{badge_id}") + _SUFFIX, methods=READ)
async def credential(request: Request, badge_id: str) -> Response:
    """The signed Open Badges 3.0 credential, byte for byte as it was signed."""
    return await _signed(request, badge_id, form_of(request, CREDENTIAL_TYPES) or CREDENTIAL_TYPES[0])


@router.api_route(PATHS.badge("{badge_id}"), methods=READ)
async def badge(request: Request, badge_id: str) -> Response:
    """The badge: a page with its verdict for people, the signed credential for programs, by `Accept`."""
    form = form_of(request, (PAGE, *CREDENTIAL_TYPES))
    if form is None:
        raise Problem(406, "Not acceptable", f"Expected Accept to name one of {', '.join((PAGE, *CREDENTIAL_TYPES))}.")
    if form == PAGE:
        return await _page(request, badge_id)
    return await _signed(request, badge_id, form)


@router.api_route(PATHS.assertion("{badge_id}"), methods=READ)
async def assertion(request: Request, badge_id: str) -> Response:
    """The hosted Open Badges 2.0 assertion. A badge that does not hold says so: a verifier asks here each time."""
    found = await _kept(request, badge_id)
    address = parts_of(request).addresses.assertion(found.badge_id)
    withdrawn = {"@context": OPEN_BADGES_2, "id": address, "type": "Assertion", "revoked": True}
    if found.revocation is not None:
        # OB 2.0, "Assertion": 410 Gone for a revoked hosted badge, which may say `revoked` and why.
        content = {**withdrawn, "revocationReason": found.revocation.reason}
        return json_document(request, content, last_modified=found.changed_at, status=410)
    if found.suspension is not None and found.suspension.holds:
        # The standard knows no suspension. Not 410, which is for good: the badge may hold again.
        content = {**withdrawn, "revocationReason": f"Suspended: {found.suspension.reason}"}
        return json_document(request, content, last_modified=found.changed_at)
    return json_document(request, found.open_badge_2, last_modified=found.changed_at)


async def _signed(request: Request, badge_id: str, media_type: str) -> Response:
    kept = await store.signed_document(database_of(request).pool, badge_id_of(badge_id))
    if kept is None:
        raise not_found()
    _link_to(kept.traceparent)
    headers = {**OPEN_TO_ALL, "Vary": "Accept"}
    document = Document(kept.content, media_type, SIGNED, kept.issued_at, headers)
    parts_of(request).shelf.put(f"{badge_id} {media_type}", document)
    return respond(request, document)


async def _kept(request: Request, badge_id: str) -> Badge:
    found = await store.badge(database_of(request).pool, badge_id_of(badge_id))
    if found is None:
        raise not_found()
    _link_to(found.signed.traceparent)
    return found


def _link_to(traceparent: str | None) -> None:
    """Tie the span of this request to the trace of the event that earned the badge (B9)."""
    context = span_context_of(traceparent)
    if context is not None:
        trace.get_current_span().add_link(context)


async def _page(request: Request, badge_id: str) -> Response:
    found = await _kept(request, badge_id)
    parts, pool = parts_of(request), database_of(request).pool
    issuer = await store.issuer(pool, found.issuer_id)
    keys = await store.keys_of_issuer(pool, found.issuer_id)
    achievement = await store.achievement(pool, found.achievement_id, found.version)
    proof = await parts.proofs.check(found.signed.content, parts.addresses.issuer_did(found.issuer_id), keys)
    standing = decide_standing(
        parts.now(), valid_from=found.valid_from, valid_until=found.valid_until,
        revocation=found.revocation, suspension=found.suspension,
    )  # fmt: skip
    verdict = decide_verdict(
        proof, keys, signed_at=found.valid_from, standing=standing, issuer_known=issuer is not None
    )
    # What is not genuine says nothing that is worth repeating.
    claims = None if verdict.authentic == "fail" else read_claims(found.signed.content)
    return parts.pages.respond(
        request,
        "badge.html",
        last_modified=found.changed_at,
        headers={"Link": f'<{PATHS.badge(badge_id)}{_SUFFIX}>; rel="alternate"; type="{CREDENTIAL_TYPES[0]}"'},
        badge=found,
        claims=claims,
        verdict=verdict,
        standing=standing,
        key=proof.verification_method,
        check_names=CHECK_NAMES,
        outcome_names=OUTCOME_NAMES,
        **_words(request, found, claims, achievement),
        **_addresses(request, found, achievement),
    )


def _words(request: Request, badge: Badge, claims: Claims | None, achievement: Achievement | None) -> dict[str, Any]:
    """The picture of the badge, and what only the catalogue knows of it: level and learning time."""
    languages, language = parts_of(request).pages.languages, parts_of(request).pages.language_of(request)
    level = None if achievement is None else achievement.level
    art = None
    if claims is not None:
        kind = claims.kind if achievement is None else achievement.kind
        art = art_of(
            languages.of(claims.language), title=claims.name, issuer=claims.issuer_name, kind=kind, level=level,
            achievement_id=badge.achievement_id,
        )  # fmt: skip
    hours = None if achievement is None or achievement.hours is None else language.number(achievement.hours)
    return {"art": art, "level": level_words(language, level), "hours": hours}


def _addresses(request: Request, badge: Badge, achievement: Achievement | None) -> dict[str, Any]:
    return {
        "address": parts_of(request).addresses.badge(badge.badge_id),
        "issuer_path": PATHS.issuer(badge.issuer_id),
        "achievement_path": achievement and PATHS.achievement(badge.achievement_id, str(badge.version)),
        "signed_path": PATHS.badge(badge.badge_id) + _SUFFIX,
        "assertion_path": PATHS.assertion(badge.badge_id),
    }

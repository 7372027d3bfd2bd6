"""The public addresses of a badge: its page, its signed credential, its Open Badges 2.0 assertion."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.credentials.contexts import OPEN_BADGES_2
from libs.common.problems import Problem
from libs.common.web.documents import STATUS
from libs.common.web.negotiation import preferred
from libs.common.web.refusals import not_found
from services.verification.api import faces
from services.verification.api.described import Described, described, words_of
from services.verification.api.links import page_links
from services.verification.api.parts import (
    CREDENTIAL_TYPES,
    JWT_TYPES,
    PAGE,
    PATHS,
    badge_id_of,
    database_of,
    form_of,
    json_document,
    parts_of,
)
from services.verification.api.shelving import read_signed, respond_signed
from services.verification.api.visible import cached, seen_badge
from services.verification.store import signing
from services.verification.store.endorsements import endorsements_of_badge

router = APIRouter(tags=["badges"])
# Apart, so that what is asked for most is looked for first.
signed_router = APIRouter(tags=["badges"])
READ = ["GET", "HEAD"]
_SUFFIX = ".json"
_JWT = ".jwt"
FACES = {faces.PNG: faces.baked_png, faces.SVG: faces.baked_svg, faces.PDF: faces.certificate}
FORMS = (PAGE, *CREDENTIAL_TYPES, *JWT_TYPES[:2], *FACES)
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
    if name.endswith(_JWT):
        return f"{name[: -len(_JWT)]} {preferred(accept, JWT_TYPES) or JWT_TYPES[0]}"
    form = preferred(accept, FORMS)
    return f"{name} {form}" if form in CREDENTIAL_TYPES or form in JWT_TYPES else None


@signed_router.api_route(PATHS.badge("{badge_id}") + _SUFFIX, methods=READ)
async def credential(request: Request, badge_id: str) -> Response:
    """The signed Open Badges 3.0 credential, byte for byte as it was signed."""
    return await _signed(request, badge_id, form_of(request, CREDENTIAL_TYPES) or CREDENTIAL_TYPES[0])


@signed_router.api_route(PATHS.badge("{badge_id}") + _JWT, methods=READ)
async def token(request: Request, badge_id: str) -> Response:
    """The same credential as a VC-JWT, as it was signed beside the embedded proof (OB 3.0, section 8.2.4)."""
    return await _token(request, badge_id, form_of(request, JWT_TYPES) or JWT_TYPES[0])


@router.api_route(PATHS.badge("{badge_id}"), methods=READ)
async def badge(request: Request, badge_id: str) -> Response:
    """The badge by `Accept`: a page with its verdict for people, the signed credential for programs, or a picture."""
    form = form_of(request, FORMS)
    if form is None:
        raise Problem(406, "Not acceptable", f"Expected Accept to name one of {', '.join(FORMS)}.")
    if form == PAGE:
        return await _page(request, badge_id)
    if form in JWT_TYPES:
        return await _token(request, badge_id, form)
    if form in FACES:
        answer = await FACES[form](request, badge_id)
        answer.headers["Vary"] = "Accept"
        return answer
    return await _signed(request, badge_id, form)


@router.api_route(PATHS.assertion("{badge_id}"), methods=READ)
async def assertion(request: Request, badge_id: str) -> Response:
    """The hosted Open Badges 2.0 assertion. A badge that does not hold says so: a verifier asks here each time."""
    found, view = await seen_badge(request, badge_id, whole=True)
    policy = cached(STATUS, view)
    address = parts_of(request).addresses.assertion(found.badge_id)
    withdrawn = {"@context": OPEN_BADGES_2, "id": address, "type": "Assertion", "revoked": True}
    if found.revocation is not None:
        # OB 2.0, "Assertion": 410 Gone for a revoked hosted badge, which may say `revoked` and why.
        content = {**withdrawn, "revocationReason": found.revocation.reason}
        return json_document(request, content, last_modified=found.changed_at, cache_control=policy, status=410)
    if found.suspension is not None and found.suspension.holds:
        # The standard knows no suspension. Not 410, which is for good: the badge may hold again.
        content = {**withdrawn, "revocationReason": f"Suspended: {found.suspension.reason}"}
        return json_document(request, content, last_modified=found.changed_at, cache_control=policy)
    said = await endorsements_of_badge(database_of(request).pool, found.badge_id)
    if not said:
        return json_document(request, found.open_badge_2, last_modified=found.changed_at, cache_control=policy)
    # What others say of it came later than the assertion, which nobody signed: hosting it proves it.
    told = [parts_of(request).addresses.open_badge_2_endorsement(one.endorsement_id) for one in said]
    content = {**orjson.loads(found.open_badge_2), "endorsement": told}
    changed = max(found.changed_at, said[-1].endorsed_at)
    return json_document(request, content, last_modified=changed, cache_control=policy)


async def _signed(request: Request, badge_id: str, media_type: str) -> Response:
    read = await read_signed(request, badge_id)
    return respond_signed(request, read, read.signed.content, media_type)


async def _token(request: Request, badge_id: str, media_type: str) -> Response:
    read = await read_signed(request, badge_id)
    found = await signing.token(database_of(request).pool, badge_id_of(badge_id))
    if found is None:
        raise not_found()
    return respond_signed(request, read, found.encode(), media_type)


async def _page(request: Request, badge_id: str) -> Response:
    found = await described(request, await seen_badge(request, badge_id))
    said = await endorsements_of_badge(database_of(request).pool, found.badge.badge_id)
    return parts_of(request).pages.respond(
        request,
        "badge.html",
        cache_control=cached(STATUS, found.view),
        last_modified=max([found.badge.changed_at, *(one.endorsed_at for one in said)]),
        headers=_page_headers(found),
        badge=found.badge,
        claims=found.claims,
        verdict=found.verdict,
        standing=found.standing,
        key=found.proof.verification_method,
        check_names=CHECK_NAMES,
        outcome_names=OUTCOME_NAMES,
        endorsements=said,
        endorsement_path=PATHS.endorsement,
        **words_of(request, found),
        **page_links(request, found),
    )


def _page_headers(found: Described) -> dict[str, str]:
    if not found.whole:
        return {}
    path = PATHS.badge(found.badge.badge_id)
    kinds = ((_SUFFIX, CREDENTIAL_TYPES[0]), (".png", faces.PNG), (".svg", faces.SVG), (".pdf", faces.PDF))
    links = [f'<{path}{suffix}>; rel="alternate"; type="{kind}"' for suffix, kind in kinds]
    return {"Link": ", ".join(links)}

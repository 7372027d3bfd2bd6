"""A learner's badges, for the learner and for those who may read records."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.problems import Problem
from libs.common.security import caller
from libs.common.web.documents import PRIVATE, Document, respond
from libs.common.web.language import Language
from services.verification import store
from services.verification.api.parts import PAGE, PATHS, art_of, database_of, form_of, parts_of
from services.verification.api.pictures import image_of
from services.verification.model import HeldBadge, Standing
from services.verification.rules.standing import decide_standing

router = APIRouter(tags=["learners"])
_MOST = 500
STATES = {
    "current": "In force",
    "revoked": "Withdrawn",
    "suspended": "Suspended",
    "expired": "Expired",
    "not-yet": "Not in force yet",
}


@router.api_route("/learners/{learner_id}/badges", methods=["GET", "HEAD"])
async def badges_of_learner(request: Request, learner_id: str) -> Response:
    """The badges that a learner holds, newest first (at most 500): the learner's own token or `records.read`."""
    _require_reader(request, learner_id)
    held = await store.badges_of_learner(database_of(request).pool, learner_id, _MOST)
    parts = parts_of(request)
    now = parts.now()
    walled = [
        (badge, decide_standing(now, valid_from=badge.valid_from, valid_until=badge.valid_until,
                                revocation=badge.revocation, suspension=badge.suspension))
        for badge in held
    ]  # fmt: skip
    # JSON first: a browser names HTML, a program with a token may name nothing.
    if form_of(request, ("application/json", PAGE)) != PAGE:
        content = {"learner_id": learner_id, "badges": [_entry(request, badge, where) for badge, where in walled]}
        return _private_json(request, content)
    language = parts.pages.language_of(request)
    cards = [_card(parts.pages.languages.of(badge.language or language.tag), badge, where) for badge, where in walled]
    principal = caller(request)
    own = principal is not None and principal.learner_id == learner_id
    return parts.pages.respond(
        request, "wall.html", cache_control=PRIVATE, learner_id=learner_id, cards=cards,
        programs_path=f"/learners/{learner_id}/programs" if own else None,
    )  # fmt: skip


def _require_reader(request: Request, learner_id: str) -> None:
    principal = caller(request)
    if principal is None:
        challenge = (("WWW-Authenticate", 'Bearer realm="cairn", scope="records.read"'),)
        raise Problem(401, "Authentication required", "Expected the learner's own token.", headers=challenge)
    if "records.read" not in principal.scopes and principal.learner_id != learner_id:
        raise Problem(403, "Not allowed", "Expected the learner's own token, or one with the scope 'records.read'.")


def _private_json(request: Request, content: Any) -> Response:
    return respond(request, Document(orjson.dumps(content), "application/json", PRIVATE, headers={"Vary": "Accept"}))


def _entry(request: Request, badge: HeldBadge, standing: Standing) -> dict[str, Any]:
    addresses = parts_of(request).addresses
    return {
        "id": addresses.badge(badge.badge_id),
        "badge_id": str(badge.badge_id),
        "achievement": addresses.achievement(badge.achievement_id, str(badge.version)),
        "achievement_id": badge.achievement_id,
        "version": badge.version,
        "issuer_id": badge.issuer_id,
        "name": badge.name,
        "valid_from": badge.valid_from,
        "valid_until": badge.valid_until,
        "state": standing.state,
        "reason": standing.reason,
    }


def _card(language: Language, badge: HeldBadge, standing: Standing) -> dict[str, Any]:
    # A badge whose achievement has not been heard of yet is shown all the same, by the name of its id.
    title = badge.name or badge.achievement_id
    if badge.picture is not None:
        art = image_of(badge.picture, badge.language)
    else:
        art = art_of(
            language, title=title, issuer=badge.issuer_name or badge.issuer_id, kind=badge.kind or "micro-credential",
            level=badge.level, achievement_id=badge.achievement_id,
        )  # fmt: skip
    return {
        "badge": badge,
        "title": title,
        "issuer": badge.issuer_name or badge.issuer_id,
        "art": art,
        "path": PATHS.badge(badge.badge_id),
        "standing": standing,
        "state": STATES[standing.state],
    }

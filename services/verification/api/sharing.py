"""Who may see a badge: the learner decides, until when, and takes it back (M1.3). Nobody else sees that it is there.

Programs use the learner's own token and JSON; people use forms on a page, which work without JavaScript.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import orjson
from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints
from starlette.datastructures import FormData
from starlette.responses import Response

from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import caller, form_token, sender
from libs.common.web.documents import PRIVATE
from libs.common.web.refusals import not_found
from services.verification.api.offers import end_offer, make_offer, offer_words
from services.verification.api.parts import (
    PAGE,
    PATHS,
    database_of,
    form_of,
    parts_of,
)
from services.verification.api.shelving import unshelve
from services.verification.api.visible import LINK, own_badge
from services.verification.handlers import sharing as handlers
from services.verification.model import Badge, Share, ShareLink
from services.verification.model.wallet import Made
from services.verification.rules.claims import read_claims
from services.verification.rules.codes import code_of
from services.verification.rules.sharing import decide_view
from services.verification.store import sharing as sharing_store

router = APIRouter(prefix="/badges/{badge_id}", tags=["sharing"])
_FORM_BYTES = 64 * 1024


class Decision(BaseModel):
    """Who may see the badge: everybody (`until` an instant, if set), or nobody but its learner."""

    model_config = ConfigDict(extra="forbid")

    audience: Literal["public", "private"]
    until: AwareDatetime | None = None
    shows_name: bool = True
    shows_evidence: bool = True


class Wish(BaseModel):
    """A link to make: what it is for, in the learner's words, and until when it leads anywhere."""

    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    until: AwareDatetime | None = None
    shows_name: bool = True
    shows_evidence: bool = True


@router.get("/sharing")
async def sharing(request: Request, badge_id: str) -> Response:
    """Who may see the badge, its links and its short code: for its learner, as a page or JSON."""
    badge = await own_badge(request, badge_id, caller(request))
    if form_of(request, ("application/json", PAGE)) == PAGE:
        return await _page(request, badge)
    return await _json(request, badge)


@router.put("/sharing")
async def decide(request: Request, badge_id: str, decision: Decision) -> Response:
    """Decide who may see the badge. What is taken back is a 404 within a minute, wherever it was kept."""
    badge = await own_badge(request, badge_id, caller(request))
    await _decide(request, badge, decision)
    return await _json(request, await own_badge(request, badge_id, caller(request)))


@router.post("/links", status_code=201)
async def link(request: Request, badge_id: str, wish: Wish) -> Response:
    """Make a link that shows the badge to whoever has it."""
    badge = await own_badge(request, badge_id, caller(request))
    made = await _make_link(request, badge, wish)
    return _answer(_link_told(request, made), 201)


@router.delete("/links/{link_id}", status_code=204)
async def unlink(request: Request, badge_id: str, link_id: UUID) -> None:
    """Make a link lead nowhere."""
    badge = await own_badge(request, badge_id, caller(request))
    async with begin(database_of(request)) as work:
        if not await handlers.cancel_link(work, badge.badge_id, link_id):
            raise not_found()


@router.post("/sharing", include_in_schema=False)
async def sent(request: Request, badge_id: str) -> Response:
    """A form of the page: it decides, makes a link or an offer, or ends one, and comes back to the page."""
    async with request.form(max_files=0, max_fields=20, max_part_size=_FORM_BYTES) as form:
        badge = await own_badge(request, badge_id, sender(request, _field(form, "token")))
        wanted = _field(form, "do")
        if wanted == "decide":
            audience = "private" if _field(form, "audience") == "private" else "public"
            until = _day(form) if audience == "public" else None
            await _decide(request, badge, Decision(audience=audience, until=until, **_parts_shown(form)))
        elif wanted == "link":
            purpose = _field(form, "purpose").strip()[:200]
            if not purpose:
                raise _invalid("/purpose", "expected what the link is for")
            await _make_link(request, badge, Wish(purpose=purpose, until=_day(form), **_parts_shown(form)))
        elif wanted == "end":
            async with begin(database_of(request)) as work:
                await handlers.cancel_link(work, badge.badge_id, _uuid(_field(form, "link")))
        elif wanted == "offer":
            # The offer is on this one page and nowhere else: there is nothing to come back to.
            return await _page(request, badge, await make_offer(request, badge, with_pin="pin" in form))
        elif wanted == "withdraw":
            await end_offer(request, badge)
        else:
            raise _invalid("/do", "expected decide, link, end, offer or withdraw")
    query = f"?lang={form_language}" if (form_language := request.query_params.get("lang")) in ("en", "fr") else ""
    place = PATHS.badge(badge_id) + "/sharing" + query
    return Response(status_code=303, headers={"Location": place, "Cache-Control": "no-store"})


async def _decide(request: Request, badge: Badge, decision: Decision) -> None:
    parts = parts_of(request)
    now = parts.now()
    if decision.until is not None and decision.audience != "public":
        raise _invalid("/until", "expected none for a badge that is not shared")
    _require_future(decision.until, now)
    share = Share(decision.audience, decision.until, decision.shows_name, decision.shows_evidence, now)
    try:
        async with begin(database_of(request)) as work:
            if not await handlers.record_share(work, badge.badge_id, share):
                raise not_found()
    finally:  # what fails here may have been kept all the same
        unshelve(parts, badge.badge_id)


async def _make_link(request: Request, badge: Badge, wish: Wish) -> ShareLink:
    now = parts_of(request).now()
    _require_future(wish.until, now)
    made = ShareLink(
        uuid4(), badge.badge_id, secrets.token_urlsafe(24), wish.purpose, wish.until, wish.shows_name,
        wish.shows_evidence, now,
    )  # fmt: skip
    async with begin(database_of(request)) as work:
        if not await handlers.record_link(work, made):
            raise Problem(409, "Too many links", f"Expected at most {handlers.MOST_LINKS} links; end one first.")
    return made


async def _json(request: Request, badge: Badge) -> Response:
    links = await sharing_store.links_of_badge(database_of(request).pool, badge.badge_id)
    share = badge.signed.share
    return _answer(
        {
            "badge_id": str(badge.badge_id),
            "address": parts_of(request).addresses.badge(badge.badge_id),
            "code": code_of(badge.badge_id),
            "decided": share is not None,
            "audience": parts_of(request).sharing if share is None else share.audience,
            "until": share and share.until,
            "shows_name": share is None or share.shows_name,
            "shows_evidence": share is None or share.shows_evidence,
            "links": [_link_told(request, one) for one in links],
        }
    )


def _link_told(request: Request, one: ShareLink) -> dict[str, Any]:
    return {
        "link_id": str(one.link_id),
        "address": f"{parts_of(request).addresses.badge(one.badge_id)}?{LINK}={one.secret}",
        "purpose": one.purpose,
        "until": one.until,
        "shows_name": one.shows_name,
        "shows_evidence": one.shows_evidence,
        "created_at": one.created_at,
    }


async def _page(request: Request, badge: Badge, made: Made | None = None) -> Response:
    parts = parts_of(request)
    links = await sharing_store.links_of_badge(database_of(request).pool, badge.badge_id)
    now = parts.now()
    claims = read_claims(badge.signed.content)
    return parts.pages.respond(
        request,
        "sharing.html",
        cache_control=PRIVATE,
        badge_path=PATHS.badge(badge.badge_id),
        programs_path=f"/learners/{badge.learner_id}/programs",
        claims=claims,
        share=badge.signed.share or Share(parts.sharing, None, shows_name=True, shows_evidence=True, changed_at=now),
        shared=decide_view(badge.signed.share, now, default=parts.sharing) is not None,
        links=[(one, _link_told(request, one)["address"], one.until is None or now < one.until) for one in links],
        token=form_token(request),
        tomorrow=(now + timedelta(days=1)).date().isoformat(),
        **await offer_words(request, badge, made, now),
    )


def _answer(content: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, {"Cache-Control": PRIVATE}, "application/json")


def _require_future(until: datetime | None, now: datetime) -> None:
    if until is not None and until <= now:
        raise _invalid("/until", f"expected an instant after {now:%Y-%m-%dT%H:%M:%SZ}, found {until.isoformat()}")


def _field(form: FormData, name: str) -> str:
    found = form.get(name, "")
    return found if isinstance(found, str) else ""


def _day(form: FormData) -> datetime | None:
    """Until when, as a day that is included; nothing for no end."""
    text = _field(form, "until")
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    except ValueError:
        raise _invalid("/until", "expected a day as 2026-11-22") from None


def _parts_shown(form: FormData) -> dict[str, bool]:
    return {"shows_name": "shows_name" in form, "shows_evidence": "shows_evidence" in form}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise not_found() from None


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem(422, "Invalid request", errors=({"pointer": pointer, "detail": detail},))

"""A learner offers a badge to a wallet of theirs: by a QR code or a link, once, for ten minutes (M1.3)."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import caller
from libs.common.web.documents import PRIVATE
from libs.common.web.qr import qr_svg
from libs.common.web.refusals import not_found
from services.verification.api.parts import database_of, parts_of
from services.verification.api.visible import own_badge
from services.verification.handlers import wallet as handlers
from services.verification.model import Badge
from services.verification.model.wallet import Made
from services.verification.rules.wallet import is_open, may_be_offered, offer_link
from services.verification.store import wallet as wallet_store

router = APIRouter(prefix="/badges/{badge_id}", tags=["sharing"])


class OfferWish(BaseModel):
    """An offer to make: `pin` says whether the wallet must ask for a PIN, which its learner is told here."""

    model_config = ConfigDict(extra="forbid")

    pin: bool = True


@router.post("/wallet-offer", status_code=201)
async def offer(request: Request, badge_id: str, wish: OfferWish) -> Response:
    """Offer the badge to a wallet (OpenID4VCI 1.0): once, for ten minutes, in place of the offer before."""
    made = await make_offer(request, await own_badge(request, badge_id, caller(request)), with_pin=wish.pin)
    told = {"link": _link(request, made), "pin": made.pin, "ends_at": made.ends_at}
    return Response(orjson.dumps(told), 201, {"Cache-Control": PRIVATE}, "application/json")


@router.delete("/wallet-offer", status_code=204)
async def withdraw(request: Request, badge_id: str) -> None:
    """End the offer, and what a wallet was given for it."""
    if not await end_offer(request, await own_badge(request, badge_id, caller(request))):
        raise not_found()


async def make_offer(request: Request, badge: Badge, *, with_pin: bool) -> Made:
    """Offer the caller's own badge. Raises `Problem` 409 for one that is revoked or suspended."""
    if not may_be_offered(badge):
        raise Problem(409, "Not offered", "Expected a badge that is neither revoked nor suspended.")
    async with begin(database_of(request)) as work:
        made = await handlers.record_offer(work, badge, with_pin=with_pin, now=parts_of(request).now())
    if made is None:
        raise not_found()
    return made


async def end_offer(request: Request, badge: Badge) -> bool:
    """End the offer of the caller's own badge; answers whether there was one."""
    async with begin(database_of(request)) as work:
        return await handlers.cancel_offer(work, badge)


async def offer_words(request: Request, badge: Badge, made: Made | None, now: datetime) -> dict[str, Any]:
    """What the page of the controls needs to know: what was `made` just now, and what may be done."""
    last = await wallet_store.offer_of_badge(database_of(request).pool, badge.badge_id)
    words: dict[str, Any] = {
        "offered": None,
        "may_offer": may_be_offered(badge),
        "offer_open": is_open(last, now),
        "offer_taken": last is not None and last.taken_at is not None,
    }
    if made is not None:
        link = _link(request, made)
        picture = base64.b64encode(qr_svg(link).encode()).decode()
        words["offered"] = {
            "link": link,
            "qr": f"data:image/svg+xml;base64,{picture}",
            "pin": made.pin,
            "minutes": round(handlers.OFFER_TIME.total_seconds() / 60),
        }
    return words


def _link(request: Request, made: Made) -> str:
    return offer_link(f"{parts_of(request).addresses.base_url}/wallet/offers/{made.reference}")

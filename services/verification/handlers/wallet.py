"""Badges that learners offer to their wallets, and what wallets get for the offer (OpenID4VCI 1.0)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from libs.common.messaging.work import Work
from services.verification import store
from services.verification.handlers.granting import Answer
from services.verification.handlers.granting.desk import Asked
from services.verification.handlers.granting.pre_authorized import WalletDesk
from services.verification.model import Badge
from services.verification.model.wallet import Made
from services.verification.rules.wallet import PIN_DIGITS, code_of, decide_redemption, digest_pin, may_be_offered
from services.verification.store import wallet as wallet_store

OFFER_TIME = timedelta(minutes=10)
_MEMORY = timedelta(days=1)


async def record_offer(work: Work, badge: Badge, *, with_pin: bool, now: datetime) -> Made | None:
    """Offer a badge to the first wallet that comes within `OFFER_TIME`, in place of its offer before.

    `with_pin` says whether the wallet must ask for a PIN that is not in the offer. Answers None for a badge that is
    not there (any more).
    """
    pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}" if with_pin else None
    made = Made(secrets.token_urlsafe(24), pin, now + OFFER_TIME)
    code = code_of(made.reference)
    await wallet_store.forget_ended_offers(work.connection, now - _MEMORY)
    kept = await wallet_store.keep_offer(
        work.connection, badge.badge_id, reference=made.reference, code=code,
        pin_digest=None if pin is None else digest_pin(code, pin), ends_at=made.ends_at,
    )  # fmt: skip
    return made if kept else None


async def cancel_offer(work: Work, badge: Badge) -> bool:
    """End the offer of a badge, and what a wallet was given for it; answers whether there was one."""
    return await wallet_store.drop_offer(work.connection, badge.badge_id)


async def issue_wallet_token(work: Work, fields: Sequence[tuple[str, str]], now: datetime) -> Answer:
    """Give a wallet an access token for the code of an offer (OpenID4VCI 1.0, section 6). So many wrong PINs end it."""
    asked, connection = Asked("POST", fields, None), work.connection
    code = asked.form.get("pre-authorized_code", "")
    offer = await wallet_store.offer_of_code(connection, code) if code else None
    redemption = decide_redemption(offer, code, asked.form.get("tx_code"), now)
    if offer is not None and redemption == "good":
        badge = await store.badge(connection, offer.badge_id)
        redemption = "good" if badge is not None and may_be_offered(badge) else "gone"
    desk: Any = WalletDesk(now, redemption)  # untyped in Authlib
    answer = Answer(*desk.create_token_response(asked))
    if offer is not None and desk.kept.token is not None:
        token, seconds = desk.kept.token["access_token"], desk.kept.token["expires_in"]
        await wallet_store.take_offer(connection, offer.badge_id, now, token, now + timedelta(seconds=seconds))
    elif offer is not None and redemption == "wrong-pin":
        await wallet_store.count_wrong_pin(connection, offer.badge_id)
    elif offer is not None and redemption == "reused":
        # Somebody else has the code too, and may be who came first.
        await wallet_store.drop_offer(connection, offer.badge_id)
    return answer

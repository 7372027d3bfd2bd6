"""What a learner decides about who may see a badge (M1.3)."""

from __future__ import annotations

from uuid import UUID

from libs.common.messaging.work import Work
from services.verification.model import Share, ShareLink
from services.verification.store import sharing as sharing_store
from services.verification.store import wallet as wallet_store

MOST_LINKS = 50


async def record_share(work: Work, badge_id: UUID, share: Share) -> None:
    """Keep who may see a badge from now on. Who takes it back takes back what is on offer to a wallet too."""
    await sharing_store.keep_share(work.connection, badge_id, share)
    if share.audience == "private":
        await wallet_store.drop_offer(work.connection, badge_id)


async def record_link(work: Work, link: ShareLink) -> bool:
    """Keep a link that shows a badge; answers False when the badge has as many as it may."""
    return await sharing_store.keep_link(work.connection, link, MOST_LINKS)


async def cancel_link(work: Work, badge_id: UUID, link_id: UUID) -> bool:
    """Make a link lead nowhere; answers whether the badge had it."""
    return await sharing_store.drop_link(work.connection, badge_id, link_id)

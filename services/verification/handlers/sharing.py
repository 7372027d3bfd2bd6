"""What a learner decides about who may see a badge (M1.3): the row is the truth, and what it says is told.

A fresh database hears what was told before it hears of any badge, so that none is shown more widely than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from libs.common.contracts.verification import SharingDecided
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.verification.handlers.backpack import SOURCE
from services.verification.model import Decided, Share, ShareLink
from services.verification.store import sharing as sharing_store
from services.verification.store import wallet as wallet_store
from services.verification.store.sharing import Forgotten

MOST_LINKS = 50


async def record_share(work: Work, badge_id: UUID, share: Share) -> bool:
    """Keep who may see a badge from now on, and tell it; False, and nothing kept, if it is not there any more.

    Who takes it back takes back what is on offer to a wallet too.
    """
    decided = await sharing_store.keep_share(work.connection, badge_id, share)
    if decided is None:
        return False
    _tell(work, decided)
    if share.audience == "private":
        await wallet_store.drop_offer(work.connection, badge_id)
    return True


async def on_sharing_decided(work: Work, events: Sequence[Received[SharingDecided]]) -> None:
    """Keep what was decided about badges, known or not yet; a tombstone takes what was decided until its time.

    Who hears their own words changes nothing by it: of two decisions the later stays.
    """
    decided = [_decided(event.content) for event in events if event.content is not None]
    if decided:
        tell_forgotten(work, await sharing_store.hear_shares(work.connection, decided))
    forgotten = [Forgotten(UUID(event.event.key), event.event.time) for event in events if event.content is None]
    if forgotten:
        await sharing_store.hear_forgotten_shares(work.connection, forgotten)


async def tell_untold_shares(work: Work, *, most: int) -> int:
    """Tell up to `most` decisions that no topic knows yet; answers how many there were."""
    untold = await sharing_store.take_untold_shares(work.connection, most)
    for decided in untold:
        _tell(work, decided)
    return len(untold)


def tell_forgotten(work: Work, forgotten: Sequence[Forgotten]) -> None:
    """Tell that the learners of badges are erased: a tombstone takes what they decided from the topic (B7)."""
    for badge_id, at in forgotten:
        work.tell(_outgoing(badge_id, uuid5(badge_id, f"sharing erased {at.isoformat()}"), at, None))


async def record_link(work: Work, link: ShareLink) -> bool:
    """Keep a link that shows a badge; answers False when the badge has as many as it may."""
    return await sharing_store.keep_link(work.connection, link, MOST_LINKS)


async def cancel_link(work: Work, badge_id: UUID, link_id: UUID) -> bool:
    """Make a link lead nowhere; answers whether the badge had it."""
    return await sharing_store.drop_link(work.connection, badge_id, link_id)


def _tell(work: Work, decided: Decided) -> None:
    badge_id, share = decided.badge_id, decided.share
    told = SharingDecided(
        badge_id=badge_id, learner_id=decided.learner_id, audience=share.audience, until=share.until,
        shows_name=share.shows_name, shows_evidence=share.shows_evidence, decided_at=share.changed_at,
    )  # fmt: skip
    value = told.model_dump_json(exclude_none=True).encode()
    event_id = uuid5(badge_id, f"sharing decided {share.changed_at.isoformat()}")
    work.tell(_outgoing(badge_id, event_id, share.changed_at, value))


def _outgoing(badge_id: UUID, event_id: UUID, at: datetime, value: bytes | None) -> Outgoing:
    return Outgoing(
        topic=SharingDecided.TOPIC, key=str(badge_id), event_id=event_id, type=SharingDecided.TYPE, source=SOURCE,
        subject=str(badge_id), time=at, value=value,
    )  # fmt: skip


def _decided(told: SharingDecided) -> Decided:
    share = Share(told.audience, told.until, told.shows_name, told.shows_evidence, told.decided_at)
    return Decided(told.badge_id, told.learner_id, share)

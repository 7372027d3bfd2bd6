"""Badges whose time has run out: they are told, what stands on them follows, and what can be renewed is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from libs.common.contracts import BadgeExpired
from libs.common.messaging.work import Outgoing, Work
from libs.common.telemetry import BADGES
from services.awarding.handlers.award import SOURCE, award_touched
from services.awarding.handlers.office import Office
from services.awarding.handlers.standings import NOTHING_NEW
from services.awarding.handlers.states import evaluate_badges
from services.awarding.model import Cause, Ended
from services.awarding.rules.states import note_cause
from services.awarding.store import expiry as expiry_store
from services.awarding.store import learners as learner_store


async def expire_ended(office: Office, work: Work, *, now: datetime, most: int, tried: list[str] | None = None) -> int:
    """Expire badges that ended before `now`, looking at no more than `most`; answers of how many learners. Several
    workers may do it at once. Whose are taken on is noted in `tried`, so that it is known when it fails.

    Of each learner only those that ended first are taken: so what follows from one end is told with its instant,
    whether the next is due by now or not, and nothing depends on when this is called.
    """
    connection = work.connection
    catalogue = await office.catalogue(connection)
    instants = await expiry_store.ended_learners(connection, now, most)
    if tried is not None:
        tried[:] = instants
    if not instants:
        return 0
    ended = await expiry_store.expire_badges(connection, instants)
    registered = await learner_store.registered_of(connection, list(instants))
    touched: dict[str, set[str]] = {}
    causes: dict[str, Cause] = {}
    for badge in ended:
        if not badge.revoked:
            work.tell(_outgoing(badge))
            BADGES.labels("expired").inc()
        if badge.learner_id in registered:
            # What stands on badges that are valid still is renewed by them alone.
            touched.setdefault(badge.learner_id, set()).add(badge.achievement_id)
            note_cause(causes, badge.learner_id, Cause(_event_id(badge.badge_id), badge.valid_until, badge.traceparent))
    await award_touched(office, work, catalogue, touched, NOTHING_NEW)
    await evaluate_badges(office, work, catalogue, causes)
    return len(instants)


async def schedule_expiry(work: Work, learner_ids: Sequence[str], *, seconds: float) -> None:
    """Put what ends of these learners off for some seconds: expiring it failed."""
    await expiry_store.put_off_expiry(work.connection, learner_ids, seconds)


def _event_id(badge_id: UUID) -> UUID:
    return uuid5(badge_id, "expired")


def _outgoing(badge: Ended) -> Outgoing:
    content = BadgeExpired(badge_id=badge.badge_id, learner_id=badge.learner_id, expired_at=badge.valid_until)
    return Outgoing(
        topic=BadgeExpired.TOPIC,
        key=str(badge.badge_id),
        event_id=_event_id(badge.badge_id),
        type=BadgeExpired.TYPE,
        source=SOURCE,
        subject=str(badge.badge_id),
        # Not the clock: whenever it is noticed, the same is told.
        time=badge.valid_until,
        value=content.model_dump_json(exclude_none=True).encode(),
        traceparent=badge.traceparent,
    )

"""Learners who ask to be forgotten (B7)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from libs.common.contracts.enrollment import LearnerRegistered
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.verification.store import grants as grants_store
from services.verification.store import sharing as sharing_store
from services.verification.store import wallet as wallet_store

log = structlog.get_logger(__name__)


async def on_learner_registered(work: Work, events: Sequence[Received[LearnerRegistered]]) -> None:
    """A tombstone erases the learner's badges issued until then, whichever of the two is heard first.

    Who a learner is says nothing here: a name is shown only where it is signed, by the learner's choice (M1.3).
    """
    erased = [(event.event.key, event.event.time) for event in events if event.content is None]
    if erased:
        await grants_store.erase_learners_grants(work.connection, [learner_id for learner_id, _ in erased])
        badges = await sharing_store.erase_learners(work.connection, erased)
        await wallet_store.erase_offers(work.connection)
        log.info("learners erased", learners=len(erased), badges=badges)

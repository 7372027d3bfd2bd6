"""Learners who ask to be forgotten (B7)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from libs.common.contracts.enrollment import LearnerRegistered
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.verification.handlers.backpack import tell_erased
from services.verification.handlers.sharing import tell_forgotten
from services.verification.store import grants as grants_store
from services.verification.store import imports as import_store
from services.verification.store import sharing as sharing_store
from services.verification.store import wallet as wallet_store

log = structlog.get_logger(__name__)


async def on_learner_registered(work: Work, events: Sequence[Received[LearnerRegistered]]) -> None:
    """A tombstone erases the learner's badges issued until then, whichever of the two is heard first.

    Who a learner is says nothing here: a name is shown only where it is signed, by the learner's choice (M1.3). That
    one who was erased came back is noted: what is pushed for them from then on is theirs.
    """
    erased = [(event.event.key, event.event.time) for event in events if event.content is None]
    if erased:
        learner_ids, instants = [learner_id for learner_id, _ in erased], dict(erased)
        for learner_id, push_id in await grants_store.erase_learners_grants(work.connection, learner_ids):
            tell_erased(work, [push_id], instants[learner_id])
        await import_store.erase_import_words(work.connection, learner_ids)
        gone = await sharing_store.erase_learners(work.connection, erased)
        tell_forgotten(work, gone.shares)
        await wallet_store.erase_offers(work.connection)
        log.info("learners erased", learners=len(erased), badges=gone.badges)
    registered = [(event.event.key, event.event.time) for event in events if event.content is not None]
    if registered:
        await sharing_store.note_registered(work.connection, registered)

"""Learners become known, or ask to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.contracts import LearnerRegistered
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.awarding.handlers.office import Office
from services.awarding.store import learners as learner_store


async def on_learner_registered(office: Office, work: Work, events: Sequence[Received[LearnerRegistered]]) -> None:
    """Learners were registered, or erased where the message is a tombstone. Facts that waited are looked at.

    Only the id is kept: names and addresses are no business of awarding (B7).
    """
    # Of several messages about one learner the last one holds. Who was erased in between is erased all the same:
    # what was known before must not come back with a new registration.
    last = {heard.event.key if heard.content is None else heard.content.learner_id: heard.content for heard in events}
    known = [(name, content.registered_at) for name, content in last.items() if content is not None]
    erased = sorted({heard.event.key for heard in events if heard.content is None})
    await office.catalogue(work.connection)  # before any learner is locked
    if erased:
        await learner_store.erase_learners(work.connection, erased)
    if known:
        met_before = await learner_store.register_learners(work.connection, known)
        if met_before:
            await learner_store.recheck_learners(work.connection, met_before)

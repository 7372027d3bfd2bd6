"""Learners become known, or ask to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.contracts import LearnerRegistered
from libs.common.credentials.identifiers import email_digest
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.awarding.handlers.office import Office
from services.awarding.model import KnownLearner
from services.awarding.store import assertions as assertion_store
from services.awarding.store import imports as import_store
from services.awarding.store import learners as learner_store
from services.awarding.store import records as record_store


async def on_learner_registered(office: Office, work: Work, events: Sequence[Received[LearnerRegistered]]) -> None:
    """Learners were registered, or erased where the message is a tombstone. Facts that waited are looked at.

    Of who they are only a keyed digest of the e-mail address is kept, by which a badge that they bring is recognised as
    theirs, and the name of those who want it in their badges (B7, M1.3).
    """
    # Of several messages about one learner the last one holds. Who was erased in between is erased all the same:
    # what was known before must not come back with a new registration.
    last = {heard.event.key if heard.content is None else heard.content.learner_id: heard.content for heard in events}
    known = [_known(office, content) for content in last.values() if content is not None]
    erased = {heard.event.key: heard.event.time for heard in events if heard.content is None}  # the last of each
    await office.catalogue(work.connection)  # before any learner is locked
    if erased:
        await learner_store.erase_learners(work.connection, erased)
        await import_store.forget_imports(work.connection, erased)
        await record_store.forget_records(work.connection, list(erased))
        await assertion_store.forget_assertions(work.connection, list(erased))
    if known:
        met_before = await learner_store.register_learners(work.connection, known)
        await import_store.wake_pushes(work.connection, [one.learner_id for one in known])
        if met_before:
            await learner_store.recheck_learners(work.connection, met_before)


def _known(office: Office, content: LearnerRegistered) -> KnownLearner:
    digest = content.email and email_digest(office.deployment.pepper, content.learner_id, content.email)
    shown_name = content.name if content.shows_name else None
    return KnownLearner(content.learner_id, content.registered_at, digest or None, shown_name)

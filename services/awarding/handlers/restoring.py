"""A fresh database remembers what awarding told before, so that nothing is decided or signed anew (B2, B8)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from libs.common.contracts import (
    ActDone,
    ActRecorded,
    BadgeExpired,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgeSuspended,
    KeyPublished,
)
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.awarding.handlers.office import Office
from services.awarding.handlers.states import evaluate_badges
from services.awarding.handlers.status_lists import read_list_number, resume_places
from services.awarding.model import Act, BadgeState, IssuerKey, RestoredBadge, RestoredChange
from services.awarding.store import keys as key_store
from services.awarding.store import learners as learner_store
from services.awarding.store import logbook as logbook_store
from services.awarding.store import records as record_store
from services.awarding.store import restoring as restoring_store

UNTOLD = "not known: restored from the topic, which does not tell it"
_DECIDED = {"revoke": BadgeState.REVOKED, "suspend": BadgeState.SUSPENDED, "reinstate": BadgeState.HOLDS}


class NotAsSigned(Exception):
    """A badge came back with bytes that are not those of its digest: refused."""


async def on_badge_issued(work: Work, events: Sequence[Received[BadgeIssued]]) -> None:
    """Keep the badges with their bytes, and that the acts which gave some were carried out.

    Raises `NotAsSigned` when the bytes of one are not those of its digest: it becomes a dead letter.
    """
    for heard in events:
        if heard.content is not None:
            _require_digest(heard.content)
    badges = [
        RestoredBadge(told, heard.event.traceparent, read_list_number(told.credential))
        for heard in events
        if (told := heard.content) is not None
    ]
    await restoring_store.restore_badges(work.connection, badges)
    acts = [
        Act(told.act_id, "award", told.learner_id, told.achievement_id, told.badge_id, "", UNTOLD, UNTOLD,
            told.valid_from, done_at=told.awarded_at or told.valid_from)
        for told, _, _ in badges
        if told.act_id is not None
    ]  # fmt: skip
    if acts:
        await restoring_store.restore_acts(work.connection, acts, UNTOLD)


async def on_badge_revoked(work: Work, events: Sequence[Received[BadgeRevoked]]) -> None:
    """Keep that badges do not hold any more."""
    await _restore_changes(work, events, BadgeState.REVOKED)


async def on_badge_suspended(work: Work, events: Sequence[Received[BadgeSuspended]]) -> None:
    """Keep that badges do not hold for now."""
    await _restore_changes(work, events, BadgeState.SUSPENDED)


async def on_badge_reinstated(work: Work, events: Sequence[Received[BadgeReinstated]]) -> None:
    """Keep that badges hold again."""
    await _restore_changes(work, events, BadgeState.HOLDS)


async def on_badge_expired(work: Work, events: Sequence[Received[BadgeExpired]]) -> None:
    """Keep that it was told of badges that their time has run out, so that what stands on them stays as it was."""
    ended = [heard.content.badge_id for heard in events if heard.content is not None]
    await restoring_store.restore_ends(work.connection, ended)


async def on_act_done(work: Work, events: Sequence[Received[ActDone]]) -> None:
    """Keep what people decided about badges; who they were is told apart (`on_act_recorded`)."""
    told = [heard.content for heard in events if heard.content is not None]
    acts = [
        Act(content.act_id, content.kind, content.learner_id, content.achievement_id, content.badge_id,
            content.reason, UNTOLD, UNTOLD, content.asked_at, done_at=content.asked_at)
        for content in told
    ]  # fmt: skip
    await restoring_store.restore_acts(work.connection, acts, UNTOLD)
    decisions = [(content.badge_id, int(_DECIDED[content.kind])) for content in told]
    await restoring_store.restore_decisions(work.connection, decisions)


async def on_act_recorded(work: Work, events: Sequence[Received[ActRecorded]]) -> None:
    """Keep the audit of what people did by hand, as far as it is told (M1.37)."""
    told = {heard.content.act_id: heard.content for heard in events if heard.content is not None}
    acts = [
        Act(one.act_id, one.kind, one.learner_id, one.achievement_id, one.badge_id, one.reason,
            "\n".join(one.evidence_links) or UNTOLD, one.actor or UNTOLD, one.asked_at, refusal=one.refusal,
            done_at=one.done_at, job_id=one.job_id, line=one.line)
        for one in told.values()
    ]  # fmt: skip
    await restoring_store.restore_audit(work.connection, acts)


async def on_key_published(work: Work, events: Sequence[Received[KeyPublished]]) -> None:
    """Keep the public keys that were told, each as it was told last, so that they are not told again."""
    keys = {
        (told.issuer_id, told.key_id): IssuerKey(
            told.issuer_id, told.key_id, told.public_key_multibase, told.public_key_jwk, told.valid_from,
            told.valid_until, told.revoked_at, told.signs or ("proofs" if told.public_key_jwk is None else "tokens"),
        )
        for heard in events
        if (told := heard.content) is not None
    }  # fmt: skip
    await key_store.keep_keys(work.connection, list(keys.values()))


async def complete_restoring(office: Office, work: Work) -> None:
    """All was read. Whatever was due and not told before the database was lost is found by looking at everybody."""
    await logbook_store.drop_logged(work.connection)
    await resume_places(office, work)
    await record_store.settle_all_parts(work.connection)
    await restoring_store.settle_restored(work.connection, above=time.time_ns() // 1_000_000)


async def evaluate_restored(office: Office, work: Work, *, most: int) -> int:
    """Look at the badges of up to `most` learners against all that was read; answers how many learners.

    What was read last is the cause of what changes: it came after the last decision that was told.
    """
    connection = work.connection
    catalogue = await office.catalogue(connection)
    learner_ids = await restoring_store.waiting_reviews(connection, most)
    if learner_ids:
        registered = await learner_store.registered_of(connection, learner_ids)
        causes = await restoring_store.last_words(connection, registered.keys())
        await evaluate_badges(office, work, catalogue, causes)
    return len(learner_ids)


def _require_digest(badge: BadgeIssued) -> None:
    found = "sha256:" + hashlib.sha256(badge.credential.encode()).hexdigest()
    if found != badge.digest:
        raise NotAsSigned(f"badge {badge.badge_id}: expected bytes with the digest {badge.digest}, found {found}")


async def _restore_changes(work: Work, events: Sequence[Received[Any]], state: BadgeState) -> None:
    changes = [
        RestoredChange(
            heard.event_id, told.badge_id, state, told.reason, told.cause_id or heard.event_id, heard.event.time,
            getattr(told, "is_over", False),
        )
        for heard in events
        if (told := heard.content) is not None
    ]  # fmt: skip
    await restoring_store.restore_changes(work.connection, changes)

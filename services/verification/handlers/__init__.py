"""What verification does when it hears something: it keeps it. One statement for a batch, whatever its size.

Every handler gives the same state in any order of events: a badge never changes, and of two words on one thing
the later by (time, event id) wins, whichever comes first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.common.contracts.awarding import (
    AssertionSigned,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgeSuspended,
    KeyPublished,
    StatusListSigned,
)
from libs.common.contracts.enrollment import AchievementPublished, IssuerPublished
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from libs.common.telemetry import BADGES, parent_context, tracer
from services.verification import store
from services.verification.store import BadgeChange, Told, signing


class NotAsSigned(Exception):
    """A badge came with bytes that are not those of its digest, or other bytes than are kept: refused."""


async def on_issuer_published(work: Work, events: Sequence[Received[IssuerPublished]]) -> None:
    """Keep who the issuer is."""
    found = [(event.content, _told(event)) for event in events if event.content is not None]
    if found:
        await store.keep_issuers(work.connection, found)


async def on_achievement_published(work: Work, events: Sequence[Received[AchievementPublished]]) -> None:
    """Keep the published version."""
    found = [(event.content, _told(event)) for event in events if event.content is not None]
    if found:
        await store.keep_achievements(work.connection, found)


async def on_key_published(work: Work, events: Sequence[Received[KeyPublished]]) -> None:
    """Keep the issuer's public key; old keys stay, so that what they signed still verifies (B8)."""
    found = [(event.content, _told(event)) for event in events if event.content is not None]
    if found:
        await signing.keep_keys(work.connection, found)


async def on_status_list_signed(work: Work, events: Sequence[Received[StatusListSigned]]) -> None:
    """Keep the list as it is now; of its revisions the highest counts."""
    found = [(event.content, event.event.time) for event in events if event.content is not None]
    if found:
        await signing.keep_status_lists(work.connection, found)


async def on_assertion_signed(work: Work, events: Sequence[Received[AssertionSigned]]) -> None:
    """Keep the signed Open Badges 2.0 form of badges, for which their learners asked."""
    found = [(event.content, event.event.time) for event in events if event.content is not None]
    if found:
        await signing.keep_assertions(work.connection, found)


async def on_badge_issued(work: Work, events: Sequence[Received[BadgeIssued]]) -> None:
    """Keep the signed bytes exactly as they came. Raises `NotAsSigned` when they are not what was told of them."""
    found: list[tuple[BadgeIssued, Any, str | None]] = []
    for event in events:
        if event.content is not None:
            _require_digest(event.content)
            found.append((event.content, event.event.time, event.event.traceparent))
    if not found:
        return
    added, otherwise = await store.keep_badges(work.connection, found)
    if otherwise:
        raise NotAsSigned(f"badge {otherwise[0]}: expected the bytes that are kept, found other bytes")
    await signing.keep_tokens(work.connection, [badge for badge, _, _ in found])
    BADGES.labels("kept").inc(added)
    for badge, _, traceparent in found:
        # In the trace of the event that earned the badge, so that one trace runs from ingest to here (B9).
        tracer.start_span(
            "keep badge", parent_context(traceparent), attributes={"cairn.badge": str(badge.badge_id)}
        ).end()


async def on_badge_revoked(work: Work, events: Sequence[Received[BadgeRevoked]]) -> None:
    """Keep that the badge does not hold any more."""
    await _keep_changes(work, events, "revocation", holds=True)


async def on_badge_suspended(work: Work, events: Sequence[Received[BadgeSuspended]]) -> None:
    """Keep that the badge does not hold for now."""
    await _keep_changes(work, events, "suspension", holds=True)


async def on_badge_reinstated(work: Work, events: Sequence[Received[BadgeReinstated]]) -> None:
    """Keep that the badge holds again."""
    await _keep_changes(work, events, "suspension", holds=False)


async def pass_over(work: Work, events: Sequence[Received[Any]]) -> None:
    """Nothing follows for what is kept: `valid_until` says itself when a badge expires."""


async def _keep_changes(work: Work, events: Sequence[Received[Any]], aspect: str, *, holds: bool) -> None:
    changes = [
        BadgeChange(event.content.badge_id, aspect, holds, event.content.reason, _told(event))
        for event in events
        if event.content is not None
    ]
    if changes:
        await store.keep_changes(work.connection, changes)


def _require_digest(badge: BadgeIssued) -> None:
    found = "sha256:" + hashlib.sha256(badge.credential.encode()).hexdigest()
    if found != badge.digest:
        raise NotAsSigned(f"badge {badge.badge_id}: expected bytes with the digest {badge.digest}, found {found}")


def _told(event: Received[Any]) -> Told:
    event_id: UUID = event.event_id
    return Told(event.event.time, event_id)

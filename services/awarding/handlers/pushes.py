"""Badges of other issuers that programs pushed for a learner: looked at like those that learners bring (B12).

The worker looks at each (`recheck_imports`): nobody waits for an answer. What comes of it is told, so that the learner
sees it beside the badge.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from libs.common.contracts import BadgeImported, BadgePushed, ImportedBadgeWithdrawn, ImportRefused
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.award import SOURCE
from services.awarding.handlers.office import Office
from services.awarding.model import Import, Pushed
from services.awarding.rules.imports import OWN_BADGE, is_own, issuer_named, reason_of
from services.awarding.store import imports as import_store


async def on_badge_pushed(office: Office, work: Work, events: Sequence[Received[BadgePushed]]) -> None:
    """Keep what was pushed, to be looked at; a tombstone takes it out. Of several words on one, the last holds."""
    last = {heard.event.key: heard for heard in events}
    erased = [UUID(key) for key, heard in last.items() if heard.content is None]
    pushes = [_pushed(office, heard.content, heard) for heard in last.values() if heard.content is not None]
    await office.catalogue(work.connection)  # before any learner is locked
    if erased:
        await import_store.leave_pushes(work.connection, erased)
    added = await import_store.keep_pushes(work.connection, pushes)
    for one in pushes:
        if office.decides and one.cause is not None and one.import_id in added:
            told = _refusal(one.import_id, one.learner_id, one.digest, one.cause, is_final=True)
            event_id = uuid5(one.import_id, f"refused {one.digest} {one.pushed_at.isoformat()}")
            tell_word(work, told, event_id, one.pushed_at, one.traceparent)


def tell_refusals(work: Work, imports: Sequence[Import]) -> None:
    """Tell of pushed badges that do not count, or not yet, and why; of others, only where they were told to count."""
    for one in imports:
        if one.state not in ("unclear", "refused") or not (one.is_pushed or one.revision):
            continue
        told = _refusal(
            one.import_id, one.learner_id, one.digest, reason_of(one), is_final=one.state == "refused"
        )  # fmt: skip
        times = f"{one.checks} {one.revision} {one.asked_at.isoformat()}"
        event_id = uuid5(one.import_id, f"refused {one.digest} {told.cause} {times}")
        tell_word(work, told, event_id, one.checked_at, one.traceparent)


def tell_word(
    work: Work,
    content: BadgeImported | ImportedBadgeWithdrawn | ImportRefused,
    event_id: UUID,
    at: datetime,
    traceparent: str | None = None,
) -> None:
    """Tell a word on an import."""
    key = f"import:{content.import_id}"
    value = content.model_dump_json(exclude_none=True).encode()
    work.tell(Outgoing(content.TOPIC, key, event_id, content.TYPE, SOURCE, key, at, value, traceparent))


def _pushed(office: Office, content: BadgePushed, heard: Received[BadgePushed]) -> Pushed:
    brought = content.content.encode()
    own = is_own(issuer_named(brought), office.deployment.addresses)
    cause = f"{OWN_BADGE.why}: {OWN_BADGE.detail}" if own else None
    return Pushed(
        content.push_id, content.learner_id, brought, content.digest, content.credential_id, content.pushed_at, cause,
        heard.event.traceparent,
    )  # fmt: skip


def _refusal(import_id: UUID, learner_id: str, digest: str, reason: str, *, is_final: bool) -> ImportRefused:
    cause, _, detail = reason.partition(": ")
    return ImportRefused(
        import_id=import_id, learner_id=learner_id, digest=digest, cause=cause, detail=detail, is_final=is_final
    )

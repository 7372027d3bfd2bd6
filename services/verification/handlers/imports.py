"""What awarding says of badges of other issuers: that they count, count no more, or do not count and why (B12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.common.contracts.importing import BadgeImported, ImportedBadgeWithdrawn, ImportRefused
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.verification.handlers.backpack import tell_pushed_since
from services.verification.model.imports import TAKEN_BACK, ImportWord, PushState
from services.verification.store import backpack as backpack_store
from services.verification.store import imports as store


async def on_badge_imported(work: Work, events: Sequence[Received[BadgeImported]]) -> None:
    """Keep that the badge counts."""
    await _keep(work, [_word(heard, "counting", digest=heard.content.digest) for heard in events if heard.content])


async def on_imported_badge_withdrawn(work: Work, events: Sequence[Received[ImportedBadgeWithdrawn]]) -> None:
    """Keep that the badge counts no more."""
    await _keep(work, [_word(heard, "lost", cause=heard.content.cause) for heard in events if heard.content])


async def on_import_refused(work: Work, events: Sequence[Received[ImportRefused]]) -> None:
    """Keep that the badge does not count, or not yet, and why."""
    words = [
        _word(
            heard, "refused" if told.is_final else "waiting", cause=told.cause, detail=told.detail, digest=told.digest
        )
        for heard in events
        if (told := heard.content) is not None
    ]
    await _keep(work, words)


async def _keep(work: Work, words: Sequence[ImportWord]) -> None:
    if not words:
        return
    taken_back = [word for word in words if word.cause == TAKEN_BACK]
    if taken_back:
        await backpack_store.hold_pushed(work.connection, taken_back)
    await store.keep_import_words(work.connection, words)
    if taken_back:
        await tell_pushed_since(work, taken_back)


def _word(
    heard: Received[Any], state: PushState, *, cause: str | None = None, detail: str | None = None,
    digest: str | None = None,
) -> ImportWord:  # fmt: skip
    told: Any = heard.content
    return ImportWord(
        told.import_id, told.learner_id, state, cause, detail, digest, heard.event.time, heard.event_id
    )  # fmt: skip

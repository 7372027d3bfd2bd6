"""A fresh database remembers what verification told on its own topic: the badges that programs pushed (B12).

Who was erased, and what awarding says, is read before (`worker.read_plan`). In normal running nobody hears this topic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID

from libs.common.contracts.verification import BadgePushed
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.verification.handlers.backpack import tell_erased
from services.verification.rules.pushes import is_token, issued_at_of
from services.verification.store import restoring as store


class NotAsPushed(Exception):
    """A pushed badge came back with bytes that are not those of its digest: refused."""


async def on_badge_pushed(work: Work, events: Sequence[Received[BadgePushed]]) -> None:
    """Keep what was pushed, to the byte; a tombstone erases it. Of several words on one, the last holds.

    Raises `NotAsPushed`.
    """
    last = {heard.event.key: heard.content for heard in events}
    pushes = [told for told in last.values() if told is not None]
    for told in pushes:
        found = "sha256:" + hashlib.sha256(told.content.encode()).hexdigest()
        if found != told.digest:
            raise NotAsPushed(f"push {told.push_id}: expected bytes with the digest {told.digest}, found {found}")
    await store.drop_pushes(work.connection, [UUID(key) for key, told in last.items() if told is None])
    kept = [(told, is_token(told.content.encode()), issued_at_of(told.content.encode())) for told in pushes]
    await store.remember_pushes(work.connection, [(told, token, at or told.pushed_at) for told, token, at in kept])


async def complete_restoring(work: Work) -> None:
    """All was read: take out what was pushed for learners who are erased, and note that it is done.

    It is erased from the topic as well, if that was lost on the way. May come again.
    """
    for push_id, erased_at in await store.erase_remembered(work.connection):
        tell_erased(work, [push_id], erased_at)
    await store.note_restored(work.connection)

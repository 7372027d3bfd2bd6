"""What programs bring for a learner: badges of others, and the profile."""

from __future__ import annotations

from datetime import datetime

from libs.common.messaging.work import Work
from services.verification.store import backpack as store
from services.verification.store.backpack import Held


async def keep_pushed_badge(
    work: Work, learner_id: str, credential_id: str, held: Held, *, issued_at: datetime, at: datetime, most: int
) -> bool | None:
    """Keep a badge that was found genuine; whether it is new.

    None, and nothing kept, if the learner has `most`, or lets no program in any more.
    """
    added = await store.keep_pushed_badge(
        work.connection, learner_id, credential_id, held, issued_at=issued_at, at=at
    )  # fmt: skip
    if added and await store.pushed_count(work.connection, learner_id) > most:
        await store.forget_pushed_badge(work.connection, learner_id, credential_id)
        return None
    return added


async def keep_profile(work: Work, learner_id: str, document: bytes, at: datetime) -> bool:
    """Keep the profile that a program put; False, and nothing kept, if the learner lets no program in any more."""
    return await store.keep_profile(work.connection, learner_id, document, at)

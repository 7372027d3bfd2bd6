"""Grants end when the learner says so; programs that nobody uses are forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from libs.common.messaging.work import Work
from services.verification.store import grants as store

# Within it, a code or token that is shown again is still known for what it is.
_MEMORY = timedelta(days=1)


async def withdraw_grant(work: Work, learner_id: str, grant_id: UUID, at: datetime) -> bool:
    """The learner ends what they granted a program, and all its tokens; whether they had granted it and it held."""
    return await store.end_grant(work.connection, grant_id, at, "learner", learner_id)


async def expire_programs(work: Work, *, now: datetime, untried: timedelta, unused: timedelta, most: int) -> int:
    """Forget up to `most` of the grants and tokens that can be used no more, and of the programs that nobody uses.

    Those are forgotten `untried` after they registered if no learner let them in, else `unused` after they last came
    for a code or a token. Answers how many there were of what there was most of.
    """
    grants = await store.forget_ended(work.connection, now - _MEMORY, most)
    return max(grants, await store.forget_clients(work.connection, now - untried, now - unused, most))

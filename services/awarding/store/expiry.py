"""Badges whose time has run out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from services.awarding.model import Ended
from services.awarding.store import EXPIRY

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection


async def ended_learners(connection: Connection, now: datetime, most: int) -> dict[str, datetime]:
    """Learners, locked now, of whom a badge ended before `now` and was not told of; and when the first of theirs did.
    At most `most` badges are looked at."""
    rows = await connection.fetch(EXPIRY["ended_learners"], now, most)
    return {row["learner_id"]: row["valid_until"] for row in rows}


async def expire_badges(connection: Connection, ended: Mapping[str, datetime]) -> list[Ended]:
    """Note that badges ended at these instants (by learner); answers which, in order of their ids."""
    rows = await connection.fetch(EXPIRY["expire_badges"], list(ended), list(ended.values()))
    return sorted((Ended(**dict(row)) for row in rows), key=lambda found: found.badge_id)


async def put_off_expiry(connection: Connection, learner_ids: Sequence[str], seconds: float) -> None:
    """Leave the badges of these learners alone for some seconds."""
    await connection.execute(EXPIRY["put_off_expiry"], list(learner_ids), seconds)

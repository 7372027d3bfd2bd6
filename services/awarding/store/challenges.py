"""Learners' challenges."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from services.awarding.model import Challenge
from services.awarding.store import CHALLENGES

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def keep_challenge(
    connection: Connection, challenge_id: UUID, learner_id: str, achievement_id: str, target_on: date
) -> Challenge:
    """Keep a challenge; one with the same goal gets the new date and keeps its id."""
    row = await connection.fetchrow(CHALLENGES["keep_challenge"], challenge_id, learner_id, achievement_id, target_on)
    assert row is not None
    return Challenge(**dict(row))


async def challenges_of(reader: Reader, learner_id: str) -> list[Challenge]:
    """A learner's challenges, the nearest date first."""
    return [Challenge(**dict(row)) for row in await reader.fetch(CHALLENGES["challenges_of"], learner_id)]


async def drop_challenge(connection: Connection, learner_id: str, challenge_id: UUID) -> bool:
    """Forget a challenge; answers whether the learner had it."""
    return await connection.fetchval(CHALLENGES["drop_challenge"], learner_id, challenge_id) is not None

"""Challenges that learners set themselves (M2.9, M2.10)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from libs.common.messaging.work import Work
from services.awarding.handlers.mosaic import Shelf, read_learner
from services.awarding.model import Challenge
from services.awarding.rules.challenges import challenge_told
from services.awarding.store import challenges as challenge_store
from services.awarding.store import learners as learner_store

if TYPE_CHECKING:
    from services.awarding.store import Reader


async def record_challenge(
    shelf: Shelf, work: Work, challenge_id: UUID, learner_id: str, goal: tuple[str, date]
) -> Challenge | str:
    """Keep a learner's challenge, a `goal` being an achievement and the day until which; or the word for what is
    unknown."""
    achievement_id, target_on = goal
    if not await learner_store.is_learner_known(work.connection, learner_id):
        return "learner"
    if achievement_id not in (await shelf.catalogue(work.connection)).achievements:
        return "achievement"
    return await challenge_store.keep_challenge(work.connection, challenge_id, learner_id, achievement_id, target_on)


async def cancel_challenge(work: Work, learner_id: str, challenge_id: UUID) -> bool:
    """Forget a challenge; answers whether the learner had it."""
    return await challenge_store.drop_challenge(work.connection, learner_id, challenge_id)


async def show_challenges(shelf: Shelf, reader: Reader, learner_id: str, today: date) -> list[dict[str, Any]]:
    """A learner's challenges as they stand `today`, the nearest date first."""
    challenges = await challenge_store.challenges_of(reader, learner_id)
    if not challenges:
        return []
    catalogue, record, given = await read_learner(shelf, reader, learner_id)
    last = {held.achievement_id: held for held in sorted(given, key=lambda held: held.cycle)}
    return [challenge_told(catalogue, record, last, challenge, today) for challenge in challenges]

"""Challenges that learners set themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Challenge:
    """A learner means to earn an achievement until a day."""

    challenge_id: UUID
    learner_id: str
    achievement_id: str
    target_on: date
    made_at: datetime

"""Milestones on the way to an achievement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Milestone:
    """A learner reached a step that is marked as a milestone; `name` are the step's words."""

    learner_id: str
    achievement_id: str
    version: int
    step_id: str
    name: str
    reached_at: datetime

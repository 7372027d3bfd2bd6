"""What awarding told before, as a fresh database keeps it again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from libs.common.contracts import BadgeIssued
from services.awarding.model.badges import BadgeState


class RestoredBadge(NamedTuple):
    """A badge as it was told; `traceparent` is that of the span in which it was awarded, `list_number` that of the
    status lists that it names, where it names any."""

    told: BadgeIssued
    traceparent: str | None
    list_number: int | None


class RestoredChange(NamedTuple):
    """What became of a badge, as the event `event_id` told it at `told_at`."""

    event_id: UUID
    badge_id: UUID
    state: BadgeState
    reason: str
    cause_id: UUID
    told_at: datetime
    is_over: bool

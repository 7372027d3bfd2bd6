"""Drafts are rehearsed by awarding before enrollment publishes them (B3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from libs.common.contracts import AchievementPublished, RehearsalCompleted
from libs.common.contracts.enrollment import meaning_digest
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.enrollment import rules, store
from services.enrollment.model import NotPublished, Override, RehearsalPolicy

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection


async def on_rehearsal_completed(work: Work, received: Sequence[Received[RehearsalCompleted]]) -> None:
    """Keep the last word on each draft."""
    contents = [heard.content for heard in received if heard.content is not None]
    await store.keep_rehearsals(work.connection, contents)


async def evaluate_rehearsal(
    work: Work,
    draft: AchievementPublished,
    latest: AchievementPublished | None,
    policy: RehearsalPolicy,
    *,
    override: Override | None,
    at: datetime,
) -> NotPublished | None:
    """Why a draft may not be published yet, or None; who overrides that is recorded. `at` is now."""
    if not rules.needs_rehearsal(draft, latest, policy):
        return None
    rehearsal = await store.rehearsal(work.connection, draft.achievement_id, meaning_digest(draft))
    refusal = rules.decide_rehearsal(draft, latest, rehearsal, policy, at)
    if refusal is None or override is None:
        return refusal
    why = f"{refusal.title}: {refusal.faults[0].detail}"
    await store.keep_override(work.connection, draft, override, why, at=at)
    return None


async def show_rehearsals(connection: Connection, achievement_id: str) -> dict[str, Any]:
    """The drafts of an achievement that were tried, and who published without, the latest first."""
    rehearsals = await store.rehearsals_of(connection, achievement_id)
    overrides = await store.overrides_of(connection, achievement_id)
    return {
        "achievement_id": achievement_id,
        "rehearsals": [one.model_dump(mode="json") for one in rehearsals],
        "overrides": [asdict(one) for one in overrides],
    }

"""The badges that were issued, and how each came to be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.awarding.model import Badge, BadgeState, Held, Kept, ToldChange, Trail, TrailBadge, TrailEvent, Trigger
from services.awarding.store import SQL

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def held_badges(connection: Reader, wanted: Collection[tuple[str, str]]) -> dict[str, list[Held]]:
    """The badges given out of these (learner id, achievement id) pairs, by learner."""
    rows = await connection.fetch(SQL["held_badges"], [learner for learner, _ in wanted], [name for _, name in wanted])
    found: dict[str, list[Held]] = {}
    for row in rows:
        found.setdefault(row["learner_id"], []).append(_held(row))
    return found


def _held(row: Any) -> Held:
    return Held(
        row["learner_id"],
        row["achievement_id"],
        row["version"],
        row["badge_id"],
        row["valid_from"],
        row["credits"],
        Trigger(row["trigger_event_id"], row["trigger_arrived"], row["trigger_traceparent"]),
        row["cycle"],
        BadgeState(row["state"]),
        row["is_over"],
        row["valid_until"],
        row["is_expired"],
        row["by_hand"] != BadgeState.HOLDS,
    )


async def badges_of(connection: Reader, learner_ids: Collection[str]) -> dict[str, list[Kept]]:
    """All badges of these learners, by learner, with what their states depend on."""
    rows = await connection.fetch(SQL["badges_of"], sorted(learner_ids))
    found: dict[str, list[Kept]] = {}
    for row in rows:
        events, badges = frozenset(row["evidence_events"]), frozenset(row["evidence_badges"])
        by_hand = BadgeState(row["by_hand"])
        kept = Kept(_held(row), by_hand, row["is_grounded"], events, badges, row["told_at"])
        found.setdefault(row["learner_id"], []).append(kept)
    return found


async def keep_changes(connection: Connection, changes: Sequence[ToldChange]) -> None:
    """Change the states of badges (each once) and note what was told of it."""
    badge_ids = [told.change.kept.held.badge_id for told in changes]
    states = [int(told.change.state) for told in changes]
    told_at = [told.told_at for told in changes]
    over = [told.change.is_over for told in changes]
    await connection.execute(SQL["change_badges"], badge_ids, states, over, told_at)
    await connection.execute(
        SQL["keep_changes"],
        [told.event_id for told in changes],
        badge_ids,
        states,
        [told.change.reason for told in changes],
        [told.cause.cause_id for told in changes],
        told_at,
    )


async def keep_badges(connection: Connection, badges: Sequence[Badge]) -> dict[UUID, datetime]:
    """Keep issued badges; answers the ids of those that were not there before, with when each was awarded."""
    awards = [badge.award for badge in badges]
    rows = await connection.fetch(
        SQL["keep_badges"],
        [award.badge_id for award in awards],
        [award.learner_id for award in awards],
        [award.achievement_id for award in awards],
        [award.version for award in awards],
        [award.cycle for award in awards],
        [badge.issuer_id for badge in badges],
        [award.valid_from for award in awards],
        [award.valid_until for award in awards],
        [badge.credential for badge in badges],
        [badge.open_badge_2 for badge in badges],
        [badge.digest for badge in badges],
        # An array of arrays must be rectangular in PostgreSQL, so ids travel as one text a badge.
        [" ".join(str(fact.event_id) for fact in award.facts) for award in awards],
        [" ".join(str(held.badge_id) for held in award.badges) for award in awards],
        [award.trigger.event_id for award in awards],
        [award.trigger.arrived for award in awards],
        [award.trigger.traceparent for award in awards],
        [badge.traceparent for badge in badges],
        [award.act is None for award in awards],
        [badge.place and badge.place[0] for badge in badges],
        [badge.place and badge.place[1] for badge in badges],
    )
    return {row["badge_id"]: row["awarded_at"] for row in rows}


async def badge_trail(connection: Reader, badge_id: UUID) -> Trail | None:
    """How a badge came to be, or None when there is no such badge."""
    row = await connection.fetchrow(SQL["badge_trail"], badge_id)
    if row is None:
        return None
    events = await connection.fetch(SQL["trail_events"], row["learner_id"], row["evidence_events"])
    badges = await connection.fetch(SQL["trail_badges"], row["evidence_badges"])
    values = {name: row[name] for name in Trail.__dataclass_fields__ if name not in ("events", "badges")}
    return Trail(
        **values,
        events=tuple(TrailEvent(**dict(event)) for event in events),
        badges=tuple(TrailBadge(**dict(badge)) for badge in badges),
    )

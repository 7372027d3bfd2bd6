"""Answers to people: why, why not, and how a badge came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.awarding.model import Trail
from services.awarding.rules.catalogue import Achievement
from services.awarding.rules.explanation import explanation
from services.awarding.rules.outcome import Record
from services.awarding.store import badges as badge_store
from services.awarding.store import catalogue as catalogue_store
from services.awarding.store import facts as fact_store
from services.awarding.store import learners as learner_store
from services.awarding.store import milestones as milestone_store

if TYPE_CHECKING:
    from services.awarding.store import Reader


async def explain_achievement(reader: Reader, learner_id: str, achievement_id: str) -> dict[str, Any] | str:
    """Why the learner has, or has not, earned the achievement; or the word for what is unknown.

    Of a badge that was given it is the version earned that is explained, else the newest.
    """
    if not await learner_store.is_learner_known(reader, learner_id):
        return "learner"
    held = await badge_store.held_badges(reader, {(learner_id, achievement_id)})
    earned = max(held.get(learner_id, []), key=lambda badge: badge.cycle, default=None)
    published = await catalogue_store.achievement(reader, achievement_id, earned.version if earned else None)
    if published is None:
        return "achievement"
    achievement = Achievement.of(published)
    tree = achievement.tree
    facts = await fact_store.facts_about(reader, [(learner_id, achievement.object_ids)])
    badges = await badge_store.held_badges(reader, {(learner_id, badge) for badge in tree.badges})
    record = Record.of(facts.get(learner_id, []), (held for held in badges.get(learner_id, []) if held.holds))
    place = (learner_id, achievement_id, achievement.version)
    milestones = await milestone_store.milestones_in(reader, [place]) if achievement.milestones else []
    return explanation(learner_id, achievement, record, earned, milestones)


async def show_trail(reader: Reader, badge_id: UUID) -> Trail | None:
    """How a badge came to be, or None when there is no such badge."""
    return await badge_store.badge_trail(reader, badge_id)

"""Answers to people: why, why not, and how a badge came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.awarding.model import Trail
from services.awarding.rules.catalogue import Achievement, Lineage
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

    It is the version that judges the learner which is explained: the one earned, or the one still to be earned.
    """
    if not await learner_store.is_learner_known(reader, learner_id):
        return "learner"
    versions = await catalogue_store.versions_of(reader, achievement_id)
    if not versions:
        return "achievement"
    lineage = Lineage.of([Achievement.of(published) for published in versions])
    facts = await fact_store.facts_about(reader, [(learner_id, lineage.object_ids)])
    names = {achievement_id, *lineage.badges}
    badges = (await badge_store.held_badges(reader, {(learner_id, name) for name in names})).get(learner_id, [])
    record = Record.of(facts.get(learner_id, []), (held for held in badges if held.stands))
    given = [held for held in badges if held.achievement_id == achievement_id]
    reached = await milestone_store.milestones_in(reader, [(learner_id, achievement_id)])
    milestones = sorted(reached, key=lambda milestone: (milestone.version, milestone.step_id))
    return explanation(learner_id, lineage, record, given, milestones)


async def show_trail(reader: Reader, badge_id: UUID) -> Trail | None:
    """How a badge came to be, or None when there is no such badge."""
    return await badge_store.badge_trail(reader, badge_id)

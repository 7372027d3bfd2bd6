"""A draft is tried on recorded facts before it is published (B3). Nothing is changed, kept or told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from libs.common.contracts.requirement import Requirement
from services.awarding.rules.outcome import Record
from services.awarding.rules.rehearsal import Rehearsal, decide_effect
from services.awarding.rules.tree import Node, compiled
from services.awarding.store import badges as badge_store
from services.awarding.store import facts as fact_store
from services.awarding.store import learners as learner_store

if TYPE_CHECKING:
    from services.awarding.store import Reader

LEARNERS_AT_ONCE = 1000


async def evaluate_draft(reader: Reader, achievement_id: str, requirement: Requirement) -> Rehearsal:
    """Try a requirement on all learners whose facts or badges it mentions, and on all who hold the achievement.

    What their new badges would help to earn is not looked at.
    """
    draft, rehearsal = compiled(requirement), Rehearsal()
    learners = await learner_store.learners_concerned(reader, draft.mentions, draft.badges | {achievement_id})
    for start in range(0, len(learners), LEARNERS_AT_ONCE):
        await _look_at(reader, achievement_id, draft, learners[start : start + LEARNERS_AT_ONCE], rehearsal)
    return rehearsal


async def _look_at(
    reader: Reader, achievement_id: str, draft: Node, learners: Sequence[str], rehearsal: Rehearsal
) -> None:
    objects = " ".join(sorted({object_id for _, object_id in draft.mentions}))
    names = draft.badges | {achievement_id}
    facts = await fact_store.facts_about(reader, [(learner, objects) for learner in learners])
    badges = await badge_store.held_badges(reader, {(learner, name) for learner in learners for name in names})
    for learner in learners:
        given = badges.get(learner, [])
        record = Record.of(facts.get(learner, ()), (held for held in given if held.holds))
        own = [held for held in given if held.achievement_id == achievement_id]
        rehearsal.add(learner, decide_effect(draft, record, own))

"""Which milestones a learner has reached (M2.5): the steps so marked that count, each told once."""

from __future__ import annotations

from collections.abc import Iterator, Set

from services.awarding.model import Milestone
from services.awarding.rules.catalogue import Achievement
from services.awarding.rules.outcome import Record
from services.awarding.rules.tree import pathways_in


def decide_milestones(
    achievement: Achievement, learner_id: str, record: Record, reached: Set[str]
) -> Iterator[Milestone]:
    """The milestones that are reached by this record; `reached` are the step ids of those that were told before.

    A milestone is kept when what it stood on falls away: it was reached.
    """
    for pathway in pathways_in(achievement.tree):
        steps = pathway.steps
        if not any(step.milestone and step.step_id not in reached for step in steps):
            continue
        for step, part in zip(steps, pathway.outcome(record).parts, strict=True):
            if step.milestone and part.met_at is not None and step.step_id not in reached:
                name, version = achievement.achievement_id, achievement.version
                yield Milestone(learner_id, name, version, step.step_id, step.label, part.met_at)

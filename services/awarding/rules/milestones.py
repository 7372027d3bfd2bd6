"""Which milestones a learner has reached (M2.5): the steps so marked that count, each told once.

They are judged as awards are: by the versions that the learner is held to, each for what occurred until the next took
over, and cycle by cycle (B5). So no later publication changes which are reached. They are judged once a batch, at its
end: where the latest attempt counts, one that held for less than that is not reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from services.awarding.model import Held, Milestone
from services.awarding.rules.catalogue import Lineage
from services.awarding.rules.outcome import Record
from services.awarding.rules.slots import Slot, has_come, judging_slots
from services.awarding.rules.tree import pathways_in
from services.awarding.rules.windows import stretches


def decide_milestones(
    lineage: Lineage, learner_id: str, given: Sequence[Held], record: Record, reached: Set[tuple[int, str]]
) -> Iterator[Milestone]:
    """The milestones that are reached by this record, where `given` are all badges of the achievement that the learner
    was given; `reached` are the versions and step ids of those that were told before.

    A milestone is kept when what it stood on falls away: it was reached.
    """
    known = set(reached)
    for slot in judging_slots(lineage, given, record):
        for milestone in _reached_in(slot, learner_id, record):
            if (milestone.version, milestone.step_id) not in known:
                known.add((milestone.version, milestone.step_id))
                yield milestone


def _reached_in(slot: Slot, learner_id: str, record: Record) -> Iterator[Milestone]:
    name, version = slot.achievement.achievement_id, slot.achievement.version
    for pathway in pathways_in(slot.achievement.tree):
        if not any(step.milestone for step in pathway.steps):
            continue
        for stretch in stretches(pathway, record, slot.window):
            for step, part in zip(pathway.steps, pathway.outcome(stretch.record).parts, strict=True):
                met_at = stretch.dated(part.met_at) if step.milestone else None
                if met_at is not None and has_come(slot, met_at, record):
                    yield Milestone(learner_id, name, version, step.step_id, step.label, met_at)

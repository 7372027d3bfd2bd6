"""Whether anything may be due, judged by the few facts that tell of many: the first, the last and the best attempt.

Whether a requirement is met depends on no other attempts: a score counts if the best is good enough, or the last, and
what was done once was done with the first. When it was met does depend on them, so what may be due is decided by all
facts. So this may hope in vain, and never misses what is due: an attempt that earns nothing costs little, however many
there were before (issue 4, "Speed").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from itertools import pairwise

from services.awarding.model import About, Fact, Held
from services.awarding.rules.awards import Standing
from services.awarding.rules.catalogue import Catalogue, Lineage
from services.awarding.rules.outcome import Record
from services.awarding.rules.slots import cycles_of, judging_slots, open_slots
from services.awarding.rules.tree import pathways_in
from services.awarding.rules.windows import Window, at_best

_NONE: tuple[Held, ...] = ()


def may_earn(catalogue: Catalogue, standing: Standing) -> bool:
    """Whether anything may be due to a learner; false only where `decide_awards` finds nothing due.

    `standing.known` needs no more than the facts that tell in each of the `spans`. It grows by the way.
    """
    record, open_ids = standing.known, standing.open_ids & catalogue.achievements.keys()
    for arrival in standing.arrivals:
        if isinstance(arrival, Fact):
            record.add(arrival)
            names = catalogue.by_about.get(arrival.about, ())
        else:
            record.hold(arrival)
            names = catalogue.by_badge.get(arrival.achievement_id, ())
        if any(_may_be_due(catalogue.lineages[name], standing, name) for name in names if name in open_ids):
            return True
    return any(_may_be_due(catalogue.lineages[name], standing, name) for name in open_ids)


def _may_be_due(lineage: Lineage, standing: Standing, name: str) -> bool:
    for slot in open_slots(lineage, standing.given.get(name, _NONE), standing.known):
        tree = slot.achievement.tree
        if tree.met(at_best(tree, standing.known, slot.window)):
            return True
    return False


def may_reach(lineage: Lineage, given: Sequence[Held], record: Record, reached: Set[tuple[int, str]]) -> bool:
    """Whether there may be a milestone beside those `reached`; false only where `decide_milestones`, which takes the
    same, finds none. `record` needs no more than the facts that tell in each of the `spans`."""
    for slot in judging_slots(lineage, given, record):
        for pathway in pathways_in(slot.achievement.tree):
            parts = pathway.outcome(at_best(pathway, record, slot.window)).parts
            for step, part in zip(pathway.steps, parts, strict=True):
                if step.milestone and part.met and (slot.achievement.version, step.step_id) not in reached:
                    return True
    return False


def spans(
    catalogue: Catalogue, names: Iterable[str], given: Mapping[str, Sequence[Held]]
) -> Iterator[tuple[About, Window]]:
    """What these achievements ask about, and within which spans of time: the windows of their versions and of the
    learner's cycles begin and end where a span does. `given` are the learner's badges by achievement."""
    bounds: dict[About, set[datetime]] = {}
    for name in names:
        lineage = catalogue.lineages[name]
        instants = set(_bounds(lineage, given.get(name, _NONE)))
        for about in lineage.mentions:
            bounds.setdefault(about, set()).update(instants)
    for about, instants in bounds.items():
        for since, until in pairwise((None, *sorted(instants), None)):
            yield about, Window(since, until)


def _bounds(lineage: Lineage, given: Sequence[Held]) -> Iterator[datetime]:
    yield from (closed for version in lineage.versions if (closed := lineage.closed_at(version.version)) is not None)
    yield from (cycle.since for cycle in cycles_of(lineage, given) if cycle.since is not None)


def needs_all(catalogue: Catalogue, held: Iterable[Held]) -> bool:
    """Whether the states of these badges depend on when facts occurred, and not on what they say alone: where a badge
    of a version that another took over from stands on badges, which begin and end."""
    return any(
        catalogue.versions[badge.achievement_id, badge.version].tree.badges
        and catalogue.lineages[badge.achievement_id].closed_at(badge.version) is not None
        for badge in held
    )

"""Which version judges a learner now and why, and what it asks in addition to the one that they started (B5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.awarding.model import Held
from services.awarding.rules.badge import milliseconds
from services.awarding.rules.catalogue import Achievement, Lineage
from services.awarding.rules.leaves import Leaf
from services.awarding.rules.outcome import Outcome, Record
from services.awarding.rules.slots import Cycle, cycles_of, judged_by
from services.awarding.rules.tree import Node, inner_of
from services.awarding.rules.windows import since


@dataclass(frozen=True, slots=True)
class Judgement:
    """By which version a learner is judged in which cycle, which one they started and when, and why that judges.

    `badge` is the one of this version or a newer one in this cycle, whatever became of it; `record` is what counts.
    """

    achievement: Achievement
    started: Achievement
    started_at: datetime | None
    cycle: Cycle
    badge: Held | None
    record: Record
    why: str


def judge(lineage: Lineage, record: Record, given: Sequence[Held]) -> Judgement:
    """How a learner is judged who has this record and was given these badges of the achievement.

    A badge that has expired or is over is behind them: they are judged in the next cycle.
    """
    cycles = cycles_of(lineage, given)
    with_badges = [cycle for cycle in cycles if cycle.badges]
    cycle = with_badges[-1] if with_badges else cycles[-1]
    if cycle.badges and (cycle.badges[-1].is_over or cycle.badges[-1].is_expired):
        cycle = cycles[-1]
    judging, started, started_at = judged_by(lineage, cycle, record)
    badge = cycle.badges[-1] if cycle.badges else None
    if badge is not None and badge.version < judging.version:
        badge = None
    if badge is not None:
        judging = next(version for version in lineage.versions if version.version == badge.version)
    counting = since(record, cycle.since, judging.tree)
    return Judgement(judging, started, started_at, cycle, badge, counting, _why(lineage, judging, started, started_at))


def judgement_told(lineage: Lineage, found: Judgement, given: Iterable[Held]) -> dict[str, Any]:
    """The judgement as plain JSON values: `judged`, the `delta` where another version than the one started judges, and
    the `renewal` of a badge that ends."""
    told: dict[str, Any] = {
        "judged": {
            "version": found.achievement.version,
            "why": found.why,
            "started_version": found.started.version if found.started_at is not None else None,
            "started_at": None if found.started_at is None else milliseconds(found.started_at),
            "cycle": found.cycle.number,
            "since": None if found.cycle.since is None else milliseconds(found.cycle.since),
        },
        "delta": _delta(found),
        "renewal": None,
    }
    following = cycles_of(lineage, given)[-1]
    if not following.badges and following.since is not None and following.before is not None:
        ends = following.before.valid_until
        assert ends is not None
        told["renewal"] = {
            "cycle": following.number,
            "opens_at": milliseconds(following.since),
            "valid_until": milliseconds(ends),
        }
    return told


def _why(lineage: Lineage, judging: Achievement, started: Achievement, started_at: datetime | None) -> str:
    if len(lineage.versions) == 1:
        return "only-version"
    if started_at is None:
        return "newest"
    return "started" if judging.version <= started.version else judging.published.on_new_version


def _delta(found: Judgement) -> dict[str, Any] | None:
    """What is met of what the judging version asks, and what it asks that the version started did not."""
    if found.started_at is None or found.achievement.version <= found.started.version:
        return None
    before = {_bare(leaf) for leaf in _leaves(found.started.tree)}
    leaves = list(dict.fromkeys(_leaves(found.achievement.tree)))
    added = [leaf for leaf in leaves if _bare(leaf) not in before]
    return {
        "from_version": found.started.version,
        "to_version": found.achievement.version,
        "met": [_line(leaf.outcome(found.record)) for leaf in leaves if leaf.met(found.record)],
        "asked_in_addition": [
            {"step": _line(leaf.outcome(found.record)), "state": "met" if leaf.met(found.record) else "missing"}
            for leaf in added
        ],
    }


def _line(outcome: Outcome) -> str:
    return outcome.asked.label or outcome.asked.wanted


def _bare(leaf: Leaf) -> Leaf:
    """The same leaf in other words asks for nothing else."""
    return replace(leaf, label=None)


def _leaves(node: Node) -> Iterator[Leaf]:
    inner = inner_of(node)
    for part in inner:
        yield from _leaves(part)
    if not inner:
        yield node  # pyright: ignore[reportReturnType] - a node without any inside is a leaf

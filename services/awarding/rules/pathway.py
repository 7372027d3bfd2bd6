"""A pathway as it is evaluated: steps that count once they are met and all that comes before them counts (M1.7).

More evidence never makes a step count less or later, and the order in which it came is in none of it. A step's
requirement may be met long before its turn comes: then it counts with the last of the steps before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.awarding.model import About
from services.awarding.rules.outcome import Outcome, Part, Record


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its requirement (`part`), and the steps before it, as places in the pathway."""

    step_id: str
    label: str
    part: Part
    after: tuple[int, ...]
    optional: bool
    milestone: bool
    facilitation: str | None = None
    facilitator: str | None = None

    @property
    def kind(self) -> str:
        """The kind of its node in an explanation."""
        return "step"

    @property
    def wanted(self) -> str:
        """What it asks for, in words."""
        return self.part.wanted


@dataclass(frozen=True, slots=True)
class Pathway:
    """All steps that are not optional must count, and `n` of all. `order` names the places of the steps, what comes
    before others first; a step that is not in it can never count.

    `mentions`, `badges` and `fewest` are as in a branch.
    """

    n: int
    steps: tuple[Step, ...]
    order: tuple[int, ...]
    label: str | None
    mentions: frozenset[About] = field(default=frozenset(), repr=False)
    badges: frozenset[str] = field(default=frozenset(), repr=False)
    fewest: int = 0

    @property
    def kind(self) -> str:
        """The requirement's kind."""
        return "steps"

    @property
    def wanted(self) -> str:
        """What it asks for, in words."""
        needed = sum(not step.optional for step in self.steps)
        if self.n == len(self.steps):
            return "all steps"
        if needed < self.n:
            return f"at least {self.n} steps" if not needed else f"{needed} steps, and {self.n} in all"
        return "all steps that are not optional"

    def met(self, record: Record) -> bool:
        """Whether enough steps count; stops as soon as one that is needed does not."""
        counting, many = [False] * len(self.steps), 0
        for place in self.order:
            step = self.steps[place]
            counting[place] = all(counting[before] for before in step.after) and step.part.met(record)
            many += counting[place]
            if not counting[place] and not step.optional:
                return False
        # Also those that are in no order, and so can never count.
        return many >= self.n and all(counting[place] or step.optional for place, step in enumerate(self.steps))

    def outcome(self, record: Record) -> Outcome:
        """Met since the last of what was needed: so it depends on the set of facts alone."""
        inner = tuple(step.part.outcome(record) for step in self.steps)
        since = self._since([outcome.met_at for outcome in inner])
        parts = tuple(
            Outcome(step, since[place], parts=(outcome,), proof=(outcome,) if since[place] else ())
            for place, (step, outcome) in enumerate(zip(self.steps, inner, strict=True))
        )
        proof = self._proof(since)
        if proof is None:
            return Outcome(self, parts=parts)
        met_at = max(found for place in proof if (found := since[place]) is not None)
        return Outcome(self, met_at, parts=parts, proof=tuple(parts[place] for place in sorted(proof)))

    def _since(self, met_at: Sequence[datetime | None]) -> list[datetime | None]:
        """Since when each step counts."""
        since: list[datetime | None] = [None] * len(self.steps)
        for place in self.order:
            moments = [met_at[place], *(since[before] for before in self.steps[place].after)]
            if None not in moments:
                since[place] = max(moment for moment in moments if moment is not None)
        return since

    def _proof(self, since: Sequence[datetime | None]) -> set[int] | None:
        """The steps that it stands on: those that are needed, and the earliest others until they are enough."""
        counting = [
            (found, rank, place) for rank, place in enumerate(self.order) if (found := since[place]) is not None
        ]
        proof = {place for _, _, place in counting if not self.steps[place].optional}
        if len(proof) < sum(not step.optional for step in self.steps) or len(counting) < self.n:
            return None
        # A step never counts before those that it comes after, so what is needed for a proof is in it.
        for _, _, place in sorted(counting):
            if len(proof) >= self.n:
                break
            proof.add(place)
        return proof


def pathway_of(steps: Sequence[Step], n: int | None, label: str | None) -> Pathway:
    """The pathway of these steps, `n` of which must count, where more than those that are not optional."""
    needed = sorted(step.part.fewest for step in steps if not step.optional)
    others = sorted(step.part.fewest for step in steps if step.optional)
    n = max(n or 0, len(needed), 1)
    needed += others[: n - len(needed)]
    mentions = frozenset[About]().union(*(step.part.mentions for step in steps))
    badges = frozenset[str]().union(*(step.part.badges for step in steps))
    # A fact may serve several steps. Only where none is shared do the steps' numbers add up.
    disjoint = sum(len(step.part.mentions) for step in steps) == len(mentions)
    fewest = sum(needed) if disjoint else max(needed, default=0)
    return Pathway(n, tuple(steps), _order(steps), label, mentions, badges, fewest)


def _order(steps: Sequence[Step]) -> tuple[int, ...]:
    """The places of the steps, what comes before others first; without those that are in a circle or behind one."""
    order, placed = list[int](), set[int]()
    waiting = list(range(len(steps)))
    while ready := [place for place in waiting if placed.issuperset(steps[place].after)]:
        order += ready
        placed.update(ready)
        waiting = [place for place in waiting if place not in placed]
    return tuple(order)

"""What evaluating a requirement answers: a tree of outcomes, in the shape of the requirement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from services.awarding.model import About, Fact, Held


@dataclass(slots=True)
class Record:
    """What one learner did and holds, as far as it was loaded: facts by what they are about, badges by achievement.

    Of an achievement of which several badges were given, or one that ends, all are `several`; the one of them that
    counts now, if any does, is also `held`. It grows while a decision walks through the learner's events; it is never
    saved.
    """

    facts: dict[About, list[Fact]] = field(default_factory=dict[About, list[Fact]])
    held: dict[str, Held] = field(default_factory=dict[str, Held])
    several: dict[str, list[Held]] = field(default_factory=dict[str, list[Held]])

    @classmethod
    def of(cls, facts: Iterable[Fact] = (), held: Iterable[Held] = ()) -> Record:
        """The record of these facts (in any order, each event once) and badges (as `hold` takes them)."""
        record = cls()
        for fact in facts:
            record.add(fact)
        for badge in held:
            record.hold(badge)
        return record

    def add(self, fact: Fact) -> None:
        """Add one fact."""
        self.facts.setdefault((fact.kind, fact.object_id), []).append(fact)

    def hold(self, badge: Held) -> None:
        """Add one badge that stands: it holds, or only its time has run out."""
        name = badge.achievement_id
        several = self.several.get(name)
        if several is None:
            first = self.held.get(name)
            if first is None and badge.valid_until is None:
                self.held[name] = badge
                return
            several = self.several[name] = [] if first is None else [first]
        several.append(badge)
        counting = [given for given in several if not given.is_expired]
        if counting:
            self.held[name] = first_choice(counting)

    def badges_of(self, name: str) -> list[Held]:
        """All badges of an achievement that stand."""
        if name in self.several:
            return self.several[name]
        return [self.held[name]] if name in self.held else []


def first_choice(badges: Iterable[Held]) -> Held:
    """Which of several badges of one achievement counts: that with most credits, so that a further one costs nothing;
    of equal ones the oldest."""
    return min(badges, key=lambda badge: (-(badge.credits or 0), badge.valid_from, badge.badge_id))


class Asked(Protocol):
    """A node of a requirement: its kind and label, and in words what it asks for."""

    @property
    def kind(self) -> str: ...
    @property
    def label(self) -> str | None: ...
    @property
    def wanted(self) -> str: ...


class Part(Asked, Protocol):
    """A node that is evaluated: what it mentions, how many facts it needs at least, whether and how it is met."""

    @property
    def mentions(self) -> frozenset[About]: ...
    @property
    def badges(self) -> frozenset[str]: ...
    @property
    def fewest(self) -> int: ...
    def met(self, record: Record) -> bool: ...
    def outcome(self, record: Record) -> Outcome: ...


class Outcome(NamedTuple):
    """The state of one node of a requirement (`asked`) for one learner.

    A node that is met says since when (`met_at`) and by which facts and badges (of its own: not of its parts).
    `proof` are the parts that make it met: all of `all`, the earliest of `any`, the n earliest of `n-of`. `attempt`
    is the best or latest attempt, where an assessment was tried but not passed.
    """

    asked: Asked
    met_at: datetime | None = None
    facts: tuple[Fact, ...] = ()
    badges: tuple[Held, ...] = ()
    attempt: Fact | None = None
    parts: tuple[Outcome, ...] = ()
    proof: tuple[Outcome, ...] = ()

    @property
    def met(self) -> bool:
        """Whether the node is met."""
        return self.met_at is not None

    def leaves(self) -> Iterator[Outcome]:
        """The leaves that make this node met, from left to right."""
        if not self.parts:
            yield self
        for part in self.proof:
            yield from part.leaves()


def proving_facts(outcome: Outcome) -> tuple[Fact, ...]:
    """The facts that a met outcome stands on, each once, in the order in which they occurred."""
    found = {fact.event_id: fact for leaf in outcome.leaves() for fact in leaf.facts}
    return tuple(sorted(found.values(), key=lambda fact: (fact.occurred_at, fact.event_id)))


def proving_badges(outcome: Outcome) -> tuple[Held, ...]:
    """The badges that a met outcome stands on, each once, in the order in which they became valid."""
    found = {badge.badge_id: badge for leaf in outcome.leaves() for badge in leaf.badges}
    return tuple(sorted(found.values(), key=lambda badge: (badge.valid_from, badge.badge_id)))

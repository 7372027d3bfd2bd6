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

    It grows while a decision walks through the learner's events; it is never saved.
    """

    facts: dict[About, list[Fact]] = field(default_factory=dict[About, list[Fact]])
    held: dict[str, Held] = field(default_factory=dict[str, Held])

    @classmethod
    def of(cls, facts: Iterable[Fact] = (), held: Iterable[Held] = ()) -> Record:
        """The record of these facts (in any order, each event once) and badges."""
        record = cls()
        for fact in facts:
            record.add(fact)
        for badge in held:
            record.held[badge.achievement_id] = badge
        return record

    def add(self, fact: Fact) -> None:
        """Add one fact."""
        self.facts.setdefault((fact.kind, fact.object_id), []).append(fact)


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

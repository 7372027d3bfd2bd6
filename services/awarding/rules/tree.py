"""A requirement tree, compiled once for a published version, and its evaluation for one learner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from libs.common.contracts.requirement import (
    ActivityRequired,
    All,
    AnyOf,
    AssessmentRequired,
    AtLeast,
    BadgeRequired,
    CreditsRequired,
    EvidenceRequired,
    Requirement,
    Steps,
)
from libs.common.contracts.requirement import Leaf as LeafRequired
from services.awarding.model import About, FactKind
from services.awarding.rules.imported import accepting
from services.awarding.rules.leaves import BadgeLeaf, CreditsLeaf, FactLeaf, Leaf, ScoreLeaf
from services.awarding.rules.outcome import Outcome, Record
from services.awarding.rules.pathway import Pathway, Step, pathway_of


@dataclass(frozen=True, slots=True)
class Branch:
    """`n` of the parts must be met: all of them, any one, or the number that the requirement says.

    `mentions` and `badges` are everything below; `fewest` is a number of facts below which it cannot be met.
    """

    kind: str
    n: int
    parts: tuple[Node, ...]
    label: str | None
    mentions: frozenset[About] = field(default=frozenset(), repr=False)
    badges: frozenset[str] = field(default=frozenset(), repr=False)
    fewest: int = 0

    def met(self, record: Record) -> bool:
        """Whether enough parts are met; stops as soon as it is decided."""
        to_meet, may_fail = self.n, len(self.parts) - self.n
        for part in self.parts:
            if part.met(record):
                to_meet -= 1
                if not to_meet:
                    return True
            else:
                may_fail -= 1
                if may_fail < 0:
                    return False
        return False

    def outcome(self, record: Record) -> Outcome:
        """Met since the n-th earliest of the parts that are met: so it depends on the set of facts alone."""
        return self.judged(tuple(part.outcome(record) for part in self.parts))

    def judged(self, parts: tuple[Outcome, ...]) -> Outcome:
        """The outcome that follows from those of the parts; parts that are not met may be left out."""
        dated = [(part.met_at, place) for place, part in enumerate(parts) if part.met_at is not None]
        if len(dated) < self.n:
            return Outcome(self, parts=parts)
        dated.sort()
        proof = parts
        if self.n < len(parts):
            proof = tuple(parts[place] for place in sorted(place for _, place in dated[: self.n]))
        return Outcome(self, dated[self.n - 1][0], parts=parts, proof=proof)

    @property
    def wanted(self) -> str:
        """What it asks for, in words."""
        if self.kind == "all":
            return "all of these"
        return "any of these" if self.kind == "any" else f"at least {self.n} of these"


Node = Branch | Pathway | Leaf


def proof_of(node: Node, record: Record) -> Outcome:
    """The outcome of a node without the parts that are not met: the same proof, for less work."""
    if not isinstance(node, Branch):
        return node.outcome(record)
    met, may_fail = list[Outcome](), len(node.parts) - node.n
    for part in node.parts:
        outcome = proof_of(part, record)
        if outcome.met_at is not None:
            met.append(outcome)
            continue
        may_fail -= 1
        if may_fail < 0:
            return Outcome(node)
    return node.judged(tuple(met))


def compiled(requirement: Requirement, *, hopeful: bool = False) -> Node:
    """The requirement in the form that is evaluated. An `n-of` that asks for more than it has is never met.

    With `hopeful`, an assessment of which only the latest attempt counts is taken as met by any attempt: what is
    not met even so was not met after any of the facts.
    """
    match requirement:
        case All(of=of):
            return _branch(requirement, len(of), hopeful)
        case AnyOf():
            return _branch(requirement, 1, hopeful)
        case AtLeast(n=n):
            return _branch(requirement, n, hopeful)
        case Steps():
            return _pathway(requirement, hopeful)
        case _:
            return _leaf(requirement, hopeful)


def _leaf(requirement: LeafRequired, hopeful: bool) -> Leaf:
    label = requirement.label
    match requirement:
        case ActivityRequired(activity_id=activity_id):
            return FactLeaf("activity", (int(FactKind.ACTIVITY), activity_id), label)
        case EvidenceRequired(component_id=component_id):
            return FactLeaf("evidence", (int(FactKind.EVIDENCE), component_id), label)
        case AssessmentRequired(assessment_id=assessment_id, at_least=at_least, attempt=attempt):
            latest = attempt == "latest" and not hopeful
            return ScoreLeaf((int(FactKind.ASSESSMENT), assessment_id), at_least, latest, label)
        case BadgeRequired(achievement_id=achievement_id, accepts=accepts):
            return BadgeLeaf(achievement_id, label, accepting(accepts))
        case CreditsRequired(at_least=at_least, achievement_ids=achievement_ids, accepts=accepts):
            return CreditsLeaf(at_least, achievement_ids, label, accepting(accepts))


def fragile_in(node: Node) -> frozenset[About]:
    """The assessments of which only the latest attempt counts: a further fact may undo what was met."""
    if isinstance(node, Branch | Pathway):
        return frozenset[About]().union(*(fragile_in(part) for part in inner_of(node)))
    return frozenset((node.about,)) if isinstance(node, ScoreLeaf) and node.latest else frozenset()


def inner_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside one; a leaf has none."""
    if isinstance(node, Pathway):
        return tuple(cast("Node", step.part) for step in node.steps)
    return node.parts if isinstance(node, Branch) else ()


def pathways_in(node: Node) -> Iterator[Pathway]:
    """All pathways of a tree, the outer first."""
    if isinstance(node, Pathway):
        yield node
    for part in inner_of(node):
        yield from pathways_in(part)


def _pathway(requirement: Steps, hopeful: bool) -> Pathway:
    places = {step.step_id: place for place, step in reversed(list(enumerate(requirement.steps)))}
    # A place that is none keeps a step that comes after an unknown one from ever counting.
    steps = [
        Step(step.step_id, step.label, compiled(step.of, hopeful=hopeful),
             tuple(places.get(before, -1) for before in step.after), step.optional, step.milestone,
             step.facilitation, step.facilitator)
        for step in requirement.steps
    ]  # fmt: skip
    return pathway_of(steps, requirement.at_least, requirement.label)


def _branch(requirement: All | AnyOf | AtLeast, n: int, hopeful: bool) -> Branch:
    parts = tuple(compiled(part, hopeful=hopeful) for part in requirement.of)
    mentions = frozenset[About]().union(*(part.mentions for part in parts))
    badges = frozenset[str]().union(*(part.badges for part in parts))
    needed = sorted(part.fewest for part in parts)[:n]
    # A fact may serve several parts. Only where none is shared do the parts' numbers add up.
    disjoint = sum(len(part.mentions) for part in parts) == len(mentions)
    fewest = sum(needed) if disjoint else max(needed, default=0)
    return Branch(requirement.kind, n, parts, requirement.label, mentions, badges, fewest)

"""Why, or why not: the tree of outcomes as plain JSON values, for people and for programs (B1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.awarding.model import BadgeState, Fact, FactKind, Held, Milestone
from services.awarding.rules.badge import milliseconds
from services.awarding.rules.catalogue import Lineage
from services.awarding.rules.imported import parts_of
from services.awarding.rules.judgement import judge, judgement_told
from services.awarding.rules.leaves import BadgeLeaf, CreditsLeaf
from services.awarding.rules.outcome import Outcome, Record
from services.awarding.rules.pathway import Pathway, Step
from services.awarding.rules.scores import plain

_STATES = {BadgeState.HOLDS: "awarded", BadgeState.SUSPENDED: "suspended", BadgeState.REVOKED: "revoked"}


def explanation(
    learner_id: str,
    lineage: Lineage,
    record: Record,
    given: Sequence[Held] = (),
    milestones: Iterable[Milestone] = (),
) -> dict[str, Any]:
    """The state of each node of the requirement of the version that judges, what met it, and what is missing.

    `record` is what the learner did and what they hold, or held until its end; `given` are their badges of the
    achievement, whatever became of them; `milestones` are those that were told.
    """
    found = judge(lineage, record, given)
    achievement = found.achievement
    outcome = achievement.tree.outcome(found.record)
    badges = sorted(given, key=lambda held: (held.cycle, held.version))
    return {
        "learner_id": learner_id,
        "achievement_id": achievement.achievement_id,
        "version": achievement.version,
        "name": achievement.published.name,
        "state": state_of(found.badge) if found.badge else "met" if outcome.met else "missing",
        "badge": None if not badges else _badge(badges[-1]),
        "badges": [{**_badge(held), "cycle": held.cycle, "state": state_of(held)} for held in badges],
        **judgement_told(lineage, found, given),
        "requirement": tree_of(outcome),
        "missing": missing_of(outcome),
        "milestones": [milestone_told(milestone) for milestone in milestones],
    }


def state_of(held: Held) -> str:
    """What became of a badge, in one word."""
    return "expired" if held.stands and held.is_expired else _STATES[held.state]


def milestone_told(milestone: Milestone) -> dict[str, Any]:
    """A milestone as plain JSON values."""
    return {
        "achievement_id": milestone.achievement_id,
        "version": milestone.version,
        "step_id": milestone.step_id,
        "name": milestone.name,
        "reached_at": milliseconds(milestone.reached_at),
    }


def tree_of(outcome: Outcome) -> dict[str, Any]:
    """One node: its kind, what it asks for, its state and, where it is met, since when and by what."""
    node: dict[str, Any] = {
        "kind": outcome.asked.kind,
        "label": outcome.asked.label,
        "wanted": outcome.asked.wanted,
        "state": "met" if outcome.met else "missing",
    }
    if outcome.met_at is not None:
        node["met_at"] = milliseconds(outcome.met_at)
    if outcome.facts:
        node["events"] = [_event(fact) for fact in outcome.facts]
    if outcome.badges:
        node["badges"] = [_badge(badge) for badge in outcome.badges]
    if isinstance(outcome.asked, BadgeLeaf | CreditsLeaf) and outcome.asked.accepts:
        node["accepts"] = [one.name for one in outcome.asked.accepts]
    if outcome.attempt is not None and not outcome.met:
        node["attempt"] = _event(outcome.attempt)
    if outcome.parts:
        node["of"] = [tree_of(part) for part in outcome.parts]
    elif not outcome.met:
        node["who"] = whose_move(outcome)
    if isinstance(outcome.asked, Pathway):
        for told, step in zip(node["of"], outcome.asked.steps, strict=True):
            told.update(_step(step, outcome))
    return node


def whose_move(leaf: Outcome) -> str:
    """Who can meet a leaf that is not met: evidence is verified by an `assessor`, the rest is the `learner`'s."""
    return "assessor" if leaf.asked.kind == "evidence" else "learner"


def _step(step: Step, pathway: Outcome) -> dict[str, Any]:
    """What a step says beside its requirement; `waits_for` are the steps before it that do not count yet."""
    before = [pathway.parts[place] for place in step.after if place >= 0]
    told: dict[str, Any] = {
        "step_id": step.step_id,
        "optional": step.optional,
        "milestone": step.milestone,
        "waits_for": [other.asked.label for other in before if not other.met],
    }
    if step.facilitation is not None:
        told |= {"facilitation": step.facilitation, "facilitator": step.facilitator}
    return told


def missing_of(outcome: Outcome) -> list[str]:
    """What is missing, as one line for each leaf that is not met below a node that is not met."""
    if outcome.met:
        return []
    if not outcome.parts:
        return [outcome.asked.label or outcome.asked.wanted]
    return [line for part in open_parts(outcome) for line in missing_of(part)]


def open_parts(outcome: Outcome) -> Iterator[Outcome]:
    """The parts by which a node that is not met may be met: of a pathway those whose turn it is first, and optional
    steps only where more are wanted than must be taken."""
    if not isinstance(outcome.asked, Pathway):
        yield from (part for part in outcome.parts if not part.met)
        return
    pathway = outcome.asked
    steps = pathway.steps
    wants_more = pathway.n > sum(not step.optional for step in steps)
    for place in pathway.order:
        if not outcome.parts[place].met and (wants_more or not steps[place].optional):
            yield outcome.parts[place]


def _event(fact: Fact) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_id": str(fact.event_id),
        "kind": FactKind(fact.kind).name.lower(),
        "object_id": fact.object_id,
        "occurred_at": milliseconds(fact.occurred_at),
    }
    if fact.kind == FactKind.IMPORTED:
        issuer, achievement = parts_of(fact.object_id)
        event |= {"issuer": issuer, "achievement": achievement, "digest": fact.digest}
    if fact.points is not None:
        event |= {"points": plain(fact.points), "out_of": plain(fact.out_of)}
    return event


def _badge(badge: Held) -> dict[str, Any]:
    return {
        "badge_id": str(badge.badge_id),
        "achievement_id": badge.achievement_id,
        "version": badge.version,
        "valid_from": milliseconds(badge.valid_from),
        "valid_until": None if badge.valid_until is None else milliseconds(badge.valid_until),
    }

"""Why, or why not: the tree of outcomes as plain JSON values, for people and for programs (B1)."""

from __future__ import annotations

from typing import Any

from services.awarding.model import BadgeState, Fact, FactKind, Held
from services.awarding.rules.badge import milliseconds
from services.awarding.rules.catalogue import Achievement
from services.awarding.rules.outcome import Outcome, Record
from services.awarding.rules.scores import plain

_STATES = {BadgeState.HOLDS: "awarded", BadgeState.SUSPENDED: "suspended", BadgeState.REVOKED: "revoked"}


def explanation(learner_id: str, achievement: Achievement, record: Record, held: Held | None = None) -> dict[str, Any]:
    """The state of each node of the requirement, what met it, and what is missing.

    `held` is the learner's last badge of the achievement, whether it holds or not.
    """
    outcome = achievement.tree.outcome(record)
    return {
        "learner_id": learner_id,
        "achievement_id": achievement.achievement_id,
        "version": achievement.version,
        "name": achievement.published.name,
        "state": _STATES[held.state] if held else "met" if outcome.met else "missing",
        "badge": None if held is None else _badge(held),
        "requirement": tree_of(outcome),
        "missing": missing_of(outcome),
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
    if outcome.attempt is not None and not outcome.met:
        node["attempt"] = _event(outcome.attempt)
    if outcome.parts:
        node["of"] = [tree_of(part) for part in outcome.parts]
    return node


def missing_of(outcome: Outcome) -> list[str]:
    """What is missing, as one line for each leaf that is not met below a node that is not met."""
    if outcome.met:
        return []
    if not outcome.parts:
        return [outcome.asked.label or outcome.asked.wanted]
    return [line for part in outcome.parts for line in missing_of(part)]


def _event(fact: Fact) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_id": str(fact.event_id),
        "kind": FactKind(fact.kind).name.lower(),
        "object_id": fact.object_id,
        "occurred_at": milliseconds(fact.occurred_at),
    }
    if fact.points is not None:
        event |= {"points": plain(fact.points), "out_of": plain(fact.out_of)}
    return event


def _badge(badge: Held) -> dict[str, Any]:
    return {
        "badge_id": str(badge.badge_id),
        "achievement_id": badge.achievement_id,
        "version": badge.version,
        "valid_from": milliseconds(badge.valid_from),
    }

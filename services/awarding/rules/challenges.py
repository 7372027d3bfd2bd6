"""A challenge as it stands: progress, what can be done now, and what is in the way (M2.9, M2.10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from services.awarding.model import BadgeState, Challenge, Held
from services.awarding.rules.badge import milliseconds
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.explanation import open_parts, whose_move
from services.awarding.rules.leaves import BadgeLeaf, CreditsLeaf, FactLeaf, ScoreLeaf
from services.awarding.rules.mosaic import NEVER, Ways, leaves_of
from services.awarding.rules.outcome import Outcome, Record
from services.awarding.rules.scores import plain
from services.awarding.rules.tree import Node


def challenge_told(
    catalogue: Catalogue, record: Record, given: Mapping[str, Held], challenge: Challenge, today: date
) -> dict[str, Any]:
    """A challenge as plain JSON values. `record` is all that the learner did and holds, `given` the last badge of each
    achievement, whether it holds or not."""
    name = challenge.achievement_id
    achievement = catalogue.achievements[name]
    outcome = achievement.tree.outcome(record)
    to_go = Ways(catalogue, record).to_badge(name)
    reached = name in record.held
    opportunities = [] if reached else list(_opportunities(catalogue, record, name))
    obstacles = [] if reached else list(_obstacles(catalogue, record, given, name))
    if to_go >= NEVER:
        obstacles.append({"achievement_id": name, "why": "It asks for more than is published."})
    return {
        "challenge_id": str(challenge.challenge_id),
        "achievement_id": name,
        "name": achievement.published.name,
        "target_on": challenge.target_on.isoformat(),
        "made_at": milliseconds(challenge.made_at),
        "days_left": (challenge.target_on - today).days,
        "state": "reached" if reached else "overdue" if today > challenge.target_on else "under way",
        "steps_done": sum(1 for leaf in leaves_of(outcome) if leaf.met),
        "steps_to_go": None if to_go >= NEVER else to_go,
        "opportunities": opportunities,
        "obstacles": obstacles,
    }


def _goals(catalogue: Catalogue, record: Record, name: str) -> Iterator[tuple[str, Outcome]]:
    """The goal and the badges below it that are not held: each once, with each leaf that is not met."""
    seen, to_see = set[str](), [name]
    while to_see:
        goal = to_see.pop(0)
        if goal in seen or goal in record.held or goal not in catalogue.achievements:
            continue
        seen.add(goal)
        for leaf in _open_leaves(catalogue.achievements[goal].tree, record):
            yield goal, leaf
            if isinstance(leaf.asked, BadgeLeaf | CreditsLeaf):
                to_see += sorted(leaf.asked.badges)


def _open_leaves(tree: Node, record: Record) -> Iterator[Outcome]:
    """The leaves that are not met below nodes that are not met."""
    waiting = [tree.outcome(record)]
    while waiting:
        outcome = waiting.pop(0)
        if outcome.met:
            continue
        if outcome.parts:
            waiting = [*open_parts(outcome), *waiting]
        else:
            yield outcome


def _opportunities(catalogue: Catalogue, record: Record, name: str) -> Iterator[dict[str, Any]]:
    """What can be done now, for which badge, and whose move it is: evidence is verified by an assessor."""
    for goal, leaf in _goals(catalogue, record, name):
        if isinstance(leaf.asked, FactLeaf | ScoreLeaf):
            step = leaf.asked.label or leaf.asked.wanted
            about, who = leaf.asked.about[1], whose_move(leaf)
            yield {"achievement_id": goal, "step": step, "object_id": about, "who": who}


def _obstacles(catalogue: Catalogue, record: Record, given: Mapping[str, Held], name: str) -> Iterator[dict[str, Any]]:
    """What was tried in vain, and badges that were there and do not hold."""
    for goal, leaf in _goals(catalogue, record, name):
        if leaf.attempt is not None:
            score = f"{plain(leaf.attempt.points)} of {plain(leaf.attempt.out_of)}"
            yield {"achievement_id": goal, "why": f"So far: {score} in {leaf.attempt.object_id}."}
    goals = {name} | {goal for goal, _ in _goals(catalogue, record, name)}
    for goal in sorted(goals):
        held = given.get(goal)
        if held is not None and not held.holds:
            word = "expired" if held.stands else "suspended" if held.state is BadgeState.SUSPENDED else "revoked"
            yield {"achievement_id": goal, "why": f"The badge is {word}."}

"""A learner's mosaic: what is held, what is under way, and what to do next, with the distance to it (M2.7, M2.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from services.awarding.model import BadgeState, Held
from services.awarding.rules.badge import milliseconds
from services.awarding.rules.catalogue import Achievement, Catalogue
from services.awarding.rules.explanation import missing_of
from services.awarding.rules.judgement import judge
from services.awarding.rules.leaves import BadgeLeaf, CreditsLeaf
from services.awarding.rules.outcome import Outcome, Record
from services.awarding.rules.pathway import Pathway
from services.awarding.rules.tree import Branch, Node, inner_of

MOST_SUGGESTIONS = 10
_STATES = {BadgeState.HOLDS: "held", BadgeState.SUSPENDED: "suspended", BadgeState.REVOKED: "revoked"}
# Further than any way: what cannot be reached, because it asks for more than there is.
NEVER = 1_000_000


def under_way(catalogue: Catalogue, record: Record) -> set[str]:
    """The achievements that something the learner did or holds counts for, and what is built on those."""
    mentioning = {name for about in record.facts for name in catalogue.by_about.get(about, ())}
    mentioning |= {name for held in record.held for name in catalogue.by_badge.get(held, ())}
    return catalogue.reachable(mentioning)


def mosaic_of(catalogue: Catalogue, record: Record, given: Iterable[Held]) -> dict[str, Any]:
    """The mosaic as plain JSON values. `record` is all that the learner did and holds, `given` all their badges."""
    by_name: dict[str, list[Held]] = {}
    for held in sorted(given, key=lambda held: (held.cycle, held.version)):
        by_name.setdefault(held.achievement_id, []).append(held)
    last = {name: several[-1] for name, several in by_name.items()}
    ways = Ways(catalogue, record)
    names = (under_way(catalogue, record) - record.held.keys()) | _upgraded(catalogue, record, last)
    judged = [judge(catalogue.lineages[name], record, by_name.get(name, ())) for name in sorted(names)]
    begun = [
        # What occurred before renewal opened is no step of it.
        _tile(found.achievement, ways if found.cycle.since is None else Ways(catalogue, found.record), found.record)
        for found in judged
        if found.badge is None or not found.badge.holds
    ]
    begun.sort(key=lambda tile: (tile["steps_to_go"], -tile["steps_done"], tile["achievement_id"]))
    reached = [tile for tile in begun if 0 < tile["steps_to_go"] < NEVER]
    return {
        "held": [_held(catalogue, held) for _, held in sorted(last.items())],
        "in_progress": reached,
        "next": [_suggestion(tile) for tile in reached[:MOST_SUGGESTIONS]],
    }


def _upgraded(catalogue: Catalogue, record: Record, last: Mapping[str, Held]) -> set[str]:
    """The achievements of which an earlier version is held and a later one may be earned (B5)."""
    held = {name for name in last if name in record.held}
    return {name for name in held if last[name].version < catalogue.lineages[name].settled_version}


class Ways:
    """How many steps each achievement is away: a step is a fact that is missing, in whichever badge below.

    Of a choice the nearest parts count. A step that serves several parts is counted in each, so a distance is never
    too short.
    """

    def __init__(self, catalogue: Catalogue, record: Record) -> None:
        self.catalogue = catalogue
        self.record = record
        self._known: dict[str, int] = {}

    def to_badge(self, name: str) -> int:
        """Steps to a badge of an achievement; 0 where it is held."""
        if name in self.record.held:
            return 0
        if name not in self._known:
            achievement = self.catalogue.achievements.get(name)
            # What is being asked for is far away from itself, should there be a circle after all.
            self._known[name] = NEVER
            self._known[name] = NEVER if achievement is None else max(1, self.to_node(achievement.tree))
        return self._known[name]

    def to_node(self, node: Node) -> int:
        """Steps to a node of a requirement; 0 where it is met."""
        if node.met(self.record):
            return 0
        if isinstance(node, Branch):
            if node.n > len(node.parts):
                return NEVER
            return min(NEVER, sum(sorted(self.to_node(part) for part in node.parts)[: node.n]))
        if isinstance(node, Pathway):
            return self._to_end(node)
        if isinstance(node, BadgeLeaf):
            return self.to_badge(node.achievement_id)
        return self._to_credits(node) if isinstance(node, CreditsLeaf) else 1

    def _to_end(self, pathway: Pathway) -> int:
        """Through the steps that are needed, and the nearest others until they are enough, each with all before it."""
        ways = {place: self.to_node(part) for place, part in enumerate(inner_of(pathway))}
        before: dict[int, frozenset[int]] = {}
        for place in pathway.order:
            before[place] = frozenset([place]).union(*(before[other] for other in pathway.steps[place].after))
        if len(before) < len(pathway.steps) or pathway.n > len(pathway.steps):
            return NEVER
        taken = frozenset[int]().union(*(before[p] for p, step in enumerate(pathway.steps) if not step.optional))
        while len(taken) < pathway.n:
            nearest = min((sum(ways[p] for p in way - taken), p) for p, way in before.items() if p not in taken)
            taken |= before[nearest[1]]
        return min(NEVER, sum(ways[place] for place in taken))

    def _to_credits(self, leaf: CreditsLeaf) -> int:
        """The nearest badges first, until their credits are enough."""
        total, steps = sum((credits_ for _, credits_ in leaf.brought(self.record).values()), Decimal(0)), 0
        if total >= leaf.at_least:
            return 0
        for distance, name in sorted((self.to_badge(name), name) for name in set(leaf.achievement_ids)):
            total += self._credits(name)
            steps += distance
            if total >= leaf.at_least:
                return min(NEVER, steps)
        return NEVER

    def _credits(self, name: str) -> Decimal:
        held = self.record.held.get(name)
        achievement = self.catalogue.achievements.get(name)
        worth = held.credits if held else achievement.published.credits if achievement else None
        return worth or Decimal(0)


def _tile(achievement: Achievement, ways: Ways, record: Record) -> dict[str, Any]:
    outcome = achievement.tree.outcome(record)
    return {
        "achievement_id": achievement.achievement_id,
        "version": achievement.version,
        "name": achievement.published.name,
        "kind": achievement.published.kind,
        "steps_done": sum(1 for leaf in leaves_of(outcome) if leaf.met),
        "steps_to_go": ways.to_node(achievement.tree),
        "missing": missing_of(outcome),
    }


def leaves_of(outcome: Outcome) -> Iterable[Outcome]:
    """All leaves of a tree, met or not."""
    if not outcome.parts:
        yield outcome
    for part in outcome.parts:
        yield from leaves_of(part)


def _suggestion(tile: Mapping[str, Any]) -> dict[str, Any]:
    steps = tile["steps_to_go"]
    far = "one step" if steps == 1 else f"{steps} steps"
    return {
        "achievement_id": tile["achievement_id"],
        "name": tile["name"],
        "distance": steps,
        "reason": f"You are {far} from {tile['name']}.",
        "step": next(iter(tile["missing"]), None),
    }


def _held(catalogue: Catalogue, held: Held) -> dict[str, Any]:
    achievement = catalogue.versions[held.achievement_id, held.version]
    return {
        "badge_id": str(held.badge_id),
        "achievement_id": held.achievement_id,
        "version": held.version,
        "name": achievement.published.name,
        "kind": achievement.published.kind,
        "state": "expired" if held.stands and held.is_expired else _STATES[held.state],
        "valid_from": milliseconds(held.valid_from),
        "valid_until": None if held.valid_until is None else milliseconds(held.valid_until),
        "counts_for": list(catalogue.by_badge.get(held.achievement_id, ())) if held.holds else [],
    }

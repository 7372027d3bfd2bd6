"""A draft requirement, tried on what is recorded: who would gain a badge by it, and who would not hold theirs (B3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from services.awarding.model import Held
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.outcome import Record
from services.awarding.rules.tree import Node

Effect = Literal["gain", "lose", "keep", "none"]
SAMPLE_LEARNERS = 20


class Limits(NamedTuple):
    """How many badges may be gained or lost at most, those of stacks above included; None is no limit."""

    gain: int | None = None
    lose: int | None = None


def decide_effect(draft: Node, record: Record, given: Sequence[Held]) -> Effect:
    """What the draft would mean for one learner. `given` are their badges of the achievement, whatever its version.

    Who holds a badge and does not meet the draft would lose it, were badges judged by the draft. A badge that was
    suspended or revoked counts as none.
    """
    holds = any(held.holds for held in given)
    if draft.met(record):
        return "keep" if holds else "gain"
    return "lose" if holds else "none"


def decide_cascade(
    catalogue: Catalogue, record: Record, achievement_id: str, gained: Held | None
) -> tuple[set[str], set[str]]:
    """The achievements above whose badges would follow: gained, where the draft's badge is (`gained`), and lost, where
    the learner's badge of it is not held any more (None). `record` is all that matters to those above, and is changed.

    Those above are taken as they are published now, what is required first (B4).
    """
    gains, losses = set[str](), set[str]()
    if gained is None:
        record.held.pop(achievement_id, None)
    else:
        record.held[achievement_id] = gained
    above = catalogue.reachable(catalogue.by_badge.get(achievement_id, ())) - {achievement_id}
    for name in sorted(above, key=lambda name: (catalogue.rank[name], name)):
        held = record.held.get(name)
        newest = catalogue.achievements[name]
        if held is None and gained is not None and newest.tree.met(record):
            gains.add(name)
            record.held[name] = replace(gained, achievement_id=name, credits=newest.published.credits)
        elif held is not None and gained is None:
            version = catalogue.versions[name, held.version]
            if version.published.on_loss != "keep" and not version.tree.met(record):
                losses.add(name)
                del record.held[name]
    return gains, losses


@dataclass(slots=True)
class Rehearsal:
    """What the learners who were looked at add up to."""

    looked_at: int = 0
    learners: dict[Effect, list[str]] = field(default_factory=dict[Effect, list[str]])
    counts: dict[Effect, int] = field(default_factory=dict[Effect, int])
    above: dict[Effect, Counter[str]] = field(default_factory=dict[Effect, "Counter[str]"])

    def add(self, learner_id: str, effect: Effect) -> None:
        """Count one learner, and remember the first of each kind."""
        self.looked_at += 1
        self.counts[effect] = self.counts.get(effect, 0) + 1
        if self.counts[effect] <= SAMPLE_LEARNERS:
            self.learners.setdefault(effect, []).append(learner_id)

    def add_above(self, effect: Effect, names: Iterable[str]) -> None:
        """Count badges of achievements above that would follow for one learner."""
        self.above.setdefault(effect, Counter()).update(names)

    def count(self, effect: Effect) -> int:
        """How many learners it concerns."""
        return self.counts.get(effect, 0)

    def count_above(self, effect: Effect) -> int:
        """How many badges would follow in the stacks above."""
        return self.above.get(effect, Counter[str]()).total()

    def is_within(self, limits: Limits) -> bool:
        """Whether no more badges are gained or lost, those above included, than the limits say."""
        gain, lose = (self.count(effect) + self.count_above(effect) for effect in ("gain", "lose"))
        return (limits.gain is None or gain <= limits.gain) and (limits.lose is None or lose <= limits.lose)

    def told(self, achievement_id: str, digest: str, limits: Limits) -> dict[str, Any]:
        """The rehearsal as plain JSON values; `digest` is that of what the draft means."""
        return {
            "achievement_id": achievement_id,
            "digest": digest,
            "learners_looked_at": self.looked_at,
            "gain": self._part("gain"),
            "lose": self._part("lose"),
            "keep": {"count": self.counts.get("keep", 0)},
            "limits": {"gain": limits.gain, "lose": limits.lose},
            "within_limits": self.is_within(limits),
        }

    def _part(self, effect: Effect) -> dict[str, Any]:
        return {
            "count": self.count(effect),
            "sample": self.learners.get(effect, []),
            "above": dict(sorted(self.above.get(effect, Counter[str]()).items())),
        }

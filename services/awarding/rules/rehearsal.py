"""A draft requirement, tried on what is recorded: who would gain a badge by it, and who would not hold theirs (B3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from services.awarding.model import Held
from services.awarding.rules.outcome import Record
from services.awarding.rules.tree import Node

Effect = Literal["gain", "lose", "keep", "none"]
SAMPLE_LEARNERS = 20


def decide_effect(draft: Node, record: Record, given: Sequence[Held]) -> Effect:
    """What the draft would mean for one learner. `given` are their badges of the achievement, whatever its version.

    Who holds a badge and does not meet the draft would lose it, were badges judged by the draft. A badge that was
    suspended or revoked counts as none.
    """
    holds = any(held.holds for held in given)
    if draft.met(record):
        return "keep" if holds else "gain"
    return "lose" if holds else "none"


@dataclass(slots=True)
class Rehearsal:
    """What the learners who were looked at add up to."""

    looked_at: int = 0
    learners: dict[Effect, list[str]] = field(default_factory=dict[Effect, list[str]])
    counts: dict[Effect, int] = field(default_factory=dict[Effect, int])

    def add(self, learner_id: str, effect: Effect) -> None:
        """Count one learner, and remember the first of each kind."""
        self.looked_at += 1
        self.counts[effect] = self.counts.get(effect, 0) + 1
        if self.counts[effect] <= SAMPLE_LEARNERS:
            self.learners.setdefault(effect, []).append(learner_id)

    def told(self, achievement_id: str, most_gain: int | None, most_lose: int | None) -> dict[str, Any]:
        """The rehearsal as plain JSON values. It is within its limits where no more gain or lose than they say."""
        gain, lose = (self.counts.get(effect, 0) for effect in ("gain", "lose"))
        return {
            "achievement_id": achievement_id,
            "learners_looked_at": self.looked_at,
            "gain": self._part("gain"),
            "lose": self._part("lose"),
            "keep": {"count": self.counts.get("keep", 0)},
            "limits": {"gain": most_gain, "lose": most_lose},
            "within_limits": (most_gain is None or gain <= most_gain) and (most_lose is None or lose <= most_lose),
        }

    def _part(self, effect: Effect) -> dict[str, Any]:
        return {"count": self.counts.get(effect, 0), "sample": self.learners.get(effect, [])}

"""A draft requirement, tried on what is recorded: who would gain a badge by it, and who would not hold theirs (B3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import NAMESPACE_OID

from services.awarding.model import Award, Fact, Held, Kept
from services.awarding.rules.awards import Standing, decide_awards
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.outcome import Record
from services.awarding.rules.states import begun_for, meets_its_version
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


def gains_above(catalogue: Catalogue, kept: Iterable[Kept], facts: Iterable[Fact], gained: Held) -> tuple[str, ...]:
    """The achievements above of which a learner would gain a badge, each as often as they would, by the badge `gained`
    that the draft would give them. `kept` are all their badges, `facts` what they did about what those above mention.

    Those above judge as awards are decided: by the versions that the learner is held to (B5).
    """
    standing, given = list[Held](), dict[str, list[Held]]()
    for entry in kept:
        given.setdefault(entry.held.achievement_id, []).append(entry.held)
        if entry.held.stands:
            standing.append(entry.held)
    above = _above(catalogue, gained.achievement_id)
    asked = Standing(gained.learner_id, Record.of(facts, standing), (gained,), frozenset(above), given)
    awards = decide_awards(catalogue, asked, NAMESPACE_OID)
    return tuple(award.achievement_id for award in awards if isinstance(award, Award))


def losses_above(
    catalogue: Catalogue, kept: Sequence[Kept], facts: Iterable[Fact], achievement_id: str
) -> tuple[str, ...]:
    """The achievements above of which a learner's badges would not hold any more, once for each badge, if theirs of
    the draft's achievement did not; `kept` and `facts` as for `gains_above`.

    Each is judged as its state would be: by its own version (B5), what is required first (B4).
    """
    record, begun = Record.of(facts), begun_for(catalogue, kept)
    above, lost = _above(catalogue, achievement_id), list[str]()
    places = {name: place + 1 for place, name in enumerate(above)}
    for entry in sorted(kept, key=lambda entry: places.get(entry.held.achievement_id, 0)):
        held = entry.held
        if not held.stands or held.achievement_id == achievement_id:
            continue
        # What is not above it, has ended, or stands on no facts, is as it was.
        is_shaken = held.achievement_id in places and held.holds and entry.is_grounded
        if is_shaken and not meets_its_version(catalogue, held, record, begun[held.badge_id]):
            lost.append(held.achievement_id)
        else:
            record.hold(held)
    return tuple(lost)


def _above(catalogue: Catalogue, achievement_id: str) -> list[str]:
    """All that a badge of the achievement may help to earn, what is required first."""
    above = catalogue.reachable(catalogue.by_badge.get(achievement_id, ())) - {achievement_id}
    return sorted(above, key=lambda name: (catalogue.rank[name], name))


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

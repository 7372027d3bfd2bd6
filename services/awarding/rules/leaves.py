"""The leaves of a requirement: what a fact or a badge can meet by itself.

Each says what it mentions, whether it is met (`met`, fast), and its whole outcome (`outcome`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.awarding.model import About, Fact, Held
from services.awarding.rules.imported import Accepting
from services.awarding.rules.outcome import Outcome, Record
from services.awarding.rules.scores import EXACT, best, is_at_least, plain

_NONE: frozenset[str] = frozenset()


def _when(fact: Fact) -> tuple[object, object]:
    return fact.occurred_at, fact.event_id


@dataclass(frozen=True, slots=True)
class FactLeaf:
    """An activity completed or an evidence component verified; once is enough."""

    kind: str
    about: About
    label: str | None

    @property
    def wanted(self) -> str:
        """What it asks for, in words."""
        return f"complete {self.about[1]}" if self.kind == "activity" else f"have {self.about[1]} verified"

    @property
    def mentions(self) -> frozenset[About]:
        """What it is about."""
        return frozenset((self.about,))

    @property
    def badges(self) -> frozenset[str]:
        """It needs no badge."""
        return _NONE

    @property
    def fewest(self) -> int:
        """How many facts are needed at least."""
        return 1

    def met(self, record: Record) -> bool:
        """Whether the learner has the fact."""
        return self.about in record.facts

    def outcome(self, record: Record) -> Outcome:
        """Met since the earliest fact."""
        facts = record.facts.get(self.about)
        if not facts:
            return Outcome(self)
        first = min(facts, key=_when)
        return Outcome(self, first.occurred_at, (first,))


@dataclass(frozen=True, slots=True)
class ScoreLeaf:
    """An assessment scored at or above `at_least`, in any attempt or, with `latest`, in the latest."""

    about: About
    at_least: Decimal
    latest: bool
    label: str | None

    @property
    def kind(self) -> str:
        """The requirement's kind."""
        return "assessment"

    @property
    def wanted(self) -> str:
        """What it asks for, in words."""
        return f"score {plain(self.at_least * 100)} % or more in {self.about[1]}" + (
            ", in the latest attempt" if self.latest else ""
        )

    @property
    def mentions(self) -> frozenset[About]:
        """What it is about."""
        return frozenset((self.about,))

    @property
    def badges(self) -> frozenset[str]:
        """It needs no badge."""
        return _NONE

    @property
    def fewest(self) -> int:
        """How many facts are needed at least."""
        return 1

    def met(self, record: Record) -> bool:
        """Whether the attempt that counts is good enough."""
        facts = record.facts.get(self.about)
        if not facts:
            return False
        if self.latest:
            return is_at_least(max(facts, key=_when), self.at_least)
        for fact in facts:  # noqa: SIM110 - asked for every leaf of every event: a generator takes three times as long
            if is_at_least(fact, self.at_least):
                return True
        return False

    def outcome(self, record: Record) -> Outcome:
        """Met since the earliest attempt that is good enough, or since the latest if only that counts."""
        facts = record.facts.get(self.about)
        if facts is None:
            return Outcome(self)
        counting = [max(facts, key=_when)] if self.latest else facts
        passed = [fact for fact in counting if is_at_least(fact, self.at_least)]
        if not passed:
            return Outcome(self, attempt=best(counting))
        first = min(passed, key=_when)
        return Outcome(self, first.occurred_at, (first,))


@dataclass(frozen=True, slots=True)
class BadgeLeaf:
    """A badge of an achievement is held, in whichever version, or one was imported that is accepted for it."""

    achievement_id: str
    label: str | None
    accepts: tuple[Accepting, ...] = ()

    @property
    def kind(self) -> str:
        """The requirement's kind."""
        return "badge"

    @property
    def wanted(self) -> str:
        """What it asks for, in words."""
        return " or ".join([f"hold a badge of {self.achievement_id}", *(f"bring {one.name}" for one in self.accepts)])

    @property
    def mentions(self) -> frozenset[About]:
        """The imported badges that it accepts."""
        return frozenset(one.about for one in self.accepts)

    @property
    def badges(self) -> frozenset[str]:
        """The achievement whose badge it needs."""
        return frozenset((self.achievement_id,))

    @property
    def fewest(self) -> int:
        """It needs no fact."""
        return 0

    def met(self, record: Record) -> bool:
        """Whether the learner holds the badge, or brought one."""
        return self.achievement_id in record.held or any(one.about in record.facts for one in self.accepts)

    def outcome(self, record: Record) -> Outcome:
        """Met since the badge is valid, or since one was imported, whichever was first."""
        held = record.held.get(self.achievement_id)
        brought = [fact for one in self.accepts for fact in record.facts.get(one.about, ())]
        first = min(brought, key=_when, default=None)
        if held is not None and (first is None or held.valid_from <= first.occurred_at):
            return Outcome(self, held.valid_from, badges=(held,))
        return Outcome(self) if first is None else Outcome(self, first.occurred_at, (first,))


@dataclass(frozen=True, slots=True)
class CreditsLeaf:
    """The credits of the badges held out of a set, and of those imported that are accepted, add up to `at_least`."""

    at_least: Decimal
    achievement_ids: tuple[str, ...]
    label: str | None
    accepts: tuple[Accepting, ...] = ()

    @property
    def kind(self) -> str:
        """The requirement's kind."""
        return "credits"

    @property
    def wanted(self) -> str:
        """What it asks for, in words."""
        names = ", ".join([*self.achievement_ids, *(one.name for one in self.accepts)])
        return f"hold badges worth {plain(self.at_least)} credits out of {names}"

    @property
    def mentions(self) -> frozenset[About]:
        """The imported badges that it accepts."""
        return frozenset(one.about for one in self.accepts)

    @property
    def badges(self) -> frozenset[str]:
        """The achievements whose badges count."""
        return frozenset(self.achievement_ids)

    @property
    def fewest(self) -> int:
        """It needs no fact."""
        return 0

    def met(self, record: Record) -> bool:
        """Whether the sum is reached."""
        return self._enough(record)[0]

    def outcome(self, record: Record) -> Outcome:
        """Met since the badge with which the sum was reached, in the order in which they became valid."""
        met, counted = self._enough(record)
        badges = tuple(badge for badge in counted if isinstance(badge, Held))
        facts = tuple(badge for badge in counted if isinstance(badge, Fact))
        return Outcome(self, _since(counted[-1]) if met else None, facts, badges)

    def brought(self, record: Record) -> dict[UUID, tuple[Fact, Decimal]]:
        """The imported badges that count, by event: accepted twice, as the one that is worth more."""
        found: dict[UUID, tuple[Fact, Decimal]] = {}
        for one in self.accepts:
            if one.credits is None:
                continue
            for fact in record.facts.get(one.about, ()):
                known = found.get(fact.event_id)
                if known is None or known[1] < one.credits:
                    found[fact.event_id] = (fact, one.credits)
        return found

    def _enough(self, record: Record) -> tuple[bool, list[Held | Fact]]:
        held = [record.held[name] for name in dict.fromkeys(self.achievement_ids) if name in record.held]
        worth = [(_since(badge), badge.badge_id, badge, badge.credits) for badge in held if badge.credits is not None]
        worth += [(_since(fact), fact.event_id, fact, credits_) for fact, credits_ in self.brought(record).values()]
        total, counted = Decimal(0), list[Held | Fact]()
        for _, _, badge, credits_ in sorted(worth, key=lambda entry: entry[:2]):
            total = EXACT.add(total, credits_)
            counted.append(badge)
            if total >= self.at_least:
                return True, counted
        return False, counted


def _since(badge: Held | Fact) -> datetime:
    return badge.valid_from if isinstance(badge, Held) else badge.occurred_at


Leaf = FactLeaf | ScoreLeaf | BadgeLeaf | CreditsLeaf

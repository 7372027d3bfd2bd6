"""Any batches, with ticks of the clock anywhere, and any order: the same achievements hold in the end (B4, B5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts import AchievementPublished
from libs.common.contracts.requirement import Requirement
from services.awarding.model import Award, BadgeState, Fact, FactKind, Held, Kept
from services.awarding.rules.awards import Standing, decide_awards, held_by
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.outcome import Record
from services.awarding.rules.states import decide_states
from tests.services.awarding.support import (
    ISSUER,
    NAMESPACE,
    START,
    achievement,
    all_of,
    any_of,
    badge,
    credits_from,
    done,
    event_id,
    n_of,
)

OBJECTS = ("x", "y", "z")
LAST = 60  # days
POLICIES = ("grandfather", "upgrade", "re-evaluate")
BRANCHES: tuple[Callable[..., Requirement], ...] = (all_of, any_of, lambda *of: n_of((len(of) + 1) // 2, *of))
END = START + timedelta(days=400)


def on(day: int) -> datetime:
    """A day of the story."""
    return START + timedelta(days=day)


def fact(name: str, day: int) -> Fact:
    """An activity completed on a day."""
    return Fact("ada", FactKind.ACTIVITY, name, event_id(f"{name} {day}"), 0, on(day))


FACTS = st.builds(fact, st.sampled_from(OBJECTS), st.integers(0, LAST))


@st.composite
def catalogues(draw: st.DrawFn, *, versions: int, is_dated: bool = False) -> Catalogue:
    """Up to four achievements; each may require the ones before it, may end, and may have newer versions.

    With `is_dated`, what ends, and what it may stand on, was earned at an instant that does not depend on the order:
    by all of its parts, where any or some of them would do at another time as well.
    """
    published: list[AchievementPublished] = []
    times = draw(st.lists(st.sampled_from((None, 10, 25)), min_size=1, max_size=4))
    for place, lasts in enumerate(times):
        dated = is_dated and any(times[place:])
        leaves: list[Requirement] = [done(name) for name in OBJECTS]
        leaves += [badge(f"a{below}") for below in range(place)]
        if place > 1 and not dated:
            leaves.append(credits_from("10", *(f"a{below}" for below in range(place))))
        for version in range(1, 1 + draw(st.integers(1, versions))):
            parts = draw(st.lists(st.sampled_from(leaves), min_size=1, max_size=3))
            branch = all_of if dated else draw(st.sampled_from(BRANCHES))
            published.append(
                achievement(
                    f"a{place}",
                    branch(*parts),
                    version=version,
                    credits="5",
                    on_loss=draw(st.sampled_from(("suspend", "revoke"))),
                    on_new_version=draw(st.sampled_from(POLICIES)),
                    published_at=on(0 if version == 1 else draw(st.integers(1, LAST)) + 10 * version),
                    valid_for_days=lasts,
                    renewal_opens_days=None if lasts is None else draw(st.integers(0, lasts - 1)),
                )
            )
    return Catalogue().with_published(1, [ISSUER], published)


class Learner:
    """One learner's facts and badges in memory, kept up to date after each batch and each end as the handlers do."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.facts: dict[UUID, Fact] = {}
        self.badges: dict[UUID, Kept] = {}
        self.arrivals = count(1)

    def hear(self, *facts: Fact) -> None:
        """One batch."""
        new = [fact._replace(arrived=next(self.arrivals)) for fact in facts if fact.event_id not in self.facts]
        before = list(self.facts.values())
        self.facts |= {fact.event_id: fact for fact in new}
        self.award(before, list({fact.event_id: fact for fact in new}.values()))
        self.settle()

    def tick(self, now: datetime) -> None:
        """The clock is looked at: what has ended is told, one instant after the other."""
        while True:
            ends = sorted(
                kept.held.valid_until
                for kept in self.badges.values()
                if kept.held.valid_until and kept.held.valid_until < now and not kept.held.is_expired
            )
            if not ends:
                return
            for name, kept in self.badges.items():
                if kept.held.valid_until == ends[0]:
                    self.badges[name] = replace(kept, held=replace(kept.held, is_expired=True))
            self.settle()

    def settle(self) -> None:
        """Change and award until nothing follows any more."""
        while self.award(list(self.facts.values()), []) | self.change():
            pass

    def award(self, known: list[Fact], arriving: list[Fact]) -> bool:
        """Award what is due."""
        given_: dict[str, list[Held]] = {}
        for kept in self.badges.values():
            given_.setdefault(kept.held.achievement_id, []).append(kept.held)
        record = Record.of(known, [kept.held for kept in self.badges.values() if kept.held.stands])
        open_ids = frozenset(self.catalogue.achievements)
        due = decide_awards(self.catalogue, Standing("ada", record, arriving, open_ids, given_), NAMESPACE)
        awards = [award for award in due if isinstance(award, Award)]
        for award in awards:
            assert award.badge_id not in self.badges
            held = held_by(award, self.catalogue.versions[award.achievement_id, award.version])
            events = frozenset(fact.event_id for fact in award.facts)
            below = frozenset(other.badge_id for other in award.badges)
            self.badges[award.badge_id] = Kept(held, BadgeState.HOLDS, True, events, below, None)
        return bool(awards)

    def change(self) -> bool:
        """Change the states of badges."""
        changes, _ = decide_states(self.catalogue, tuple(self.badges.values()), list(self.facts.values()))
        for change in changes:
            held = replace(change.kept.held, state=change.state, is_over=change.is_over)
            self.badges[held.badge_id] = replace(change.kept, held=held)
        return bool(changes)

    def held(self) -> dict[str, set[tuple[int, datetime | None]]]:
        """The achievements of which a badge holds: in which versions, and until when."""
        found: dict[str, set[tuple[int, datetime | None]]] = {}
        for kept in self.badges.values():
            if kept.held.holds:
                found.setdefault(kept.held.achievement_id, set()).add((kept.held.version, kept.held.valid_until))
        return found


def lived(catalogue: Catalogue, drawn: st.DataObject, facts: list[Fact], now: datetime) -> Learner:
    """A learner who heard of these facts in this order, in any batches, while the clock was looked at at any times."""
    learner, waiting, clock = Learner(catalogue), list(facts), START
    while waiting:
        size = drawn.draw(st.integers(1, len(waiting)))
        learner.hear(*waiting[:size])
        del waiting[:size]
        clock = min(now, clock + timedelta(days=drawn.draw(st.integers(0, 30))))
        if drawn.draw(st.booleans()):
            learner.tick(clock)
    learner.tick(now)
    return learner


@settings(deadline=None)
@given(st.data())
def test_batches_and_ticks_change_nothing(drawn: st.DataObject) -> None:
    catalogue = drawn.draw(catalogues(versions=3))
    facts = drawn.draw(st.lists(FACTS, min_size=1, max_size=8))
    now = drawn.draw(st.sampled_from([on(20), on(LAST), on(LAST + 12), END]))
    happened = [fact for fact in facts if fact.occurred_at <= now]
    doubles = [*happened, *drawn.draw(st.lists(st.sampled_from(happened), max_size=3))] if happened else []
    assert lived(catalogue, drawn, happened, now).held() == lived(catalogue, drawn, doubles, now).held()


@settings(deadline=None)
@given(st.data())
def test_any_order_ends_in_the_same_holdings(drawn: st.DataObject) -> None:
    """Where the dates of badges do not depend on the order, nothing does: so what is about one object comes in its
    order, and all else in any."""
    catalogue = drawn.draw(catalogues(versions=1, is_dated=True))
    facts = drawn.draw(st.lists(FACTS, min_size=1, max_size=8, unique_by=lambda fact: fact.event_id))
    lines = [[fact for fact in facts if fact.object_id == name] for name in OBJECTS]
    orders: list[list[Fact]] = []
    for _ in range(2):
        queues = [sorted(line, key=lambda fact: fact.occurred_at) for line in lines]
        order: list[Fact] = []
        while any(queues):
            queue = drawn.draw(st.sampled_from([queue for queue in queues if queue]))
            order.append(queue.pop(0))
        orders.append(order)
    now = drawn.draw(st.sampled_from([on(LAST), on(LAST + 12), END]))
    one, other = (lived(catalogue, drawn, order, now).held() for order in orders)
    assert one == other

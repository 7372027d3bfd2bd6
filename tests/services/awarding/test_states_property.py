"""Any set of events, in any order, with doubles: the same achievements hold in the end (B4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Literal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts import AchievementPublished
from libs.common.contracts.requirement import Requirement
from services.awarding.model import Award, BadgeState, Fact, FactKind, Held, Kept
from services.awarding.rules.awards import Standing, decide_awards
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.outcome import Record
from services.awarding.rules.states import decide_states
from tests.services.awarding.support import (
    ISSUER,
    NAMESPACE,
    achievement,
    all_of,
    any_of,
    at,
    badge,
    credits_from,
    event_id,
    n_of,
    passed,
)

OBJECTS = ("x", "y", "z")
Policy = Literal["suspend", "revoke"]
BRANCHES: tuple[Callable[..., Requirement], ...] = (all_of, any_of, lambda *of: n_of((len(of) + 1) // 2, *of))
Event = Fact | UUID  # a fact, or the id of a fact that does not count


def facts() -> st.SearchStrategy[Fact]:
    """Scores of three assessments at a few instants, so that several collide."""
    return st.builds(
        lambda name, points, minute: Fact(
            "ada",
            FactKind.ASSESSMENT,
            name,
            event_id(f"{name} {points} {minute}"),
            0,
            at(minute),
            Decimal(points),
            Decimal(100),
        ),
        st.sampled_from(OBJECTS),
        st.sampled_from((10, 80)),
        st.integers(1, 4),
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """Up to five achievements; each may require the ones before it."""
    published: list[AchievementPublished] = []
    for place in range(draw(st.integers(1, 5))):
        leaves: list[Requirement] = [
            passed(name, attempt=draw(st.sampled_from(("best", "latest")))) for name in OBJECTS
        ]
        leaves += [badge(f"a{below}") for below in range(place)]
        if place > 1:
            leaves.append(credits_from("10", *(f"a{below}" for below in range(place))))
        parts = draw(st.lists(st.sampled_from(leaves), min_size=1, max_size=3))
        branch = draw(st.sampled_from(BRANCHES))
        policy: Policy = draw(st.sampled_from(("suspend", "revoke")))
        published.append(achievement(f"a{place}", branch(*parts), credits="5", on_loss=policy))
    return Catalogue().with_published(1, [ISSUER], published)


class Learner:
    """One learner's facts and badges in memory, kept up to date after each event as the handlers do it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.facts: dict[UUID, Fact] = {}
        self.voided: set[UUID] = set()
        self.badges: dict[UUID, Kept] = {}
        self.arrivals = count(1)

    def hear(self, event: Event) -> None:
        """One event."""
        if isinstance(event, Fact):
            self.facts.setdefault(event.event_id, event._replace(arrived=next(self.arrivals)))
        else:
            self.voided.add(event)
        while self.award() | self.change():
            pass

    def counting(self) -> list[Fact]:
        """The facts that count."""
        return [fact for name, fact in self.facts.items() if name not in self.voided]

    def held(self) -> set[str]:
        """The achievements of which a badge holds."""
        return {kept.held.achievement_id for kept in self.badges.values() if kept.held.holds}

    def proof(self, badge_id: UUID) -> object:
        """What a badge was awarded for, down to the events."""
        kept = self.badges[badge_id]
        return kept.events, frozenset((below, self.proof(below)) for below in kept.badges)

    def over(self) -> set[str]:
        """The achievements that may be earned again."""
        return {kept.held.achievement_id for kept in self.badges.values() if kept.held.is_over}

    def award(self) -> bool:
        """Award what is due."""
        given_ = [kept.held for kept in self.badges.values()]
        in_the_way = {held.achievement_id for held in given_ if not held.is_over}
        by_name = {name: [held for held in given_ if held.achievement_id == name] for name in in_the_way | self.over()}
        known = Record.of(self.counting(), [held for held in given_ if held.holds])
        open_ids = frozenset(self.catalogue.achievements.keys() - in_the_way)
        due = decide_awards(self.catalogue, Standing("ada", known, [], open_ids, by_name), NAMESPACE)
        awards = [award for award in due if isinstance(award, Award)]
        for award in awards:
            worth = self.catalogue.achievements[award.achievement_id].published.credits
            held = Held(
                "ada", award.achievement_id, 1, award.badge_id, award.valid_from, worth, award.trigger, award.cycle
            )
            assert award.badge_id not in self.badges
            events = frozenset(fact.event_id for fact in award.facts)
            below = frozenset(other.badge_id for other in award.badges)
            self.badges[award.badge_id] = Kept(held, BadgeState.HOLDS, True, events, below, None)
        return bool(awards)

    def change(self) -> bool:
        """Change the states of badges."""
        changes, _ = decide_states(self.catalogue, tuple(self.badges.values()), self.counting())
        for change in changes:
            held = replace(change.kept.held, state=change.state, is_over=change.is_over)
            self.badges[held.badge_id] = replace(change.kept, held=held)
        return bool(changes)


def lived(catalogue: Catalogue, events: list[Event]) -> Learner:
    """A learner to whom these events happened in this order."""
    learner = Learner(catalogue)
    for event in events:
        learner.hear(event)
    return learner


@given(st.data())
def test_the_set_of_events_decides_what_holds(drawn: st.DataObject) -> None:
    catalogue = drawn.draw(catalogues())
    happened = drawn.draw(st.lists(facts(), min_size=1, max_size=8))
    voids = drawn.draw(st.lists(st.sampled_from([fact.event_id for fact in happened]), max_size=4))
    events: list[Event] = [*happened, *voids]
    doubles = drawn.draw(st.lists(st.sampled_from(events), max_size=3))
    first = lived(catalogue, events)
    second = lived(catalogue, drawn.draw(st.permutations([*events, *doubles])))
    assert first.held() == second.held()
    # What was given in both lives, on the same events, is in the same state in both.
    for badge_id in first.badges.keys() & second.badges.keys():
        if first.proof(badge_id) == second.proof(badge_id):
            assert first.badges[badge_id].held.state == second.badges[badge_id].held.state
    # And it is what one would say who sees the whole set at once.
    record = Record.of(first.counting())
    for name in sorted(catalogue.achievements, key=lambda name: (catalogue.rank[name], name)):
        assert catalogue.achievements[name].tree.met(record) == (name in first.held())
        if name in first.held():
            (holding,) = (
                kept.held for kept in first.badges.values() if kept.held.achievement_id == name and kept.held.holds
            )
            record.held[name] = holding


@given(st.data())
def test_heard_again_nothing_changes(drawn: st.DataObject) -> None:
    catalogue = drawn.draw(catalogues())
    happened = drawn.draw(st.lists(facts(), min_size=1, max_size=6))
    voids = drawn.draw(st.lists(st.sampled_from([fact.event_id for fact in happened]), max_size=3))
    learner = lived(catalogue, [*happened, *voids])
    before = dict(learner.badges)
    for event in (*voids, *happened):
        learner.hear(event)
    assert learner.badges == before

"""The few facts that tell of many decide as all of them do, in any order, with any that do not count (issue 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from libs.common.contracts import AchievementPublished
from libs.common.contracts.requirement import Requirement, Step
from services.awarding.model import About, Award, BadgeState, Fact, FactKind, Held, Kept
from services.awarding.rules.awards import Standing, decide_awards, held_by
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.hopes import may_earn, may_reach, needs_all, spans
from services.awarding.rules.milestones import decide_milestones
from services.awarding.rules.outcome import Record
from services.awarding.rules.scores import EXACT, best
from services.awarding.rules.states import decide_states
from services.awarding.rules.windows import Window
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
    passed,
    step,
    steps,
)

OBJECTS = ("x", "y")
LAST = 40  # days
BRANCHES: tuple[Callable[..., Requirement], ...] = (
    all_of,
    any_of,
    lambda *of: n_of((len(of) + 1) // 2, *of),
    lambda *of: steps(*(_step(place, part) for place, part in enumerate(of))),
)


def _step(place: int, part: Requirement) -> Step:
    return step(f"s{place}", part, *([f"s{place - 1}"] if place % 2 else []), milestone=True, optional=place > 1)


def on(day: int) -> datetime:
    """A day of the story."""
    return START + timedelta(days=day)


def _attempt(name: str, points: str, out_of: str, day: int) -> Fact:
    place = event_id(f"{name} {points} {out_of} {day}")
    return Fact("ada", FactKind.ASSESSMENT, name, place, 0, on(day), Decimal(points), Decimal(out_of))


def _completion(name: str, day: int) -> Fact:
    return Fact("ada", FactKind.ACTIVITY, name, event_id(f"{name} {day}"), 0, on(day))


# Thirds and their like: no decimal number is exactly such a ratio.
FACTS = st.builds(
    _attempt,
    st.sampled_from(OBJECTS),
    st.sampled_from(("-1", "0", "1", "2", "0.8")),
    st.sampled_from(("1", "3", "2.999")),
    st.integers(0, LAST),
) | st.builds(_completion, st.sampled_from(OBJECTS), st.integers(0, LAST))


@st.composite
def catalogues(draw: st.DrawFn, *, versions: int = 2, may_end: bool = True) -> Catalogue:
    """Up to three achievements with versions; each may require the ones before it, and may end."""
    published: list[AchievementPublished] = []
    for place in range(draw(st.integers(1, 3))):
        leaves: list[Requirement] = [done(name) for name in OBJECTS]
        leaves += [
            passed(name, ratio, draw(st.sampled_from(("best", "latest"))))
            for name in OBJECTS
            for ratio in ("0", "0.4", "0.666666666667")
        ]
        leaves += [badge(f"a{below}") for below in range(place)]
        if place > 1:
            leaves.append(credits_from("10", *(f"a{below}" for below in range(place))))
        lasts = draw(st.sampled_from((None, 10))) if may_end else None
        for version in range(1, 1 + draw(st.integers(1, versions))):
            parts = draw(st.lists(st.sampled_from(leaves), min_size=1, max_size=3))
            published.append(
                achievement(
                    f"a{place}",
                    draw(st.sampled_from(BRANCHES))(*parts),
                    version=version,
                    credits="5",
                    on_loss=draw(st.sampled_from(("suspend", "revoke"))),
                    on_new_version=draw(st.sampled_from(("grandfather", "upgrade", "re-evaluate"))),
                    published_at=on(0 if version == 1 else draw(st.integers(1, LAST))),
                    valid_for_days=lasts,
                    renewal_opens_days=None if lasts is None else 5,
                )
            )
    return Catalogue().with_published(1, [ISSUER], published)


def tell(facts: Iterable[Fact], asked: Iterable[tuple[About, Window]]) -> list[Fact]:
    """What the statement `telling_facts` finds, found without an index: first, last and best in each span."""
    facts, found = list(facts), list[Fact]()
    for about, window in asked:
        inside = sorted(
            (
                fact
                for fact in facts
                if fact.about == about
                and (window.since is None or fact.occurred_at >= window.since)
                and (window.until is None or fact.occurred_at < window.until)
            ),
            key=lambda fact: (fact.occurred_at, fact.event_id),
        )
        found += [*inside[:1], *inside[-1:]]
        top = best(inside)
        found += [] if top is None else [top]
    return list(dict.fromkeys(found))


class Story:
    """A learner who was given what was due on what is known, when more arrives."""

    def __init__(self, drawn: st.DataObject, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        happened = drawn.draw(st.lists(FACTS, min_size=1, max_size=14, unique_by=lambda fact: fact.event_id))
        places = count(1)
        facts = [fact._replace(arrived=next(places)) for fact in happened]
        cut = drawn.draw(st.integers(0, len(facts)))
        self.known, self.arriving = facts[:cut], facts[cut:]
        self.kept: list[Kept] = []
        self.kept = [self._kept(award) for award in self.due(self.known, []) if isinstance(award, Award)]
        # Some of what the badges stand on may turn out not to count.
        gone = set(drawn.draw(st.lists(st.sampled_from([fact.event_id for fact in facts]), max_size=2)))
        self.known = [fact for fact in self.known if fact.event_id not in gone]
        self.arriving = [fact for fact in self.arriving if fact.event_id not in gone]

    def _kept(self, award: Award) -> Kept:
        held = held_by(award, self.catalogue.versions[award.achievement_id, award.version])
        events = frozenset(fact.event_id for fact in award.facts)
        below = frozenset(other.badge_id for other in award.badges)
        return Kept(held, BadgeState.HOLDS, True, events, below, None)

    @property
    def given(self) -> dict[str, list[Held]]:
        """The badges by achievement."""
        found: dict[str, list[Held]] = {}
        for kept in self.kept:
            found.setdefault(kept.held.achievement_id, []).append(kept.held)
        return found

    def standing(self, known: Sequence[Fact], arriving: Sequence[Fact]) -> Standing:
        """Where the learner stands by these facts."""
        record = Record.of(known, [kept.held for kept in self.kept])
        return Standing("ada", record, arriving, frozenset(self.catalogue.achievements), self.given)

    def due(self, known: Sequence[Fact], arriving: Sequence[Fact]) -> Sequence[object]:
        """What is decided."""
        return decide_awards(self.catalogue, self.standing(known, arriving), NAMESPACE)

    def telling(self, facts: Iterable[Fact]) -> list[Fact]:
        """What tells of these facts."""
        return tell(facts, spans(self.catalogue, self.catalogue.achievements, self.given))


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_nothing_that_is_due_is_missed(drawn: st.DataObject) -> None:
    story = Story(drawn, drawn.draw(catalogues()))
    hopes = may_earn(story.catalogue, story.standing(story.telling(story.known), story.arriving))
    assert hopes or not any(isinstance(due, Award) for due in story.due(story.known, story.arriving))


@settings(deadline=None)
@given(st.data())
def test_where_nothing_ends_and_there_is_one_version_nobody_hopes_in_vain(drawn: st.DataObject) -> None:
    story = Story(drawn, drawn.draw(catalogues(versions=1, may_end=False)))
    hopes = may_earn(story.catalogue, story.standing(story.telling(story.known), story.arriving))
    assert hopes == any(isinstance(due, Award) for due in story.due(story.known, story.arriving))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_the_states_of_badges_are_the_same(drawn: st.DataObject) -> None:
    story = Story(drawn, drawn.draw(catalogues()))
    assume(not needs_all(story.catalogue, (kept.held for kept in story.kept)))
    facts = [*story.known, *story.arriving]
    stood_on = frozenset[object]().union(*(kept.events for kept in story.kept))
    few = dict.fromkeys([*story.telling(facts), *(fact for fact in facts if fact.event_id in stood_on)])
    assert decide_states(story.catalogue, story.kept, few) == decide_states(story.catalogue, story.kept, facts)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_milestone_that_is_reached_is_missed(drawn: st.DataObject) -> None:
    story = Story(drawn, drawn.draw(catalogues()))
    facts = [*story.known, *story.arriving]
    held = [kept.held for kept in story.kept]
    for name, lineage in story.catalogue.lineages.items():
        known = set(
            drawn.draw(st.lists(st.sampled_from(sorted(lineage.milestones)), max_size=2)) if lineage.milestones else []
        )
        given_ = story.given.get(name, ())
        reached = list(decide_milestones(lineage, "ada", given_, Record.of(facts, held), known))
        assert may_reach(lineage, given_, Record.of(story.telling(facts), held), known) or not reached


@given(st.lists(FACTS, min_size=1, max_size=6), st.decimals(0, 1, places=12))
def test_a_threshold_of_twelve_places_is_decided_by_a_ratio_that_is_cut_there(
    facts: list[Fact], at_least: Decimal
) -> None:
    """What the index `fact_best` rests on (M1.28)."""
    for fact in facts:
        if fact.points is None or fact.out_of is None:
            continue
        cut = -1 if fact.points < 0 else EXACT.multiply(fact.points, Decimal(10**12)) // fact.out_of
        assert (cut >= at_least * 10**12) == (fact.points >= EXACT.multiply(at_least, fact.out_of))

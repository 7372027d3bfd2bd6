"""Awarding's decisions as values, and what must hold for any set of events (B1, B2, B4)."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.progress import Score
from libs.common.contracts.requirement import Requirement
from services.awarding.model import Award, Fact, FactKind, Held, Nothing, Trigger
from services.awarding.rules.awards import Standing, decide_awards, in_order_of_arrival
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.outcome import Record, proving_badges, proving_facts
from services.awarding.rules.scores import best, is_at_least, plain, points_of
from services.awarding.rules.tree import compiled, proof_of
from tests.services.awarding.support import (
    ISSUER,
    NAMESPACE,
    achievement,
    all_of,
    any_of,
    at,
    badge,
    credits_from,
    done,
    event_id,
    n_of,
    passed,
    verified,
)


def score(name: str, points: str, minutes: float, out_of: str = "100", arrived: int = 0, tag: str = "") -> Fact:
    """A scored attempt."""
    key = event_id(f"{name} {points} {minutes} {tag}")
    return Fact("ada", FactKind.ASSESSMENT, name, key, arrived, at(minutes), Decimal(points), Decimal(out_of))


def activity(name: str, minutes: float) -> Fact:
    """A completed activity."""
    return Fact("ada", FactKind.ACTIVITY, name, event_id(f"{name} {minutes}"), 0, at(minutes))


def component(name: str, minutes: float) -> Fact:
    """A verified component of evidence."""
    return Fact("ada", FactKind.EVIDENCE, name, event_id(f"{name} {minutes}"), 0, at(minutes))


def holds(name: str, minutes: float, credit: str | None = None) -> Held:
    """A badge that is held."""
    trigger = Trigger(event_id(name), 0, None)
    return Held("ada", name, 1, event_id(f"badge {name}"), at(minutes), Decimal(credit) if credit else None, trigger)


def met_at(requirement: Requirement, *found: Fact | Held) -> Any:
    """Minutes since when the requirement is met, or None."""
    record = Record.of([f for f in found if isinstance(f, Fact)], [h for h in found if isinstance(h, Held)])
    tree = compiled(requirement)
    outcome = tree.outcome(record)
    assert outcome.met == tree.met(record)
    return None if outcome.met_at is None else (outcome.met_at - at(0)).total_seconds() / 60


def test_leaves_are_met_since_their_earliest_fact() -> None:
    assert met_at(done("x")) is None
    assert met_at(done("x"), activity("x", 5), activity("x", 3)) == 3
    assert met_at(done("x"), component("x", 3)) is None
    assert met_at(verified("x"), component("x", 4)) == 4
    assert met_at(passed("x"), score("x", "40", 7), score("x", "90", 9), score("x", "39", 1)) == 7
    assert met_at(badge("a"), holds("a", 6)) == 6
    assert met_at(badge("a"), holds("b", 6)) is None


def test_the_latest_attempt_counts_where_the_requirement_says_so() -> None:
    latest = passed("x", attempt="latest")
    assert met_at(latest, score("x", "90", 1), score("x", "20", 2)) is None
    assert met_at(latest, score("x", "20", 2), score("x", "41", 3), score("x", "90", 1)) == 3


def test_all_is_met_with_the_last_any_with_the_first_and_n_of_with_the_nth() -> None:
    facts = (activity("a", 9), activity("b", 3), activity("c", 6))
    parts = (done("a"), done("b"), done("c"), done("d"))
    assert met_at(all_of(*parts[:3]), *facts) == 9
    assert met_at(all_of(*parts), *facts) is None
    assert met_at(any_of(*parts), *facts) == 3
    assert met_at(n_of(2, *parts), *facts) == 6
    assert met_at(n_of(4, *parts), *facts) is None
    assert met_at(n_of(5, *parts), *facts) is None


def test_credits_add_up_in_the_order_of_the_badges() -> None:
    wanted = credits_from("10", "a", "b", "c", "d")
    held = (holds("a", 9, "5"), holds("b", 3, "2.5"), holds("c", 6, "2.5"), holds("d", 1))
    assert met_at(wanted, *held) == 9
    assert met_at(wanted, *held[:2]) is None
    assert met_at(credits_from("5", "a", "b", "c", "b"), *held[1:]) == 6


def test_thresholds_are_exact() -> None:
    third = Decimal("0.333333333333")
    assert is_at_least(score("x", "333333333333", 1, "1000000000000"), third)
    assert not is_at_least(score("x", "333333333332.99999999", 1, "1000000000000"), third)
    assert is_at_least(score("x", "0.7", 1, "1"), Decimal("0.7"))
    assert is_at_least(score("x", "2.1", 1, "3"), Decimal("0.7"))
    assert is_at_least(score("x", "-1", 1, "3"), Decimal(0)) is False
    assert points_of(Score(raw=Decimal("0.3"), min=Decimal("0.1"), max=Decimal("1.1"))) == (Decimal("0.2"), 1)
    assert points_of(Score(scaled=Decimal("1.2"))) == (Decimal("1.2"), 1)
    assert best([score("x", "2", 1, "3"), score("x", "66", 2)]) == score("x", "2", 1, "3")
    assert best([]) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1000, max_value=1000))
def test_plain_numbers_say_the_same_number(number: Decimal) -> None:
    assert Decimal(cast("str", plain(number))) == number
    assert plain(number) == plain(number.normalize())


def test_the_proof_is_the_least_that_meets_the_requirement() -> None:
    tree = compiled(n_of(1, all_of(done("a"), done("b")), all_of(done("c"), badge("m")), done("z")))
    record = Record.of([activity("a", 1), activity("b", 8), activity("c", 2)], [holds("m", 5)])
    outcome = tree.outcome(record)
    assert [fact.object_id for fact in proving_facts(outcome)] == ["c"]
    assert [held.achievement_id for held in proving_badges(outcome)] == ["m"]


def catalogue(*published: Any) -> Catalogue:
    """A catalogue with one issuer."""
    return Catalogue().with_published(1, [ISSUER], published)


def decide(known: Catalogue, *arrivals: Fact | Held) -> dict[str, Any]:
    """What is decided for a learner to whom this happens."""
    standing = Standing("ada", Record(), arrivals, frozenset(known.achievements))
    return {decided.achievement_id: decided for decided in decide_awards(known, standing, NAMESPACE)}


def test_a_badge_earned_earns_the_next() -> None:
    known = catalogue(
        achievement("top", all_of(badge("stack"), done("talk"))),
        achievement("stack", n_of(2, badge("a"), badge("b"), badge("c"))),
        *(achievement(name, passed(name)) for name in "abc"),
    )
    assert [known.rank[name] for name in ("a", "stack", "top")] == [0, 1, 2]
    decided = decide(known, activity("talk", 1), score("a", "50", 2), score("b", "20", 3), score("c", "50", 4))
    assert {name for name, found in decided.items() if isinstance(found, Award)} == {"a", "c", "stack", "top"}
    assert decided["b"] == Nothing("ada", "b", "not met")
    assert decided["top"].valid_from == at(4)
    assert decided["top"].badges[0].badge_id == decided["stack"].badge_id
    assert decided["top"].trigger.event_id == score("c", "50", 4).event_id


def test_without_its_issuer_nothing_is_awarded() -> None:
    known = Catalogue().with_published(1, [], [achievement("a", done("x"))])
    assert decide(known, activity("x", 1)) == {"a": Nothing("ada", "a", "issuer unknown")}


def test_what_any_version_mentions_is_looked_up() -> None:
    first = catalogue(achievement("a", done("x")), achievement("s", badge("a")))
    second = first.with_published(2, [], [achievement("a", done("y"), version=2), achievement("s", done("z"))])
    assert second.achievements["a"].version == 2
    assert second.by_about[int(FactKind.ACTIVITY), "x"] == ("a",)
    assert second.by_about[int(FactKind.ACTIVITY), "y"] == ("a",)
    assert second.achievements["s"].published == first.achievements["s"].published
    assert first.by_about[int(FactKind.ACTIVITY), "x"] == ("a",)


def test_a_cycle_that_slipped_through_ends_all_the_same() -> None:
    known = catalogue(
        achievement("a", any_of(badge("b"), done("x"))), achievement("b", badge("a")), achievement("c", badge("c"))
    )
    assert known.reachable(["a"]) == {"a", "b"}
    decided = decide(known, activity("x", 1))
    assert {name for name, found in decided.items() if isinstance(found, Award)} == {"a", "b"}


# Whatever the events, however they come.

NAMES = "vwxyz"
FACTS = st.one_of(
    st.builds(
        lambda name, points, minutes: score(name, str(points), minutes),
        st.sampled_from(NAMES), st.integers(0, 100), st.integers(0, 30),
    ),
    st.builds(activity, st.sampled_from(NAMES), st.integers(0, 30)),
)  # fmt: skip


def requirements(attempts: tuple[str, ...] = ("best",)) -> st.SearchStrategy[Requirement]:
    """Any tree over a few objects and two badges."""
    leaves: st.SearchStrategy[Any] = st.one_of(
        st.builds(done, st.sampled_from(NAMES)),
        st.builds(
            lambda name, percent, attempt: passed(name, str(Decimal(percent) / 100), attempt),
            st.sampled_from(NAMES), st.integers(0, 100), st.sampled_from(attempts),
        ),
        st.builds(badge, st.sampled_from(["low", "mid"])),
    )  # fmt: skip
    return st.recursive(
        leaves,
        lambda parts: st.builds(
            lambda of, n: n_of(min(n, len(of)), *of), st.lists(parts, min_size=1, max_size=4), st.integers(1, 4)
        ),
        max_leaves=8,
    )


FACT_LISTS = st.lists(FACTS, max_size=20, unique_by=lambda fact: fact.event_id)


def without(requirement: Requirement, *names: str) -> Requirement:
    """The tree with badges that would be a cycle replaced by an activity."""
    if requirement.kind == "badge":
        return done("v") if requirement.achievement_id in names else requirement
    if requirement.kind in ("all", "any", "n-of"):
        return requirement.model_copy(update={"of": tuple(without(part, *names) for part in requirement.of)})
    return requirement


@given(requirements(), FACT_LISTS, st.randoms(use_true_random=False))
def test_the_outcome_depends_on_the_set_of_facts(
    requirement: Requirement, facts: list[Fact], order: random.Random
) -> None:
    tree = compiled(requirement)
    shuffled = order.sample(facts, len(facts))
    one, other = tree.outcome(Record.of(facts)), tree.outcome(Record.of(shuffled))
    assert one == other
    assert one.met == tree.met(Record.of(shuffled))


@given(requirements(("best", "latest")), FACT_LISTS)
def test_what_is_met_has_enough_facts_and_an_equal_short_proof(requirement: Requirement, facts: list[Fact]) -> None:
    tree, record = compiled(requirement), Record.of(facts)
    outcome = tree.outcome(record)
    if outcome.met:
        about = [fact for fact in facts if fact.about in tree.mentions]
        assert len(about) >= tree.fewest
        short = proof_of(tree, record)
        assert (short.met_at, proving_facts(short)) == (outcome.met_at, proving_facts(outcome))
        assert compiled(requirement, hopeful=True).met(record)
        # The proof stands by itself.
        if "latest" not in requirement.model_dump_json():
            assert tree.outcome(Record.of(proving_facts(outcome))).met_at == outcome.met_at


@given(requirements(), FACT_LISTS, FACTS)
def test_more_evidence_never_earns_less_nor_later(requirement: Requirement, facts: list[Fact], more: Fact) -> None:
    tree = compiled(requirement)
    before, after = tree.outcome(Record.of(facts)), tree.outcome(Record.of([*facts, more]))
    if before.met_at is not None:
        assert after.met_at is not None
        assert after.met_at <= before.met_at


@given(requirements(), requirements(), requirements(), FACT_LISTS, st.randoms(use_true_random=False))
def test_any_order_earns_the_same_badges(
    low: Requirement, mid: Requirement, top: Requirement, facts: list[Fact], order: random.Random
) -> None:
    known = catalogue(
        achievement("low", without(low, "low", "mid")), achievement("mid", without(mid, "mid")), achievement("top", top)
    )
    shuffled = order.sample(facts, len(facts))
    earned = [
        {name for name, found in decide(known, *arrivals).items() if isinstance(found, Award)}
        for arrivals in (facts, shuffled)
    ]
    assert earned[0] == earned[1]


@given(requirements(("best", "latest")), requirements(), FACT_LISTS, st.integers(0, 20))
def test_how_events_are_cut_into_batches_changes_nothing(
    low: Requirement, top: Requirement, facts: list[Fact], cut: int
) -> None:
    """What was awarded in a first batch, and then in a second, is what one walk awards: to the byte."""
    known = catalogue(achievement("low", without(low, "low", "mid")), achievement("top", without(top, "mid", "top")))
    facts = [fact._replace(arrived=place) for place, fact in enumerate(facts)]
    whole = [found for found in decide(known, *facts).values() if isinstance(found, Award)]
    first = [found for found in decide(known, *facts[:cut]).values() if isinstance(found, Award)]
    held = [Held(a.learner_id, a.achievement_id, a.version, a.badge_id, a.valid_from, None, a.trigger) for a in first]
    still_open = frozenset(known.achievements) - {award.achievement_id for award in first}
    standing = Standing("ada", Record.of(facts[:cut], held), facts[cut:], still_open)
    second = [found for found in decide_awards(known, standing, NAMESPACE) if isinstance(found, Award)]
    assert {a.achievement_id: a for a in [*first, *second]} == {a.achievement_id: a for a in whole}
    # And looking again at everything, when the last achievement was published last, adds what was missing.
    again = Standing("ada", Record(), in_order_of_arrival(facts, held), still_open)
    rechecked = [found for found in decide_awards(known, again, NAMESPACE) if isinstance(found, Award)]
    assert {a.achievement_id: a for a in [*first, *rechecked]} == {a.achievement_id: a for a in whole}

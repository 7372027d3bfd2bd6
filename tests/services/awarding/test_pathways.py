"""Pathways: prerequisites, optional steps, n of m, shared elements; the set of facts decides (M1.7, M1.8, M2.8)."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.requirement import Requirement, Step, Steps
from services.awarding.model import Award, Challenge, Fact
from services.awarding.rules.catalogue import Achievement, Lineage
from services.awarding.rules.challenges import challenge_told
from services.awarding.rules.explanation import explanation, missing_of
from services.awarding.rules.mosaic import NEVER, Ways, mosaic_of
from services.awarding.rules.outcome import Record, proving_facts
from services.awarding.rules.tree import compiled, pathways_in, proof_of
from tests.services.awarding.support import (
    achievement,
    all_of,
    any_of,
    at,
    badge,
    done,
    event_id,
    passed,
    step,
    steps,
    verified,
)
from tests.services.awarding.test_rules import activity, catalogue, component, decide, holds, met_at, score

WAY = steps(
    step("a", done("a")),
    step("b", passed("b"), "a"),
    step("c", verified("c"), "a", optional=True),
    step("d", done("d"), "b", "c", optional=True),
    at_least=3,
)


def test_a_step_counts_with_the_last_of_what_comes_before_it() -> None:
    assert met_at(steps(step("a", done("a")), step("b", done("b"), "a")), activity("b", 1), activity("a", 5)) == 5
    assert met_at(steps(step("a", done("a")), step("b", done("b"), "a")), activity("b", 1)) is None
    assert met_at(WAY, activity("a", 1), score("b", "50", 2)) is None
    assert met_at(WAY, activity("a", 9), score("b", "50", 2), component("c", 3)) == 9
    # An optional step for which another comes too late counts for nothing.
    assert met_at(WAY, activity("a", 1), score("b", "50", 2), activity("d", 3)) is None


def test_optional_steps_and_n_of_m() -> None:
    choice = steps(*(step(name, done(name), optional=True) for name in "xyz"), at_least=2)
    assert met_at(choice, activity("z", 1)) is None
    assert met_at(choice, activity("z", 1), activity("x", 4), activity("y", 6)) == 4
    extra = steps(step("x", done("x")), step("y", done("y"), optional=True))
    assert met_at(extra, activity("x", 4)) == 4
    assert met_at(extra, activity("y", 4)) is None


def test_what_can_never_count_is_never_met() -> None:
    """The door refuses such trees; one that comes all the same earns nothing."""
    facts = (activity("a", 1), activity("b", 1))
    assert met_at(steps(step("a", done("a"), "b"), step("b", done("b"), "a")), *facts) is None
    assert met_at(steps(step("a", done("a"), "unheard"), step("b", done("b"))), *facts) is None
    tree = steps(step("a", done("a"), "unheard", optional=True), step("b", done("b")))
    assert met_at(tree, *facts) == 1
    known = catalogue(achievement("way", steps(step("a", done("a"), "a"))))
    assert Ways(known, Record()).to_badge("way") == NEVER
    assert explanation("ada", known.lineages["way"], Record())["state"] == "missing"


def test_the_proof_holds_what_the_steps_stand_on() -> None:
    """Steps that are needed, and the earliest others; each with the steps before it."""
    tree = compiled(WAY)
    record = Record.of([activity("a", 1), score("b", "50", 2), component("c", 3), activity("d", 4), activity("e", 0)])
    assert [fact.object_id for fact in proving_facts(tree.outcome(record))] == ["a", "b", "c"]
    late = steps(
        step("a", done("a"), optional=True), step("b", done("b"), "a", optional=True), step("c", done("c")), at_least=2
    )
    record = Record.of([activity("b", 1), activity("a", 5), activity("c", 9)])
    assert [fact.object_id for fact in proving_facts(compiled(late).outcome(record))] == ["a", "c"]


def test_one_completion_counts_in_every_pathway_that_holds_it() -> None:
    """Once, without redoing it (M1.8)."""
    known = catalogue(
        achievement("shared", done("x")),
        achievement("one", steps(step("a", badge("shared")), step("b", done("y"), "a")), kind="pathway"),
        achievement("two", steps(step("a", done("z")), step("b", badge("shared"), "a")), kind="pathway"),
        achievement("three", steps(step("a", done("x"), milestone=True)), kind="pathway"),
    )
    decided = decide(known, activity("y", 1), activity("z", 2), activity("x", 3))
    assert all(isinstance(decided[name], Award) for name in ("shared", "one", "two", "three"))
    assert decided["one"].badges == decided["two"].badges


def test_the_explanation_says_which_step_waits_for_which_and_whose_move_it_is() -> None:
    published = achievement("way", WAY.model_copy(update={"steps": (
        *WAY.steps[:3],
        WAY.steps[3].model_copy(update={"facilitation": "fully-facilitated", "facilitator": "Dr Gray"}),
    )}))  # fmt: skip
    told = explanation("ada", Lineage.of([Achievement.of(published)]), Record.of([score("b", "50", 2)]))
    a, b, c, d = told["requirement"]["of"]
    assert (a["state"], a["waits_for"], a["of"][0]["who"]) == ("missing", [], "learner")
    assert (b["state"], b["waits_for"], b["of"][0]["state"]) == ("missing", ["Step a"], "met")
    assert (c["optional"], c["waits_for"], c["of"][0]["who"]) == (True, ["Step a"], "assessor")
    assert (d["waits_for"], d["facilitation"], d["facilitator"]) == (
        ["Step b", "Step c"], "fully-facilitated", "Dr Gray",
    )  # fmt: skip
    assert told["requirement"]["wanted"] == "2 steps, and 3 in all"
    assert told["missing"] == ["complete a", "have c verified", "complete d"]


def test_optional_steps_are_missing_only_where_more_are_wanted() -> None:
    tree = compiled(steps(step("a", done("a")), step("b", done("b"), optional=True)))
    assert missing_of(tree.outcome(Record())) == ["complete a"]
    assert tree.wanted == "all steps that are not optional"
    assert compiled(steps(step("a", done("a")))).wanted == "all steps"
    choice = steps(step("a", done("a"), optional=True), step("b", done("b"), optional=True), at_least=1)
    assert compiled(choice).wanted == "at least 1 steps"


def test_how_far_the_end_of_a_pathway_is() -> None:
    known = catalogue(achievement("way", WAY), achievement("low", done("c")))
    assert Ways(known, Record()).to_badge("way") == 3
    assert Ways(known, Record.of([activity("a", 1), component("c", 1)])).to_badge("way") == 1
    assert Ways(known, Record.of([activity("d", 1)])).to_badge("way") == 3
    (tile,) = mosaic_of(known, Record.of([activity("a", 1)]), [])["in_progress"]
    assert (tile["steps_done"], tile["steps_to_go"]) == (1, 2)
    (suggestion,) = mosaic_of(known, Record.of([activity("a", 1)]), [])["next"]
    assert suggestion["reason"] == "You are 2 steps from WAY."
    assert suggestion["step"] == "score 40 % or more in b"


def test_a_challenge_offers_the_steps_whose_turn_it_is_first() -> None:
    known = catalogue(achievement("way", steps(step("z", done("z"), "a"), step("a", done("a")))))
    told = challenge_told(
        known, Record(), {}, Challenge(event_id("c"), "ada", "way", at(9).date(), at(0)), at(0).date()
    )
    assert [chance["step"] for chance in told["opportunities"]] == ["complete a", "complete z"]


# Whatever the pathway and the events, however they come.

NAMES = "vwxyz"
FACTS = st.builds(activity, st.sampled_from(NAMES), st.integers(0, 9)) | st.builds(
    lambda name, points, minutes: score(name, str(points), minutes),
    st.sampled_from(NAMES), st.sampled_from((10, 80)), st.integers(0, 9),
)  # fmt: skip
FACT_LISTS = st.lists(FACTS, max_size=12, unique_by=lambda fact: fact.event_id)
LEAVES: st.SearchStrategy[Requirement] = st.sampled_from(
    [*(done(name) for name in NAMES), *(passed(name) for name in NAMES), all_of(done("v"), done("w")),
     any_of(done("x"), passed("y"))]
)  # fmt: skip


@st.composite
def pathways(draw: st.DrawFn, *, depth: int = 1) -> Steps:
    """Any pathway that the door accepts."""
    several: list[Step] = []
    for place in range(draw(st.integers(1, 5))):
        optional = draw(st.booleans())
        before = [one.step_id for one in several if optional or not one.optional]
        after = draw(st.lists(st.sampled_from(before), unique=True, max_size=3)) if before else []
        of: Any = draw(pathways(depth=depth - 1)) if depth and draw(st.integers(0, 4)) == 0 else draw(LEAVES)
        several.append(step(f"s{place}", of, *after, optional=optional))
    needed = sum(not one.optional for one in several)
    at_least = draw(st.integers(max(needed, 1), len(several))) if not needed or draw(st.booleans()) else None
    return steps(*draw(st.permutations(several)), at_least=at_least)


@given(pathways(), FACT_LISTS, st.randoms(use_true_random=False))
def test_the_outcome_depends_on_the_set_of_facts(way: Steps, facts: list[Fact], order: random.Random) -> None:
    tree, shuffled = compiled(way), order.sample(facts, len(facts))
    one, other = tree.outcome(Record.of(facts)), tree.outcome(Record.of([*shuffled, *shuffled[:3]]))
    assert one == other
    assert one.met == tree.met(Record.of(shuffled))


@given(pathways(), FACT_LISTS, FACTS)
def test_more_evidence_never_earns_less_nor_later(way: Steps, facts: list[Fact], more: Fact) -> None:
    tree = compiled(way)
    before, after = tree.outcome(Record.of(facts)), tree.outcome(Record.of([*facts, more]))
    for was, now in zip((before, *before.parts), (after, *after.parts), strict=True):
        if was.met_at is not None:
            assert now.met_at is not None
            assert now.met_at <= was.met_at


@given(pathways(), FACT_LISTS)
def test_the_proof_stands_by_itself(way: Steps, facts: list[Fact]) -> None:
    tree, record = compiled(way), Record.of(facts)
    outcome = tree.outcome(record)
    if outcome.met:
        proof = proving_facts(outcome)
        assert tree.outcome(Record.of(proof)).met_at == outcome.met_at
        assert len(proof) >= tree.fewest
        assert proving_facts(proof_of(tree, record)) == proof


@given(pathways(), FACT_LISTS)
def test_a_step_counts_exactly_when_it_is_met_and_all_before_it_count(way: Steps, facts: list[Fact]) -> None:
    record = Record.of(facts)
    outcome = compiled(way).outcome(record)
    counts = {one.step_id: part.met for one, part in zip(way.steps, outcome.parts, strict=True)}
    for one in way.steps:
        assert counts[one.step_id] == (compiled(one.of).met(record) and all(counts[before] for before in one.after))
    enough = sum(counts.values()) >= (way.at_least or 0)
    assert outcome.met == (enough and all(counts[one.step_id] or one.optional for one in way.steps))
    assert len(list(pathways_in(compiled(way)))) >= 1


@given(pathways(), FACT_LISTS)
def test_the_way_to_the_end_is_never_too_short(way: Steps, facts: list[Fact]) -> None:
    known = catalogue(achievement("way", way))
    ways, record = Ways(known, Record.of(facts)), Record.of(facts)
    tree = known.achievements["way"].tree
    assert (ways.to_node(tree) == 0) == tree.met(record)
    if not tree.met(record):
        one_more = [Record.of([*facts, activity(name, 20)]) for name in NAMES]
        one_more += [Record.of([*facts, score(name, "80", 20)]) for name in NAMES]
        if any(tree.met(more) for more in one_more):
            assert ways.to_node(tree) >= 1


def test_a_badge_may_be_a_step() -> None:
    assert met_at(steps(step("a", badge("m")), step("b", done("b"), "a")), holds("m", 5), activity("b", 1)) == 5

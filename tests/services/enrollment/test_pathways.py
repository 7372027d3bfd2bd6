"""Pathways that nobody could walk are refused, with the step that is wrong (M0.7, M1.7, M1.21–M1.23)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.requirement import Steps
from services.enrollment import rules
from tests.services.enrollment.support import badge, body, publish, quiz
from tests.services.enrollment.test_rules import achievement

IDS = "abcde"


def step(name: str, *after: str, **more: Any) -> dict[str, Any]:
    """A step of a pathway."""
    return {"step_id": name, "label": name.upper(), "of": quiz(1), "after": list(after), **more}


def faults(*steps: dict[str, Any], at_least: int | None = None) -> dict[str, str]:
    """What is wrong with a pathway, by place."""
    draft = achievement("way", {"kind": "steps", "steps": list(steps), "at_least": at_least})
    return {fault.pointer: fault.detail for fault in rules.faults_of_tree(draft, [])}


def test_a_pathway_that_can_be_walked_is_accepted() -> None:
    assert not faults(step("a"), step("b", "a"), step("c", "a", "b", optional=True, milestone=True), at_least=3)
    assert not faults(step("a", optional=True), step("b", "a", optional=True), step("c", optional=True), at_least=2)


def test_unknown_steps_and_ids_that_are_taken_are_refused() -> None:
    assert faults(step("a", "x"), step("a")) == {
        "/requirement/steps/0/after/0": "expected the id of a step beside this one, found 'x'",
        "/requirement/steps/1/step_id": "expected an id of its own, found 'a', which is at "
        "/requirement/steps/0/step_id",
    }
    inner = {"kind": "steps", "steps": [step("a")]}
    assert list(faults(step("a", of=inner) | {"of": inner})) == ["/requirement/steps/0/of/steps/0/step_id"]


def test_a_circle_is_named_and_what_is_behind_it_is_unreachable() -> None:
    found = faults(step("a"), step("b", "a", "d"), step("c", "b"), step("d", "c"), step("e", "d"))
    assert found == {
        "/requirement/steps/1/after/1": "expected no circle of steps, found b → d → c → b",
        "/requirement/steps/4/after": "expected a step that can be reached, found one that comes after b → d → c → b",
    }
    assert list(faults(step("a", "a"))) == ["/requirement/steps/0/after/0"]


def test_a_number_must_leave_a_choice() -> None:
    assert faults(step("a"), step("b"), at_least=3) == {
        "/requirement/at_least": "expected at most the number of steps, 2, found 3"
    }
    assert list(faults(step("a"), step("b"), step("c", optional=True), at_least=1)) == ["/requirement/at_least"]
    assert list(faults(step("a", optional=True))) == ["/requirement/steps"]
    assert list(faults(step("a", optional=True), step("b", "a"))) == ["/requirement/steps/1/after/0"]


def test_facilitation_says_by_whom_and_supervised_steps_need_no_feedback() -> None:
    portfolio = {"kind": "evidence", "component_id": "portfolio"}
    assert list(faults(step("a", facilitation="fully-facilitated"))) == ["/requirement/steps/0"]
    assert not faults(step("a", facilitation="lightly-facilitated", facilitator="Dr Gray", of=portfolio))
    tree = {"kind": "all", "of": [quiz(1), portfolio]}
    assert list(faults(step("a", facilitation="supervised") | {"of": tree})) == ["/requirement/steps/0/of/of/1/kind"]


def test_steps_are_judged_as_any_part() -> None:
    draft = achievement("way", {"kind": "steps", "steps": [step("a") | {"of": badge("unheard")}]})
    (fault,) = rules.faults_of_tree(draft, [])
    assert fault.pointer == "/requirement/steps/0/of/achievement_id"
    assert rules.mentioned_achievements(draft.requirement) == {"unheard"}


@given(st.lists(st.tuples(st.sampled_from(IDS), st.sets(st.sampled_from(IDS))), max_size=5, unique_by=lambda s: s[0]))
def test_accepted_exactly_when_one_step_after_another_can_be_taken(wishes: list[tuple[str, set[str]]]) -> None:
    steps = [step(name, *sorted(after)) for name, after in wishes] or [step("a")]
    walked = set[str]()
    while ready := {s["step_id"] for s in steps if s["step_id"] not in walked and walked >= set(s["after"])}:
        walked |= ready
    assert (not faults(*steps)) == (len(walked) == len(steps))


def test_the_tree_as_it_is_published_parses() -> None:
    read = rules.read_achievement(
        "way", body({"kind": "steps", "steps": [step("a", milestone=True)]}), next_version=1,
        published_at=achievement("x", quiz(1)).published_at,
    )  # fmt: skip
    assert isinstance(getattr(read, "requirement", None), Steps)


async def test_the_door_refuses_with_the_place(doors: Any) -> None:
    way = {"kind": "steps", "steps": [step("a", "b"), step("b", "a")]}
    answer = await publish(doors, "way", body(way, kind="pathway"))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/requirement/steps/0/after/0", "detail": "expected no circle of steps, found a → b → a"}
    ]
    way = {"kind": "steps", "steps": [step("a"), step("b", "a", milestone=True, optional=True)]}
    assert (await publish(doors, "way", body(way, kind="pathway"))).status_code == 201

"""Publishing rules, for any tree and any catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts import AchievementPublished
from libs.common.contracts.requirement import AtLeast
from services.enrollment import rules
from services.enrollment.model import Fault, NotPublished
from tests.services.enrollment.support import badge, body, quiz

AT = datetime(2026, 1, 1, tzinfo=UTC)


def achievement(achievement_id: str, requirement: dict[str, Any], **changes: Any) -> AchievementPublished:
    """A version of an achievement."""
    read = rules.read_achievement(achievement_id, body(requirement, **changes), next_version=1, published_at=AT)
    assert isinstance(read, AchievementPublished), read
    return read


def at(document: object, pointer: str) -> object:
    """What a JSON Pointer names in a document; fails when there is nothing."""
    for step in pointer.split("/")[1:]:
        document = document[int(step)] if isinstance(document, list | tuple) else document[step]  # type: ignore[index]
    return document


names = st.sampled_from("abcdef")
leaves = st.builds(quiz, st.integers(1, 3)) | st.builds(badge, names)


def _branches(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(parts, min_size=1, max_size=4)
    return st.builds(lambda kind, of: {"kind": kind, "of": of}, st.sampled_from(["all", "any"]), several) | st.builds(
        lambda n, of: {"kind": "n-of", "n": n, "of": of}, st.integers(1, 5), several
    )


trees = st.recursive(leaves, _branches, max_leaves=8)


@given(trees)
def test_every_fault_names_a_place_of_the_tree(tree: dict[str, Any]) -> None:
    draft = achievement("a", tree)
    for fault in rules.faults_of_tree(draft, [achievement("b", quiz(1)), achievement("c", badge("a"))]):
        assert at({"requirement": tree}, fault.pointer) is not None


@given(trees)
def test_a_tree_is_refused_exactly_for_what_is_wrong_with_it(tree: dict[str, Any]) -> None:
    published = [achievement(name, quiz(1)) for name in "abc"]
    faults = rules.faults_of_tree(achievement("a", tree), published)

    def wrong(part: dict[str, Any]) -> int:
        inner = sum(wrong(one) for one in part.get("of", ()))
        too_many = part["kind"] == "n-of" and part["n"] > len(part["of"])
        bad_badge = part["kind"] == "badge" and part["achievement_id"] not in ("b", "c")
        return inner + too_many + bad_badge

    assert len(faults) == wrong(tree)


@given(st.lists(st.tuples(names, st.sets(names, min_size=1)), max_size=12))
def test_publishing_one_after_another_never_makes_a_circle(wishes: list[tuple[str, set[str]]]) -> None:
    published = [achievement(name, quiz(1)) for name in "abcdef"]
    for name, asked in wishes:
        draft = achievement(name, {"kind": "all", "of": [badge(one) for one in sorted(asked)]})
        if not rules.faults_of_tree(draft, published):
            published.append(draft)
    needs: dict[str, set[str]] = {}
    for one in published:
        needs.setdefault(one.achievement_id, set()).update(rules.mentioned_achievements(one.requirement))
    # Taking away what needs nothing, again and again, leaves nothing: so there is no circle.
    while free := {name for name, asked in needs.items() if not asked & needs.keys()}:
        needs = {name: asked for name, asked in needs.items() if name not in free}
    assert not needs


def test_a_circle_is_named_with_its_way() -> None:
    published = [achievement("a", quiz(1)), achievement("b", badge("a")), achievement("c", badge("b"))]
    tree = {"kind": "all", "of": [quiz(1), {"kind": "any", "of": [badge("c")]}]}
    assert rules.faults_of_tree(achievement("a", tree), published) == (
        Fault("/requirement/of/1/of/0/achievement_id", "expected no circle of badges, found a → c → b → a"),
    )


def test_a_circle_through_an_older_version_is_a_circle() -> None:
    published = [achievement("a", quiz(1)), achievement("b", badge("a")), achievement("b", quiz(2), version=2)]
    (fault,) = rules.faults_of_tree(achievement("a", badge("b")), published)
    assert "a → b → a" in fault.detail


def test_a_tree_too_large_is_refused_before_it_is_judged() -> None:
    wide = achievement("a", {"kind": "all", "of": [quiz(n) for n in range(2_001)]})
    assert [fault.pointer for fault in rules.faults_of_tree(wide, [])] == ["/requirement"]
    deep = quiz(1)
    for _ in range(33):
        deep = {"kind": "n-of", "n": 1, "of": [deep]}
    (fault,) = rules.faults_of_tree(achievement("a", deep), [])
    assert fault.pointer.count("/of/") == 32


def test_credits_must_be_there_to_be_earned() -> None:
    published = [achievement("b", quiz(1), credits="1.5"), achievement("c", quiz(1), credits="0.5")]
    for at_least, fails in (("2", False), ("2.01", True)):
        tree = {"kind": "credits", "at_least": at_least, "achievement_ids": ["b", "c"]}
        assert bool(rules.faults_of_tree(achievement("a", tree), published)) is fails


@given(st.integers(1, 5), st.integers(1, 5), st.booleans(), st.booleans())
def test_a_version_never_changes(latest_version: int, version: int, is_same: bool, is_given: bool) -> None:
    latest = achievement("a", quiz(1), version=latest_version)
    draft = achievement("a", quiz(1 if is_same else 2), version=version if is_given else latest_version + 1)
    decided = rules.decide_version(draft, latest, version_is_given=is_given)
    if is_same and (not is_given or version == latest_version):
        assert decided is latest
    elif draft.version > latest.version:
        assert decided is draft
    else:
        assert isinstance(decided, NotPublished)
        assert decided.status == 409
    assert rules.decide_version(draft, None, version_is_given=is_given) is draft


def test_requirements_keep_their_numbers() -> None:
    tree = {"kind": "n-of", "n": 1, "of": [quiz(1) | {"at_least": 0.1}]}
    requirement = achievement("a", tree).requirement
    assert isinstance(requirement, AtLeast)
    assert str(requirement.of[0].at_least) == "0.1"  # type: ignore[union-attr]

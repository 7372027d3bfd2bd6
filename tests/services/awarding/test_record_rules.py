"""What goes into a record: through all levels of a stack, in as few parts as may be, with what stands on what."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from uuid import UUID, uuid5

import orjson
from hypothesis import given
from hypothesis import strategies as st

from libs.common.credentials.addresses import Addresses
from libs.common.credentials.clr import MOST_BADGES, MOST_BYTES, Association
from services.awarding.model import RecordAsked, RecordBadge, RecordWish
from services.awarding.rules.badge import Deployment
from services.awarding.rules.records import associations_of, choose_badges, part_id, plan_record, record_of, valid_since
from tests.services.awarding.support import ISSUER, NAMESPACE, at

AT = Addresses("https://badges.example")
WHOLE = RecordWish("ada", "uni")
ASKED = RecordAsked(WHOLE, NAMESPACE, at(100))


def of(name: str, *stands_on: str, issuer: str = "uni", size: int = 2_000) -> RecordBadge:
    """A badge that holds."""
    below = tuple(map(id_of, stands_on))
    return RecordBadge(id_of(name), name, 1, issuer, at(0), None, below, size)


def id_of(name: str) -> UUID:
    return uuid5(NAMESPACE, name)


def names(badges: list[RecordBadge]) -> list[str]:
    return [badge.achievement_id for badge in badges]


STACK = [of("a"), of("b", issuer="other"), of("c", "a", "b"), of("d", "gone"), of("e", "c", "d", "c"), of("z")]


def test_a_record_of_all_badges_is_one_issuers() -> None:
    assert names(choose_badges(STACK, WHOLE)) == ["a", "c", "d", "e", "z"]
    assert choose_badges(STACK, RecordWish("ada", "nobody")) == []


def test_a_record_of_a_stack_goes_through_all_levels_and_begins_with_it() -> None:
    assert names(choose_badges(STACK, RecordWish("ada", "uni", id_of("e")))) == ["e", "a", "b", "c", "d"]
    assert names(choose_badges(STACK, RecordWish("ada", "uni", id_of("a")))) == ["a"]
    # What does not hold takes what only it stood on with it.
    without = [badge for badge in STACK if badge.achievement_id != "c"]
    assert names(choose_badges(without, RecordWish("ada", "uni", id_of("e")))) == ["e", "d"]
    assert choose_badges(STACK, RecordWish("ada", "uni", id_of("gone"))) == []


def test_it_says_which_stands_on_which_both_ways_and_once() -> None:
    chosen = choose_badges(STACK, RecordWish("ada", "uni", id_of("e")))
    plan = plan_record(ASKED, ISSUER, STACK, chosen, None)
    place = {name: AT.achievement(name, "1") for name in "abcde"}
    edges = {(place[above], place[below]) for above, below in ("ec", "ed", "ca", "cb")}
    found = associations_of(AT, plan, plan.parts[0])
    assert len(found) == len(set(found))
    assert set(found) == {Association("isParentOf", *edge) for edge in edges} | {
        Association("isChildOf", below, above) for above, below in edges
    }


def test_it_is_partial_if_the_learner_holds_more_of_the_issuer() -> None:
    assert plan_record(
        ASKED, ISSUER, STACK, choose_badges(STACK, RecordWish("ada", "uni", id_of("e"))), None
    ).is_partial
    assert not plan_record(ASKED, ISSUER, STACK, choose_badges(STACK, WHOLE), None).is_partial
    assert not plan_record(ASKED, ISSUER, STACK[:4], STACK[:4], None).is_partial


@given(st.lists(st.integers(1, MOST_BYTES), max_size=40))
def test_parts_hold_every_badge_once_in_order_and_are_no_larger_than_may_be(sizes: list[int]) -> None:
    badges = [of(str(number), size=size) for number, size in enumerate(sizes)]
    parts = plan_record(ASKED, ISSUER, badges, badges, None).parts
    assert [badge for part in parts for badge in part] == badges
    assert all(sum(badge.size for badge in part) <= MOST_BYTES for part in parts)
    for part, following in pairwise(parts):
        assert sum(badge.size for badge in part) + following[0].size > MOST_BYTES


def test_parts_name_each_other() -> None:
    badges = [of(str(number), *([str(number - 1)] if number else []), size=10) for number in range(MOST_BADGES + 2)]
    badges[3] = badges[3]._replace(valid_until=at(900))
    plan = plan_record(ASKED, ISSUER, badges, badges, "Ada")
    assert [len(part) for part in plan.parts] == [MOST_BADGES, 2]
    assert plan.is_partial
    credentials = {badge.badge_id: orjson.dumps({"name": badge.achievement_id}) for badge in badges}
    deployment = Deployment(AT, b"pepper for tests")
    first = record_of(deployment, plan, 1, credentials)
    second = record_of(deployment, plan, 2, credentials, before=b"signed")
    assert (first.name, second.name) == (
        "Learner record, A University (part 1 of 2)", "Learner record, A University (part 2 of 2)",
    )  # fmt: skip
    assert (first.valid_until, second.valid_until) == (at(900), None)
    assert first.before is None
    assert second.before is not None
    assert (second.before.url, first.url) == (first.url, AT.record(part_id(ASKED, 1)))
    assert second.before.digest_sri.startswith("sha384-")
    # A statement about two badges of different parts is in both.
    across = Association("isParentOf", AT.achievement("500", "1"), AT.achievement("499", "1"))
    assert across in first.associations
    assert across in second.associations
    assert len(second.associations) == 4


def test_a_record_of_a_badge_has_its_name_in_every_part() -> None:
    asked = replace_root(ASKED, id_of("e"))
    chosen = choose_badges(STACK, asked.wish)
    plan = replace(plan_record(asked, ISSUER, STACK, chosen, None), parts=((chosen[0],), tuple(chosen[1:])))
    credentials = {badge.badge_id: orjson.dumps({"name": badge.achievement_id.upper()}) for badge in chosen}
    record = record_of(Deployment(AT, b"pepper for tests"), plan, 2, credentials, before=b"x")
    assert record.name == "E, with the badges that it stands on (part 2 of 2)"


def replace_root(asked: RecordAsked, root_id: UUID) -> RecordAsked:
    return asked._replace(wish=asked.wish._replace(root_id=root_id))


def test_a_proof_is_no_older_than_its_key_and_the_badges() -> None:
    late = of("late")._replace(valid_from=at(200))
    plan = plan_record(ASKED, ISSUER, [late], [late], None)
    assert valid_since(plan, at(0)) == at(200)
    assert valid_since(plan, at(300)) == at(300)
    assert valid_since(plan_record(ASKED, ISSUER, STACK, STACK, None), at(0)) == at(100)
    assert record_of(Deployment(AT, b"pepper for tests"), plan, 1, {late.badge_id: b"{}"}).valid_from == at(200)

"""Places in status lists: each once, not to be guessed, and found again (M2.3)."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from libs.common.credentials.places import ENTRIES, place_of, position_of

SECRET = b"a secret for tests"


def test_a_list_is_filled_to_the_last_place_and_no_place_is_given_twice() -> None:
    for first in (0, ENTRIES):
        places = {place_of(SECRET, position) for position in range(first, first + ENTRIES)}
        assert places == {(first // ENTRIES + 1, index) for index in range(ENTRIES)}


@given(st.binary(min_size=16, max_size=40), st.integers(0, 10**9))
def test_a_place_leads_back_to_its_position(secret: bytes, position: int) -> None:
    assert position_of(secret, *place_of(secret, position)) == position


def test_neighbours_are_scattered_differently_under_each_secret_and_in_each_list() -> None:
    def indices(secret: bytes, first: int) -> list[int]:
        return [place_of(secret, position)[1] for position in range(first, first + 1000)]

    here = indices(SECRET, 0)
    for other in (indices(b"another secret", 0), indices(SECRET, ENTRIES)):
        assert sum(one == two for one, two in zip(here, other, strict=True)) < 10
    steps = [abs(two - one) for one, two in itertools.pairwise(here)]
    # Of two places drawn at random the distance is a third of the list on average.
    assert 0.28 < sum(steps) / len(steps) / ENTRIES < 0.39
    assert len(set(steps)) > 900

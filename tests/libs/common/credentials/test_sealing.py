"""What is sealed opens for its teller alone, in the place where it was sealed (RFC 5297)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.credentials.sealing import seal, unseal

SECRET, OTHER = bytes(range(64)), bytes(range(1, 65))


@given(st.binary(min_size=1, max_size=300), st.text(st.characters(codec="utf-8"), max_size=20))
def test_it_opens_again_and_is_the_same_each_time(content: bytes, context: str) -> None:
    sealed = seal(SECRET, content, context)
    assert unseal(SECRET, sealed, context) == content
    assert seal(SECRET, content, context) == sealed
    assert unseal(OTHER, sealed, context) is None
    assert unseal(SECRET, sealed, context + "x") is None


@pytest.mark.parametrize("text", ["", "A", "AAAA", "A" * 40, "é"])
def test_what_was_not_sealed_does_not_open(text: str) -> None:
    assert unseal(SECRET, text, "x") is None

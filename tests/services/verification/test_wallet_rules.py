"""Who takes an offer, and what the wallet gets, for arbitrary codes, PINs and times."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.verification.model.wallet import Offer
from services.verification.rules.wallet import (
    EMBEDDED,
    MOST_WRONG_PINS,
    TOKEN,
    Declined,
    code_of,
    credential_response,
    decide_redemption,
    digest_pin,
    is_open,
    wanted_configuration,
)
from tests.services.verification.support import at

PINS = st.text("0123456789", min_size=6, max_size=6)
OFFER = Offer(UUID(int=1), digest_pin("a code", "123456"), 0, at(10), None, None)


@given(st.none() | PINS | st.text(max_size=8), st.integers(0, 9), st.booleans(), st.integers(-5, 5), st.booleans())
def test_only_the_right_pin_in_time_takes_an_offer(
    pin: str | None, wrong: int, taken: bool, minutes: int, asks: bool
) -> None:
    offer = replace(
        OFFER, wrong_pins=wrong, taken_at=at(1) if taken else None, pin_digest=OFFER.pin_digest if asks else None
    )
    now = at(10) + timedelta(minutes=minutes)
    good = decide_redemption(offer, "a code", pin, now) == "good"
    may = minutes < 0 and not taken and wrong < MOST_WRONG_PINS
    assert is_open(offer, now) == may
    assert good == (may and pin == ("123456" if asks else None))
    assert decide_redemption(None, "a code", pin, now) == "gone"


@given(st.text(max_size=60), st.text(max_size=60), PINS)
def test_codes_and_digests_tell_their_sources_apart(one: str, other: str, pin: str) -> None:
    same = one.encode("utf-8", "replace") == other.encode("utf-8", "replace")
    assert (code_of(one) == code_of(other)) == same
    assert (digest_pin(code_of(one), pin) == digest_pin(code_of(other), pin)) == same
    assert len(code_of(one)) == 43


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(-9, 9)), st.text(max_size=20))
def test_a_credential_is_answered_as_it_is(document: dict[str, str | int], token: str) -> None:
    content = b" " + orjson.dumps(document, option=orjson.OPT_INDENT_2)
    answer = credential_response(content)
    assert content in answer
    assert orjson.loads(answer) == {"credentials": [{"credential": document}]}
    assert orjson.loads(credential_response(token)) == {"credentials": [{"credential": token}]}


@given(st.binary(max_size=60) | st.builds(lambda name: orjson.dumps({"credential_configuration_id": name}), st.text()))
def test_any_request_has_an_answer(content: bytes) -> None:
    # A name out of these, or a refusal that is foreseen: nothing else comes of what a stranger sends.
    with suppress(Declined):
        assert wanted_configuration(content) in (EMBEDDED, TOKEN)

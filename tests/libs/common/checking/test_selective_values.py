"""Proof values of `ecdsa-sd-2023`: read strictly, and every byte of them counts (VC-DI-ECDSA 1.0, section 3.5.8)."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.checking.selective import Disclosed, disclosure_fault, read_disclosed
from libs.common.checking.strict import Fault
from libs.common.credentials.canonical import MAX_BYTES, canonical_nquads
from tests.libs.common.checking.disclosing import (
    BASE,
    DERIVED,
    KEY,
    MANDATORY,
    OPTIONAL,
    badge,
    encoded_in,
    issue,
    multikey,
    parts_of,
    value_of,
)

Json = dict[str, Any]
SHOWN = issue(badge()).derived(*OPTIONAL[:3])


def _with(place: int, value: object) -> list[Any]:
    parts = parts_of(SHOWN)
    parts[place] = value
    return parts


ENCODED = encoded_in(SHOWN)
HOSTILE = {
    "no text": 5,
    "another multibase": "z" + value_of(ENCODED)[1:],
    "no base64url": "u2V0B*",
    "padding": value_of(ENCODED) + "=",
    "base64": "u2V0B+/8",
    "another alphabet": "u２V0B",
    "nothing": "u",
    "another header": value_of(ENCODED, b"\xd9\x5d\x02"),
    "the header alone": value_of(b""),
    "cut off": value_of(ENCODED[:-1]),
    "cut off early": value_of(ENCODED[:40]),
    "something after it": value_of(ENCODED + b"\x00"),
    "too large": "u" + "A" * MAX_BYTES,
    "an array without end": value_of(b"\x9f" + ENCODED[1:] + b"\xff"),
    "bytes without end": value_of(b"\x85\x5f\x58\x40" + bytes(64) + b"\xff"),
    "an array of more than there is": value_of(b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"),
    "bytes of more than there is": value_of(b"\x85\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"),
    "too deep": value_of(b"\x81" * 50_000 + b"\x00"),
    "a key twice": value_of(b"\x85\x40\x40\x80\xa2\x00\x40\x00\x41\x00\x80"),
    "longer than need be": value_of(b"\x98\x05" + ENCODED[1:]),
    "a tag": value_of(b"\xd8\x40" + ENCODED),
    "a tag that is known": value_of(b"\xd9\xd9\xf7" + ENCODED),
    "a number of astronomic size": value_of(b"\x85\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01"),
    "a map": value_of({"baseSignature": bytes(64)}),
    "four parts": value_of(parts_of(SHOWN)[:4]),
    "six parts": value_of([*parts_of(SHOWN), 0]),
    "a short signature": value_of(_with(0, bytes(63))),
    "a long signature": value_of(_with(2, [bytes(65)])),
    "a text for a signature": value_of(_with(2, ["x" * 64])),
    "a short key": value_of(_with(1, multikey(KEY)[:-1])),
    "a key with more": value_of(_with(1, multikey(KEY) + b"\x00")),
    "a key of another kind": value_of(_with(1, b"\xed\x01" + multikey(KEY)[2:])),
    "a point off the curve": value_of(_with(1, b"\x80\x24\x02" + b"\xff" * 32)),
    "an array for the labels": value_of(_with(3, [])),
    "a map for the indexes": value_of(_with(4, {})),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_value_that_is_none_is_refused(value: object) -> None:
    found = read_disclosed(value)
    assert isinstance(found, Fault)
    assert found.reason == "proof-value", found
    assert found.more


def _fault(document: Json, proof_value: object) -> Fault | None:
    disclosed = read_disclosed(proof_value)
    if isinstance(disclosed, Fault):
        return disclosed
    return disclosure_fault(disclosed, *_texts(document), KEY.public_key())


def _texts(document: Json) -> tuple[str, str]:
    options = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    return canonical_nquads({**options, "@context": document["@context"]}), canonical_nquads(unsecured)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(OPTIONAL)), st.sets(st.sampled_from(MANDATORY)), st.sampled_from(["cd", "cc"]))
def test_any_part_of_a_badge_can_be_shown(optional: set[str], mandatory: set[str], results: str) -> None:
    """Also of one whose two results cannot be told apart at all."""
    document = issue(badge(results=results), sorted(mandatory | {"/issuer"})).derived(*sorted(optional))
    assert _fault(document, document["proof"]["proofValue"]) is None


TEXTS = _texts(SHOWN)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(ENCODED) - 1), st.integers(1, 255))
def test_every_byte_of_a_proof_counts(place: int, change: int) -> None:
    changed = bytes([*ENCODED[:place], ENCODED[place] ^ change, *ENCODED[place + 1 :]])
    disclosed = read_disclosed(value_of(changed))
    if isinstance(disclosed, Disclosed):
        assert disclosure_fault(disclosed, *TEXTS, KEY.public_key()) is not None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([BASE, DERIVED, b""]))
def test_any_bytes_are_read_or_refused(content: bytes, header: bytes) -> None:
    assert isinstance(read_disclosed(value_of(content, header)), Fault)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=70),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 4), _JSON)
def test_any_part_in_the_place_of_another_is_refused_or_proves_nothing(place: int, part: Any) -> None:
    found = read_disclosed(value_of(cbor2.dumps(_with(place, part))))
    if isinstance(found, Disclosed) and part != parts_of(SHOWN)[place]:
        assert disclosure_fault(found, *TEXTS, KEY.public_key()) is not None

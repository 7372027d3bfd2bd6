"""Bitstring Status Lists, against the published example and lists that other software made."""

from __future__ import annotations

import base64
import gzip
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.credentials.proof import sign, verify_proof
from libs.common.credentials.shape import Shapes
from libs.common.credentials.status_list import (
    MAX_BYTES,
    MIN_ENTRIES,
    NotAStatusList,
    decode,
    encode,
    is_set,
    status_list_credential,
)
from tests.libs.common.credentials.samples import AT, ISSUER, SIGNER, published_json


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, MIN_ENTRIES - 1), max_size=200))
def test_there_and_back(indices: set[int]) -> None:
    bits = decode(encode(indices))
    assert len(bits) * 8 == MIN_ENTRIES
    assert {index for index in range(MIN_ENTRIES) if bits[index >> 3] and is_set(bits, index)} == indices


def test_the_example_of_the_standard() -> None:
    # Bitstring Status List 1.0, example 6: nothing is set.
    bits = decode("uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA")
    assert bits == bytes(MIN_ENTRIES // 8)


def test_a_list_that_other_software_made() -> None:
    subject = published_json("fixtures/ob3/web/badges.example/status/rev.json")["credentialSubject"]
    bits = decode(subject["encodedList"])
    entry = published_json("fixtures/ob3/creds/bad-revoked.json")["credentialStatus"]
    clear = published_json("fixtures/ob3/creds/ok-status-clear.json")["credentialStatus"]
    assert is_set(bits, int(entry["statusListIndex"]))
    assert not is_set(bits, int(clear["statusListIndex"]))


def packed(content: bytes) -> str:
    """`content` the way a list is encoded."""
    return "u" + base64.urlsafe_b64encode(gzip.compress(content)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("why", "encoded"),
    [
        ("another multibase", "z" + packed(bytes(MIN_ENTRIES // 8))[1:]),
        ("nothing", ""),
        ("no base64", "u%%%"),
        ("no gzip", "uAAAA"),
        ("cut off", packed(bytes(range(256)) * 64)[:-40]),
        ("too short", packed(bytes(100))),
        ("a bomb", packed(bytes(MAX_BYTES + 1))),
    ],
)
def test_what_is_no_list_is_refused(why: str, encoded: str) -> None:
    with pytest.raises(NotAStatusList):
        decode(encoded)


def test_an_index_beyond_the_list_is_refused() -> None:
    bits = decode(packed(bytes(100)), min_entries=800)
    assert not is_set(bits, 799)
    for index in (-1, 800):
        with pytest.raises(NotAStatusList):
            is_set(bits, index)
    with pytest.raises(ValueError, match="indices"):
        encode([MIN_ENTRIES])
    with pytest.raises(ValueError, match="entries"):
        encode([], entries=8)


def test_the_credential_of_a_list_can_be_signed() -> None:
    url = AT.status_list("ou-revocation-1")
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)
    document = status_list_credential(url, ISSUER.id, "revocation", encode([7]), valid_from=start, valid_until=end)
    signed = sign(document, SIGNER, start, Shapes())
    assert verify_proof(orjson.dumps(signed.document), lambda _: SIGNER.public_key).ok

"""The CloudEvents envelope: what is written is read again, and what is wrong is refused by its name."""

from __future__ import annotations

import base64
import re
import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.common.contracts.envelope import (
    Envelope,
    Refusal,
    headers_of,
    is_traceparent,
    read_attributes,
    read_message,
    read_time,
)

texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=60)
traceparents = st.builds(
    lambda trace, span, flags: f"00-{trace:032x}-{span:016x}-{flags:02x}",
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.integers(0, 255),
)
envelopes = st.builds(
    Envelope,
    id=texts,
    source=texts,
    type=texts,
    time=st.datetimes(timezones=st.just(UTC)),
    key=st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=60),
    subject=st.none() | texts,
    traceparent=st.none() | traceparents,
)
WELL = {"specversion": "1.0", "id": "1", "source": "/lms", "type": "t.v1", "time": "2026-03-01T10:00:00Z"}


@settings(deadline=None)
@given(envelopes, st.none() | st.binary(max_size=100))
def test_binary_mode_is_read_as_it_was_written(envelope: Envelope, value: bytes | None) -> None:
    assert read_message(envelope.key.encode(), headers_of(envelope), value) == (envelope, value)


@settings(deadline=None)
@given(envelopes, st.recursive(st.none() | st.booleans() | texts, st.lists) | st.dictionaries(texts, texts))
def test_structured_mode_is_read_as_it_was_written(envelope: Envelope, content: Any) -> None:
    attributes = {name.removeprefix("ce_"): header.decode() for name, header in headers_of(envelope)}
    attributes["datacontenttype"] = attributes.pop("content-type")
    document = orjson.dumps({**attributes, "data": content})
    headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    assert read_message(envelope.key.encode(), headers, document) == (envelope, orjson.dumps(content))


@settings(deadline=None)
@given(
    st.binary(max_size=20) | st.none(),
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_time", "content-type", "x"]), st.none() | st.binary(max_size=40))),
    st.binary(max_size=200) | st.none(),
)
@example(b"k", [("content-type", b"application/cloudevents+json")], b"[" * 100_000)
def test_no_bytes_raise(key: bytes | None, headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    assert isinstance(read_message(key, headers, value), Refusal | tuple)


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "time"])
@pytest.mark.parametrize("found", [None, "", 5, "x" * 513, "a\x00b", "a\nb", "\x85"])
def test_a_refusal_names_the_attribute(name: str, found: Any) -> None:
    attributes = {**WELL, name: found}
    if found is None:
        del attributes[name]
    refusal = read_attributes(attributes, "k")
    assert isinstance(refusal, Refusal)
    assert refusal.field == name
    assert str(refusal).startswith(f"{name}: expected ")


@pytest.mark.parametrize(
    ("name", "found"),
    [("specversion", "0.3"), ("time", "yesterday"), ("time", "2026-03-01T10:00:00"), ("subject", ""), ("subject", 5)],
)
def test_a_wrong_attribute_is_refused(name: str, found: Any) -> None:
    refusal = read_attributes({**WELL, name: found}, "k")
    assert isinstance(refusal, Refusal)
    assert refusal.field == name


def test_what_is_not_utf_8_is_refused() -> None:
    headers = [(f"ce_{name}", text.encode()) for name, text in WELL.items() if name != "id"]
    refusal = read_message(b"k", [*headers, ("ce_id", b"\xff")], b"{}")
    assert isinstance(refusal, Refusal)
    assert refusal.field == "ce_id"
    refusal = read_message(b"\xff", [*headers, ("ce_id", b"1")], b"{}")
    assert isinstance(refusal, Refusal)
    assert refusal.field == "key"


def test_the_subject_stands_in_for_a_missing_key() -> None:
    read = read_attributes({**WELL, "subject": "ada"}, None)
    assert isinstance(read, Envelope)
    assert (read.key, read.subject) == ("ada", "ada")
    assert read_attributes({**WELL, "subject": "ada"}, b"") != read


def test_a_broken_trace_is_left_out_and_the_event_is_kept() -> None:
    read = read_attributes({**WELL, "traceparent": "00-abc"}, "k")
    assert isinstance(read, Envelope)
    assert read.traceparent is None


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'"text"', b"\xff", None])
def test_what_is_no_structured_event_is_refused(value: bytes | None) -> None:
    refusal = read_message(b"k", [("content-type", b"application/cloudevents+json")], value)
    assert isinstance(refusal, Refusal)
    assert refusal.field == "value"


def test_only_a_null_value_is_a_tombstone() -> None:
    headers = [(f"ce_{name}", text.encode()) for name, text in WELL.items()]
    structured = [("content-type", b"application/cloudevents+json")]
    binary = read_message(b"k", headers, None)
    assert isinstance(binary, tuple)
    assert binary[1] is None
    for document in (WELL, {**WELL, "data": None}):
        read = read_message(b"k", structured, orjson.dumps(document))
        assert isinstance(read, tuple)
        assert read[1] == b"null"


def test_base64_data_is_read_and_refused_when_it_is_none() -> None:
    structured = [("content-type", b"application/cloudevents+json")]
    read = read_message(b"k", structured, orjson.dumps({**WELL, "data_base64": base64.b64encode(b"\x00{}").decode()}))
    assert isinstance(read, tuple)
    assert read[1] == b"\x00{}"
    for wrong in ("!", 5, "é"):
        refusal = read_message(b"k", structured, orjson.dumps({**WELL, "data_base64": wrong}))
        assert isinstance(refusal, Refusal)
        assert refusal.field == "data_base64"


@settings(deadline=None)
@given(st.datetimes(timezones=st.builds(timezone, st.integers(-1439, 1439).map(lambda m: timedelta(minutes=m)))))
def test_a_time_is_read_in_utc(time: datetime) -> None:
    text = time.isoformat()
    read = read_time(text)
    try:
        assert read == time.astimezone(UTC)
        assert read is not None
        assert read.tzinfo is UTC
    except OverflowError:
        assert read is None


@pytest.mark.parametrize(
    "text", ["2026-03-01T10:00:00z", "2026-03-01t10:00:00.123456789Z", "2026-03-01 10:00:00+01:00"]
)
def test_every_form_of_rfc_3339_is_read(text: str) -> None:
    assert read_time(text) is not None


@pytest.mark.parametrize(
    "text",
    ["2026-W09-1T10:00:00Z", "20260301T100000Z", "2026-03-01", "2026-03-01T10:00Z", "2026-02-30T10:00:00Z", "",
     "2026-03-01T10:00:00+00:00:30", "0001-01-01T00:00:00+23:59", "２026-03-01T10:00:00Z", "2026-03-01T10:00:00Z\n"],
)  # fmt: skip
def test_what_rfc_3339_does_not_know_is_no_time(text: str) -> None:
    assert read_time(text) is None


@settings(deadline=None)
@given(st.text(string.hexdigits + "-", max_size=60) | traceparents)
def test_a_traceparent_is_known_by_its_form(text: str) -> None:
    form = re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", text)
    assert is_traceparent(text) == (form is not None and set(text[3:35]) != {"0"} and set(text[36:52]) != {"0"})

"""The CloudEvents 1.0 envelope of every message, in the Kafka protocol binding.

Binary mode (attributes in `ce_*` headers) is what the services write. Structured mode (one JSON document,
content type `application/cloudevents+json`) is read as well, because the binding says that receivers should
support both. Nothing is invented: an event without id, source, type, specversion or time is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson

Headers = Iterable[tuple[str, bytes | None]]

_TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_REQUIRED = ("specversion", "id", "source", "type", "time")
_LONGEST_ATTRIBUTE = 512


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes of one CloudEvent.

    `id` with `source` names the event (CloudEvents 1.0, section 3.1); `time` is when the fact happened (aware);
    `key` is the Kafka record key (learner id, achievement id …); `traceparent` follows W3C Trace Context or is
    None.
    """

    id: str
    source: str
    type: str
    time: datetime
    key: str
    subject: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message or a part of it was not accepted: which field, what was expected, what was found."""

    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, found {self.found}"


def read_message(key: bytes | None, headers: Headers, value: bytes | None) -> tuple[Envelope, bytes | None] | Refusal:
    """Read one Kafka record as a CloudEvent: its envelope and the bytes of its data (None for a tombstone)."""
    named = {name.lower(): content for name, content in headers}
    content_type = (named.get("content-type") or b"").lower()
    if content_type.startswith(b"application/cloudevents"):
        return _read_structured(key, value)
    attributes: dict[str, str] = {}
    for name, content in named.items():
        if name.startswith("ce_") or name == "traceparent":
            try:
                attributes[name.removeprefix("ce_")] = (content or b"").decode()
            except UnicodeDecodeError:
                return Refusal(name, "UTF-8 text", repr(content)[:80])
    envelope = read_attributes(attributes, key)
    return envelope if isinstance(envelope, Refusal) else (envelope, value)


def _read_structured(key: bytes | None, value: bytes | None) -> tuple[Envelope, bytes | None] | Refusal:
    try:
        document: Any = orjson.loads(value or b"")
    except orjson.JSONDecodeError as fault:
        return Refusal("value", "a CloudEvents JSON document", str(fault))
    if not isinstance(document, dict):
        return Refusal("value", "a JSON object", type(document).__name__)
    attributes = cast("dict[str, Any]", document)
    envelope = read_attributes(attributes, key)
    if isinstance(envelope, Refusal):
        return envelope
    content = attributes.get("data")
    return envelope, None if content is None else orjson.dumps(content)


def read_attributes(attributes: Mapping[str, Any], key: bytes | str | None) -> Envelope | Refusal:
    """Check the CloudEvents attributes of one event (names without prefix); `key` defaults to `subject`."""
    for name in _REQUIRED:
        found = attributes.get(name)
        if not isinstance(found, str) or not found or len(found) > _LONGEST_ATTRIBUTE:
            shown = "nothing" if found is None else repr(found)[:80]
            return Refusal(name, f"text of 1 to {_LONGEST_ATTRIBUTE} characters", shown)
    if attributes["specversion"] != "1.0":
        return Refusal("specversion", '"1.0"', repr(attributes["specversion"]))
    time = read_time(attributes["time"])
    if time is None:
        return Refusal("time", "an RFC 3339 date and time with offset", repr(attributes["time"]))
    subject, traceparent = attributes.get("subject"), attributes.get("traceparent")
    try:
        text_key = key.decode() if isinstance(key, bytes) else (key or "")
    except UnicodeDecodeError:
        return Refusal("key", "UTF-8 text", repr(key)[:80])
    return Envelope(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        time=time,
        key=text_key,
        subject=subject if isinstance(subject, str) else None,
        traceparent=traceparent if is_traceparent(traceparent) else None,
    )


def read_time(text: str) -> datetime | None:
    """An aware datetime from RFC 3339 text, or None when it is no such text or has no offset."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def is_traceparent(text: object) -> bool:
    """Whether `text` is a valid W3C Trace Context `traceparent` of version 00."""
    return isinstance(text, str) and _TRACEPARENT.match(text) is not None


def headers_of(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The Kafka headers that carry an envelope in binary mode."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_time", envelope.time.isoformat().encode()),
        ("content-type", b"application/json"),
    ]
    if envelope.subject is not None:
        headers.append(("ce_subject", envelope.subject.encode()))
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return headers

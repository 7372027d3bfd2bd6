"""The CloudEvents 1.0 envelope of every message, in the Kafka protocol binding.

Binary mode (attributes in `ce_*` headers) is what the services write. Structured mode (one JSON document,
content type `application/cloudevents+json`) is read as well, because the binding says that receivers should
support both. Nothing is invented: an event without id, source, type, specversion or time is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

import orjson

Headers = Iterable[tuple[str, bytes | None]]

_TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$", re.ASCII)
# CloudEvents 1.0, section 2.3: no control characters in a String. PostgreSQL cannot keep U+0000 either.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_REQUIRED = ("specversion", "id", "source", "type", "time")
_LONGEST_ATTRIBUTE = 512
_ATTRIBUTES = {
    **{f"ce_{name}": name for name in (*_REQUIRED, "subject")},
    "traceparent": "traceparent",
    "content-type": "content-type",
}


class Envelope(NamedTuple):
    """The attributes of one CloudEvent. A named tuple, for one is made for each message: it costs a third.

    `id` with `source` names the event (CloudEvents 1.0, section 3.1); `time` is when the fact happened (in UTC);
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
    attributes: dict[str, str] = {}
    content_type, refusal = b"", None
    for name, content in headers:
        # Names nearly always come as the services write them, so one look into a table does.
        attribute = _ATTRIBUTES.get(name) or _attribute_of(name)
        if attribute is None:
            continue
        if attribute == "content-type":
            content_type = content or b""
            continue
        try:
            attributes[attribute] = (content or b"").decode()
        except UnicodeDecodeError:
            refusal = refusal or Refusal(name, "UTF-8 text", repr(content)[:80])
    if content_type[:23].lower() == b"application/cloudevents":
        return _read_structured(key, value)
    if refusal is not None:
        return refusal
    envelope = read_attributes(attributes, key)
    return envelope if isinstance(envelope, Refusal) else (envelope, value)


def _attribute_of(header: str) -> str | None:
    """The attribute that a header carries, whatever the case of its name; None for a header that carries none."""
    name = header.lower()
    return name[3:] if name.startswith("ce_") else _ATTRIBUTES.get(name)


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
    return _structured_content(envelope, attributes)


def _structured_content(envelope: Envelope, attributes: Mapping[str, Any]) -> tuple[Envelope, bytes] | Refusal:
    """The data of a structured event. Never None: a document is no tombstone, even when its data is null."""
    encoded = attributes.get("data_base64")
    if encoded is None:
        return envelope, orjson.dumps(attributes.get("data"))
    try:  # CloudEvents JSON format, section 3.1.1
        return envelope, base64.b64decode(encoded, validate=True)
    except (binascii.Error, TypeError, ValueError) as fault:
        return Refusal("data_base64", "text in Base64", str(fault))


def read_attributes(attributes: Mapping[str, Any], key: bytes | str | None) -> Envelope | Refusal:
    """Check the CloudEvents attributes of one event (names without prefix); `key` defaults to `subject`."""
    for name in _REQUIRED:
        found = attributes.get(name)
        if not _is_text(found):
            return _not_text(name, found)
    if attributes["specversion"] != "1.0":
        return Refusal("specversion", '"1.0"', repr(attributes["specversion"]))
    time = read_time(attributes["time"])
    if time is None:
        return Refusal("time", "an RFC 3339 date and time with offset", repr(attributes["time"]))
    subject, traceparent = attributes.get("subject"), attributes.get("traceparent")
    if subject is not None and not _is_text(subject):
        return _not_text("subject", subject)
    try:
        text_key = key.decode() if isinstance(key, bytes) else (key or subject or "")
    except UnicodeDecodeError:
        return Refusal("key", "UTF-8 text", repr(key)[:80])
    return Envelope(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        time=time,
        key=text_key,
        subject=subject,
        traceparent=traceparent if is_traceparent(traceparent) else None,
    )


def _is_text(found: object) -> bool:
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ATTRIBUTE:
        return False
    # What is printable holds no control character: nearly always, this spares the search.
    return found.isprintable() or _CONTROL.search(found) is None


def _not_text(name: str, found: object) -> Refusal:
    shown = "nothing" if found is None else repr(found)[:80]
    return Refusal(name, f"text of 1 to {_LONGEST_ATTRIBUTE} characters, none of them a control character", shown)


def read_time(text: str) -> datetime | None:
    """The moment in UTC that an RFC 3339 text names, or None when it is no such text or has no offset.

    Digits below a microsecond are dropped. A moment outside of the years 1 to 9999 in UTC is none.
    """
    if _TIME.match(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_traceparent(text: object) -> bool:
    """Whether `text` is a valid W3C Trace Context `traceparent` of version 00."""
    return isinstance(text, str) and _matches_traceparent(text)


@lru_cache(maxsize=1024)  # the events of one request mostly share theirs
def _matches_traceparent(text: str) -> bool:
    return _TRACEPARENT.match(text) is not None


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

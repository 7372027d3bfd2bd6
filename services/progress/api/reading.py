"""From an HTTP request to CloudEvents as parsed JSON (CloudEvents 1.0, HTTP protocol binding)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

import orjson

from libs.common.problems import Problem

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
BINARY = "application/json"


def media_type_of(headers: Mapping[str, str]) -> str:
    """The media type of the body, without parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def documents_in(headers: Mapping[str, str], body: bytes, *, most: int) -> list[object]:
    """The CloudEvents of a request: one in structured or binary mode, or a batch of at most `most`.

    Raises `Problem` 400 when the body is no JSON, 413 when the batch is too long, 415 for another content type.
    """
    media_type = media_type_of(headers)
    if media_type == BATCH:
        return _batch(_parsed(body), most)
    if media_type == STRUCTURED:
        return [_parsed(body)]
    if media_type == BINARY and "ce-specversion" in headers:
        return [_attributes(headers) | {"data": _parsed(body)}]
    detail = f"Expected {STRUCTURED}, {BATCH}, or {BINARY} with ce-* headers; found {media_type or 'nothing'!r:.80}."
    raise Problem(415, "Unsupported content type", detail, headers=(("Accept", f"{STRUCTURED}, {BATCH}"),))


def _batch(parsed: object, most: int) -> list[object]:
    if not isinstance(parsed, list):
        raise Problem(400, "Not a batch", f"Expected a JSON array of CloudEvents, found {type(parsed).__name__}.")
    documents = cast("list[object]", parsed)
    if len(documents) > most:
        raise Problem(413, "Batch too long", f"Expected at most {most} events, found {len(documents)}.")
    return documents


def _parsed(body: bytes) -> object:
    try:
        return cast("object", orjson.loads(body))
    except orjson.JSONDecodeError as fault:
        raise Problem(400, "Malformed JSON", f"Expected JSON (RFC 8259), found: {fault}.") from None


def _attributes(headers: Mapping[str, str]) -> dict[str, Any]:
    # HTTP binding 3.1.3.2: header values are percent-encoded.
    return {
        name.removeprefix("ce-").lower(): unquote(content)
        for name, content in headers.items()
        if name.lower().startswith("ce-")
    }

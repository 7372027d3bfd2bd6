"""JSON of strangers, read so that every program reads the same from it (SR-12)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

from libs.common.checking.dialogue import Json
from libs.common.credentials.canonical import MAX_DEPTH, NotCanonical, bounds_of, parse_json

# Beyond this, programs whose numbers are all floating-point read another integer (RFC 8259, section 6).
_LARGEST_INTEGER = 2**53 - 1


class Fault(NamedTuple):
    """Why a text is not taken: a code of `words.REASONS`, and what was found."""

    reason: str
    more: str


def read_json(content: bytes) -> Json | Fault:
    """The JSON object in `content`, which is `MAX_DEPTH` deep and as large as `canonical.bounds_of` allows."""
    try:
        document = parse_json(content)
    except NotCanonical as refusal:
        return Fault(refusal.reason, refusal.detail)
    return _screen(document) or document


def _screen(document: Json) -> Fault | None:
    nodes, most = 0, bounds_of(document).nodes
    waiting: list[tuple[Any, int]] = [(document, 1)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            return Fault("too-deep", f"expected at most {MAX_DEPTH} levels")
        if nodes > most:
            return Fault("too-many-nodes", f"expected at most {most} values")
        if isinstance(node, dict):
            members = cast(Json, node)
            fault = next((found for found in map(_screen_text, members) if found), None)
            waiting.extend((value, depth + 1) for value in members.values())
        elif isinstance(node, list):
            fault = None
            waiting.extend((value, depth + 1) for value in cast(list[Any], node))
        else:
            fault = _screen_scalar(node)
        if fault:
            return fault
    return None


def _screen_scalar(node: Any) -> Fault | None:
    if isinstance(node, str):
        return _screen_text(node)
    if isinstance(node, float) and not math.isfinite(node):
        return Fault("number", "expected a finite number")
    if isinstance(node, int) and abs(node) > _LARGEST_INTEGER:
        return Fault("number", f"expected integers of at most {_LARGEST_INTEGER}")
    return None


def _screen_text(text: str) -> Fault | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return Fault("malformed", f"expected Unicode text, found {text[:80]!a}")
    return None


def objects(value: Any) -> list[Json]:
    """The objects in `value`, which is one of them, or an array; anything else in it is left out."""
    return [cast(Json, entry) for entry in array(value) if isinstance(entry, dict)]


def first_object(value: Any) -> Json:
    """The first object in `value`, an empty one if it holds none."""
    return next(iter(objects(value)), Json())


def texts(value: Any) -> list[str]:
    """The texts in `value`, which is one of them, or an array; anything else in it is left out."""
    return [entry for entry in array(value) if isinstance(entry, str)]


def array(value: Any) -> list[Any]:
    """`value` if it is an array, else an array of it alone; of nothing if it is None."""
    if value is None:
        return []
    return cast(list[Any], value) if isinstance(value, list) else [value]


def member(document: Any, name: str) -> Any:
    """The member `name` of `document`, or None if `document` is no object or has none."""
    return cast(Json, document).get(name) if isinstance(document, dict) else None


def id_of(value: Any) -> str | None:
    """The id of `value`, which is an object with `id`, or the id itself."""
    found = member(value, "id") if isinstance(value, dict) else value
    return found if isinstance(found, str) and found else None

"""What a new version of a JSON Schema would break: a contract is a promise, additive for ever.

Two kinds of break: the new reader refuses what was told before (a replay would fail), and a reader that was not
yet brought up to date misses what it was promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
_LOWER_BOUNDS = ("minLength", "minimum", "exclusiveMinimum", "minItems")
_UPPER_BOUNDS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems")
_EXACT = ("const", "pattern", "format")


def breaks(old: Schema, new: Schema) -> list[str]:
    """What `new` breaks of the promises of `old`: one line each, beginning with the JSON Pointer of the place.

    Both are JSON Schemas as `schema_of` makes them, with their `$defs`. An empty list: `new` may replace `old`.
    """
    return list(_Comparison(old, new).at("", old, new))


class _Comparison:
    """One walk through two schemas together; a pair of definitions is compared once, so that trees may recurse."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str]] = set()

    def at(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        """The breaks at one place and below it."""
        pair = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if any(pair):
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        yield from _narrowed(place, old, new)
        yield from self._fields(place, old, new)
        if isinstance(old.get("items"), Mapping) and isinstance(new.get("items"), Mapping):
            yield from self.at(f"{place}/*", old["items"], new["items"])
        yield from self._branches(place, old, new)

    def _fields(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        was, now = old.get("properties", {}), new.get("properties", {})
        demanded, demands = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(was.keys() - now.keys()):
            yield f"{place}/{name}: the field was removed"
        for name in sorted(demands - demanded):
            yield f"{place}/{name}: the field is demanded now, and what was told before may lack it"
        for name in sorted((demanded - demands) & now.keys()):
            yield f"{place}/{name}: the field was promised, and is optional now"
        for name in sorted(was.keys() & now.keys()):
            yield from self.at(f"{place}/{name}", was[name], now[name])

    def _branches(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        was, now = _alternatives(old), _alternatives(new)
        if not was and now:
            was = [old]
        for branch in was:
            if not any(self._accepts(branch, other) for other in now or [new]):
                yield f"{place}: {_name(branch)} is not accepted any more"

    def _accepts(self, old: Schema, new: Schema) -> bool:
        inner = _Comparison(self._old, self._new)
        inner._seen = set(self._seen)
        return next(inner.at("", old, new), None) is None


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    return {**root["$defs"][reference.removeprefix("#/$defs/")], **{k: v for k, v in schema.items() if k != "$ref"}}


def _alternatives(schema: Schema) -> Sequence[Schema]:
    # What stands beside `properties` narrows an object further; it is no union of types.
    return () if "properties" in schema else schema.get("anyOf") or schema.get("oneOf") or ()


def _name(branch: Schema) -> str:
    return str(branch.get("$ref") or branch.get("const") or branch.get("type") or "a form")


def _narrowed(place: str, old: Schema, new: Schema) -> Iterator[str]:
    """Where one value's range became smaller."""
    if "type" in new and "type" in old and not _types(old) <= _types(new):
        yield f"{place}: expected {old['type']} before, {new['type']} now"
    if "enum" in new and not set(old.get("enum") or [old.get("const")]) <= set(new["enum"]):
        yield f"{place}: the values {sorted(set(old.get('enum', [])) - set(new['enum']))} were removed"
    for keyword in _EXACT:
        if keyword in new and old.get(keyword) != new[keyword]:
            yield f"{place}: {keyword} was {old.get(keyword)!r}, is {new[keyword]!r}"
    for keyword in _LOWER_BOUNDS:
        if keyword in new and new[keyword] > old.get(keyword, float("-inf")):
            yield f"{place}: {keyword} rose from {old.get(keyword)} to {new[keyword]}"
    for keyword in _UPPER_BOUNDS:
        if keyword in new and new[keyword] < old.get(keyword, float("inf")):
            yield f"{place}: {keyword} fell from {old.get(keyword)} to {new[keyword]}"


def _types(schema: Schema) -> set[str]:
    found = schema["type"]
    types = {found} if isinstance(found, str) else set(found)
    return types | {"integer"} if "number" in types else types

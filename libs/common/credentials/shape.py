"""The compiled shape: canonicalise the first document of a kind with the library, the others by substitution.

Documents with the same keys, types and numbers in the same places differ only in their texts: they have one
*pattern*. The reference path (`canonical`) is run once for a pattern, with a token for each text. Every other
document then has the same canonical N-Quads with its own texts in place of the tokens, sorted again.

Documents that share fixed parts too, as all badges of an achievement do, have one *shape*: the pattern with the texts
of those parts bound. So the badges of all achievements share their patterns, and each achievement's own are fast.
"""

from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock
from typing import Any, Literal, NamedTuple, cast

import orjson

from libs.common.credentials.canonical import Json, canonical_nquads
from libs.common.credentials.pattern import Form, Pattern, pattern_of

# A token, `urn:x-compiled-shape:<number>`, survives every step unchanged, as a text and as an IRI alike.
_STEM = "urn:x-compiled-shape:"
# Texts under these keys are names that contexts define, not values: they belong to the shape.
_NAMING_KEYS = frozenset({"type", "@type", "@context", "proofPurpose"})
_NODES = frozenset({dict, list})
# Marks in a shape's key; numbers, so that no member's name can be taken for one.
_OBJECT, _ARRAY, _END, _TEXT = range(4)

Key = tuple[Any, ...]


class Canonical(NamedTuple):
    """Canonical N-Quads, and whether a compiled shape made them (or else the library)."""

    text: str
    compiled: bool


class Patterns:
    """The patterns of documents, whatever their texts: to be shared by all `Shapes` of a process, and by threads.

    Remembers up to `limit` patterns; the one longest unused makes room.
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._lock = Lock()
        # False: there is none, only the library can tell
        self._patterns: OrderedDict[Key, Pattern | Literal[False]] = OrderedDict()

    def __len__(self) -> int:
        """How many patterns are remembered."""
        return len(self._patterns)

    def of(self, document: Json) -> Pattern | None:
        """The pattern of `document`, or None where there is none. Raises `NotCanonical`."""
        key: list[Any] = []
        values: list[str] = []
        _take_apart(document, {}, key, values)
        place = tuple(key)
        with self._lock:
            known = self._patterns.pop(place, None)
            if known is None:
                known = _pattern(document, {}, len(values)) or False
            self._patterns[_slim(place)] = known
            if len(self._patterns) > self._limit:
                self._patterns.popitem(last=False)
        return known or None


class Shapes:
    """The compiled shapes of documents that share `fixed` parts, which are told by identity, not by value.

    Remembers up to `limit` shapes; the one longest unused makes room. A fixed part must never be changed.
    `patterns` are best shared with others. Not to be shared by threads.
    """

    def __init__(self, *fixed: object, patterns: Patterns | None = None, limit: int = 256) -> None:
        self._limit = limit
        self._patterns = Patterns(limit) if patterns is None else patterns
        self._fixed = {id(part): part for part in fixed}
        # False: a shape that cannot be compiled
        self._shapes: OrderedDict[Key, Form | Literal[False]] = OrderedDict()
        self._latest: Form | Literal[False] | None = None

    def __len__(self) -> int:
        """How many shapes are remembered."""
        return len(self._shapes)

    def canonical(self, document: Json) -> Canonical:
        """The canonical N-Quads of `document`. Raises `NotCanonical` as `canonical_nquads` does."""
        key: list[Any] = []
        values: list[str] = []
        _take_apart(document, self._fixed, key, values)
        text = None
        shape = self._shape(tuple(key), document, len(values))
        if shape:
            text = shape.canonical(values)
        return Canonical(canonical_nquads(document), False) if text is None else Canonical(text, True)

    def _shape(self, key: Key, document: Json, count: int) -> Form | Literal[False]:
        known = self._shapes.get(key)
        if known is not None:
            if known is not self._latest:  # most badges have the shape of the one before
                self._shapes.move_to_end(key)
                self._latest = known
            return known
        shape = self._compiled(document, count)
        self._shapes[_slim(key)] = self._latest = shape
        if len(self._shapes) > self._limit:
            self._shapes.popitem(last=False)
        return shape

    def _compiled(self, document: Json, count: int) -> Form | Literal[False]:
        """The shape of `document`: by the pattern that it shares with others, else by its own."""
        pattern = self._patterns.of(document)
        if pattern is not None:
            pattern = pattern.bound(list(_bound_texts(document, self._fixed, bound=False)))
        if pattern is None:
            pattern = _pattern(document, self._fixed, count)
        return False if pattern is None else Form(pattern)


def _slim(key: Key) -> Key:
    """The same key, to be kept: orjson's bytes hold on to kilobytes that they do not fill."""
    return tuple(bytes(memoryview(part)) if type(part) is bytes else part for part in key)


def _pattern(document: Json, fixed: dict[int, object], count: int) -> Pattern | None:
    """The pattern of `document` with its `fixed` parts as they are; `count` is the number of its other texts."""
    stem = _STEM
    while stem.encode() in orjson.dumps(document):
        stem += "x:"  # somebody's text: no token may be mistaken for it
    tokens = iter([f"{stem}{number}" for number in range(count)])
    return pattern_of(canonical_nquads(_with_tokens(document, fixed, tokens)), stem, count)


def _take_apart(node: Any, fixed: dict[int, object], key: list[Any], values: list[str]) -> None:
    """Split `node`, an object or array, into what its shape is (appended to `key`) and its texts (to `values`).

    In a key a name without anything before the next name, or the end, stands for a text. Each badge goes through
    here: this is written for speed.
    """
    if type(node) is dict:
        members = cast(Json, node)
        key.append(_OBJECT)
        for name, value in members.items():
            key.append(name)
            if name in _NAMING_KEYS:
                key.append(id(value) if id(value) in fixed else orjson.dumps(value))
            elif type(value) is str:
                values.append(value)
            elif id(value) in fixed:
                key.append(id(value))
            elif type(value) in _NODES:
                _take_apart(value, fixed, key, values)
            else:
                key.append(orjson.dumps(value))  # as text: True, 1 and 1.0 are equal as keys
    else:
        entries = cast(list[Any], node)
        key.append(_ARRAY)
        for value in entries:
            if type(value) is str:
                key.append(_TEXT)
                values.append(value)
            elif type(value) in _NODES:
                _take_apart(value, fixed, key, values)
            else:
                key.append(orjson.dumps(value))
    key.append(_END)


def _bound_texts(node: Any, fixed: dict[int, object], *, bound: bool) -> Iterator[str | None]:
    """The texts of `node` in the order of `_take_apart`: those within fixed parts (or all, if `bound`) as they are,
    None for each other."""
    if type(node) is str:
        yield node if bound else None
    elif type(node) in _NODES:
        bound = bound or id(node) in fixed
        named = type(node) is dict
        for name, value in cast(Json, node).items() if named else ((None, value) for value in cast(list[Any], node)):
            if name not in _NAMING_KEYS:
                yield from _bound_texts(value, fixed, bound=bound)


def _with_tokens(node: Any, fixed: dict[int, object], tokens: Any) -> Any:
    """`node` with the next of `tokens` for each of its texts, in the order of `_take_apart`."""
    if id(node) in fixed:
        return node
    if type(node) is str:
        return next(tokens)
    if type(node) is dict:
        members = cast(Json, node)
        return {
            name: value if name in _NAMING_KEYS else _with_tokens(value, fixed, tokens)
            for name, value in members.items()
        }
    if type(node) is list:
        return [_with_tokens(value, fixed, tokens) for value in cast(list[Any], node)]
    return node

"""The compiled shape: canonicalise the first document of a kind with the library, the others by substitution.

Documents with the same keys, types and numbers in the same places, and with the same fixed parts, differ only in
their texts: they have one *shape*. The reference path (`canonical`) is run once for a shape, with a token for each
text. Every other document of the shape then has the same canonical N-Quads with its own texts in place of the
tokens, sorted again. Labels of blank nodes depend on the texts as well; they are issued as RDFC-1.0 says, by
first-degree hash. Where that does not suffice (equal hashes, statements about one blank node that coincide, a text
that is no absolute IRI where one is due) the reference path is asked instead: the same result, only slower.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Literal, NamedTuple, cast

import orjson

from libs.common.credentials import nquads
from libs.common.credentials.allowed import are_absolute_iris
from libs.common.credentials.canonical import Json, canonical_nquads
from libs.common.credentials.nquads import Quad, escape_all

# A token, `urn:x-compiled-shape:<number>`, survives every step unchanged, as a text and as an IRI alike.
_STEM = "urn:x-compiled-shape:"
# Texts under these keys are names that contexts define, not values: they belong to the shape.
_NAMING_KEYS = frozenset({"type", "@type", "@context", "proofPurpose"})
_NODES = frozenset({dict, list})
# Marks in a shape's key; numbers, so that no member's name can be taken for one.
_OBJECT, _ARRAY, _END, _TEXT = range(4)

Render = Callable[[Sequence[str]], list[str]]


class Canonical(NamedTuple):
    """Canonical N-Quads, and whether a compiled shape made them (or else the library)."""

    text: str
    compiled: bool


class Shapes:
    """The compiled shapes of documents that share `fixed` parts, which are told by identity, not by value.

    Remembers up to `limit` shapes; the one longest unused makes room. A fixed part must never be changed.
    Not to be shared by threads.
    """

    def __init__(self, *fixed: object, limit: int = 256) -> None:
        self._limit = limit
        self._fixed = {id(part): part for part in fixed}
        # False: a shape that cannot be compiled
        self._shapes: OrderedDict[tuple[Any, ...], _Shape | Literal[False]] = OrderedDict()
        self._latest: _Shape | Literal[False] | None = None

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

    def _shape(self, key: tuple[Any, ...], document: Json, count: int) -> "_Shape | Literal[False]":
        known = self._shapes.get(key)
        if known is not None:
            if known is not self._latest:  # most badges have the shape of the one before
                self._shapes.move_to_end(key)
                self._latest = known
            return known
        stem = _STEM
        while stem.encode() in orjson.dumps(document):
            stem += "x:"  # somebody's text: no token may be mistaken for it
        tokens = iter([f"{stem}{number}" for number in range(count)])
        shape = _compile(canonical_nquads(_with_tokens(document, self._fixed, tokens)), stem, count) or False
        self._shapes[key] = self._latest = shape
        if len(self._shapes) > self._limit:
            self._shapes.popitem(last=False)
        return shape


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


class _Shape:
    """One compiled shape: lines that stay, lines to fill in, and how blank nodes get their labels."""

    def __init__(self, quads: list[Quad], count: int, slots: "dict[str, _Slot]") -> None:
        self._iri_slots = sorted({slot.number for slot in slots.values() if slot.before == "<"})
        mentions = nquads.blank_nodes(quads)
        self._hashes = [_hasher(node, quads, slots) for node, quads in mentions.items()]
        # With one blank node, or with none that a text bears on, the labels stay as they are.
        if len(mentions) < 2 or all(isinstance(given, str) for given in self._hashes):
            self._hashes = []
        else:
            slots = slots | {node: _Slot("", count + number, "") for number, node in enumerate(mentions)}
        self._constant, self._render = _lines(quads, slots)

    def canonical(self, values: list[str]) -> str | None:
        """The canonical N-Quads with `values` filled in; None where only the library can tell."""
        if not are_absolute_iris([values[slot] for slot in self._iri_slots]):
            return None
        filled = escape_all(values)
        if self._hashes:
            hashes = [given if isinstance(given, str) else given(filled) for given in self._hashes]
            if None in hashes or len(set(hashes)) != len(hashes):
                return None
            order = sorted(cast(list[str], hashes))
            # RDFC-1.0, section 4.4.3, step 4: labels are issued in the order of the hashes.
            filled += [f"_:c14n{order.index(given)}" for given in hashes]  # pyright: ignore[reportArgumentType]
        lines = self._constant + self._render(filled)
        different = set(lines)
        if len(different) != len(lines):
            lines = list(different)  # a dataset is a set: what is said twice is said once
        lines.sort()
        lines.append("")
        return "\n".join(lines)


class _Slot(NamedTuple):
    """A term of a line that is filled in: text before, number of the value, text after."""

    before: str
    number: int
    after: str


def _lines(quads: list[Quad], slots: dict[str, _Slot]) -> tuple[list[str], Render]:
    """The lines of `quads` that stay as they are, and a function from values to the others filled in."""
    constant: list[str] = []
    pieces: list[str] = [""]  # what stands before, between and after the values
    numbers: list[int] = []
    for quad in quads:
        terms = [slots.get(term, term) for term in quad if term is not None]
        if all(isinstance(term, str) for term in terms):
            constant.append(nquads.write(quad))
            continue
        pieces[-1] += "\n" if numbers else ""
        for term in terms:
            if isinstance(term, str):
                pieces[-1] += f"{term} "
            else:
                pieces[-1] += term.before
                pieces.append(f"{term.after} ")
                numbers.append(term.number)
        pieces[-1] += "."
    return constant, _renderer(pieces, numbers)


def _renderer(pieces: list[str], numbers: list[int]) -> Render:
    """The function that puts the values of these `numbers` between `pieces`, and gives the lines."""
    if not numbers:
        return lambda _: []
    frame = [piece for pair in zip(pieces, [""] * len(pieces), strict=True) for piece in pair][:-1]
    pick = itemgetter(*numbers)

    def render(values: Sequence[str]) -> list[str]:
        filled = frame.copy()
        filled[1::2] = pick(values) if len(numbers) > 1 else (pick(values),)
        # One string for all lines: no value that is filled in has a line feed, `escape` writes it as \\n.
        return "".join(filled).split("\n")

    return render


def _hasher(node: str, mentioning: list[Quad], slots: dict[str, _Slot]) -> str | Callable[[Sequence[str]], str | None]:
    """The first-degree hash of `node`, or a function from values to it if it depends on them.

    The function gives None for values with which statements coincide that are different ones in the shape.
    """
    seen = [nquads.seen_from(node, quad) for quad in mentioning]
    constant, render = _lines(seen, slots)
    if len(constant) == len(mentioning):
        return nquads.hash_lines(constant)
    different = len(set(seen))

    def hashed(values: Sequence[str]) -> str | None:
        lines = constant + render(values)
        return nquads.hash_lines(lines) if len(set(lines)) == different else None

    return hashed


def _compile(canonical_text: str, stem: str, count: int) -> _Shape | None:
    """The shape whose canonical form, with a token of `stem` for each of its texts, is `canonical_text`.

    None if it cannot be compiled: blank nodes are told apart only by their neighbours, or not every one of the
    `count` tokens is where one was expected.
    """
    quads = nquads.parse(canonical_text)
    hashes = nquads.first_degree_hashes(quads)
    if len(set(hashes.values())) != len(hashes):
        return None
    is_token = re.compile(rf'(<|"){stem}(\d+)(?:>|")(.*)', re.DOTALL)
    terms = {term for quad in quads for term in quad if term is not None}
    slots = {
        term: _Slot(found[1], int(found[2]), (">" if found[1] == "<" else '"') + found[3])
        for term in terms
        if (found := is_token.fullmatch(term)) is not None
    }
    if {slot.number for slot in slots.values()} != set(range(count)):
        return None
    return _Shape(quads, count, slots)

"""The compiled shape: canonicalise the first document of a kind with the library, the others by substitution.

Documents with the same keys, types and numbers in the same places, and with the same fixed parts, differ only in
their texts: they have one *shape*. The reference path (`canonical`) is run once for a shape, with a token for each
text. Every other document of the shape then has the same canonical N-Quads with its own texts in place of the
tokens, sorted again. Labels of blank nodes depend on the texts as well; they are issued as RDFC-1.0 says, by
first-degree hash. Where that does not suffice (equal hashes, statements that coincide, a text that is no absolute
IRI where one is due) the reference path is asked instead: the result is the same, only slower.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from libs.common.credentials import nquads
from libs.common.credentials.canonical import Json, canonical_nquads
from libs.common.credentials.model import is_absolute_iri
from libs.common.credentials.nquads import Quad

# A token survives every step unchanged, as a text and as an IRI alike.
_TOKEN = "urn:x-compiled-shape:{}:"  # noqa: S105
_IS_TOKEN = re.compile(r'(<|")urn:x-compiled-shape:(\d+):(?:>|")(.*)', re.DOTALL)
# Texts under these keys are names that contexts define, not values: they belong to the shape.
_NAMING_KEYS = frozenset({"type", "@type", "@context", "proofPurpose"})
_MAX_SHAPES = 256
# Marks in a shape's key; numbers, so that no member's name can be taken for one.
_OBJECT, _ARRAY, _END, _TEXT = range(4)

Render = Callable[[Sequence[str]], list[str]]


class Canonical(NamedTuple):
    """Canonical N-Quads, and whether a compiled shape made them (or else the library)."""

    text: str
    compiled: bool


class Shapes:
    """The compiled shapes of documents that share `fixed` parts, which are told by identity, not by value.

    Remembers up to 256 shapes; the one longest unused makes room. A fixed part must never be changed.
    """

    def __init__(self, *fixed: object) -> None:
        self._fixed = {id(part): part for part in fixed}
        self._shapes: OrderedDict[tuple[Any, ...], _Shape | None] = OrderedDict()

    def canonical(self, document: Json) -> Canonical:
        """The canonical N-Quads of `document`. Raises `NotCanonical` as `canonical_nquads` does."""
        key: list[Any] = []
        values: list[str] = []
        _take_apart(document, self._fixed, key, values)
        text = None
        shape = self._shape(tuple(key), document, len(values))
        if shape is not None:
            text = shape.canonical(values)
        return Canonical(canonical_nquads(document), False) if text is None else Canonical(text, True)

    def _shape(self, key: tuple[Any, ...], document: Json, count: int) -> "_Shape | None":
        if key in self._shapes:
            self._shapes.move_to_end(key)
            return self._shapes[key]
        tokens = iter([_TOKEN.format(number) for number in range(count)])
        shape = _compile(canonical_nquads(_with_tokens(document, self._fixed, tokens)), count)
        self._shapes[key] = shape
        if len(self._shapes) > _MAX_SHAPES:
            self._shapes.popitem(last=False)
        return shape


def _take_apart(node: Any, fixed: dict[int, object], key: list[Any], values: list[str]) -> None:
    """Split `node` into what its shape is (appended to `key`) and its texts (appended to `values`)."""
    if type(node) is str:
        key.append(_TEXT)
        values.append(node)
    elif type(node) is dict:
        key.append(_OBJECT)
        for name, value in cast(Json, node).items():
            key.append(name)
            if type(value) is str and name not in _NAMING_KEYS:
                values.append(value)
            elif id(value) in fixed:
                key.append(id(value))
            elif name in _NAMING_KEYS:
                key.append((repr(value),))
            else:
                _take_apart(value, fixed, key, values)
        key.append(_END)
    elif type(node) is list:
        key.append(_ARRAY)
        for value in cast(list[Any], node):
            _take_apart(value, fixed, key, values)
        key.append(_END)
    else:
        key.append((repr(node),))  # as text: True, 1 and 1.0 are equal as keys


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

    def __init__(self, quads: list[Quad], count: int, iri_slots: frozenset[int]) -> None:
        self._count = count
        self._iri_slots = sorted(iri_slots)
        mentions = nquads.blank_nodes(quads)
        self._nodes = list(mentions)
        # With one blank node, or none, the label is the same whatever the texts are.
        labels = self._nodes if len(self._nodes) > 1 else []
        index = {node: count + number for number, node in enumerate(labels)}
        parts = [[_template(term, index) for term in quad if term is not None] for quad in quads]
        self._constant = [nquads.write(quad) for quad, terms in zip(quads, parts, strict=True) if not _varies(terms)]
        self._render = _renderer([terms for terms in parts if _varies(terms)])
        self._hashes = [_hasher(node, mentions[node]) for node in labels]

    def canonical(self, values: list[str]) -> str | None:
        """The canonical N-Quads with `values` filled in; None where only the library can tell."""
        if not all(is_absolute_iri(values[slot]) for slot in self._iri_slots):
            return None
        filled = [nquads.escape(value) for value in values]
        if self._hashes:
            hashes = [given if isinstance(given, str) else given(filled) for given in self._hashes]
            order = sorted(hashes)
            if len(set(hashes)) != len(hashes):
                return None
            # RDFC-1.0, section 4.4.3, step 4: labels are issued in the order of the hashes.
            filled.extend(f"_:c14n{order.index(given)}" for given in hashes)
        lines = self._constant + self._render(filled)
        if len(set(lines)) != len(lines):
            return None
        lines.sort()
        lines.append("")
        return "\n".join(lines)


class _Slot(NamedTuple):
    """A term of a line that is filled in: text before, number of the value, text after."""

    before: str
    number: int
    after: str


def _template(term: str, labels: dict[str, int]) -> str | _Slot:
    if term in labels:
        return _Slot("", labels[term], "")
    found = _IS_TOKEN.fullmatch(term)
    if found is None:
        return term
    closing = ">" if found[1] == "<" else '"'
    return _Slot(found[1], int(found[2]), closing + found[3])


def _varies(terms: list[str | _Slot]) -> bool:
    return any(isinstance(term, _Slot) for term in terms)


def _renderer(lines: list[list[str | _Slot]]) -> Render:
    """A function from values to `lines` filled in: one formatting operation for all of them."""
    slots = [term.number for terms in lines for term in terms if isinstance(term, _Slot)]
    if not slots:
        return lambda _: []
    form = "\n".join(" ".join(_form(term) for term in terms) + " ." for terms in lines)
    if len(slots) == 1:
        only = slots[0]
        return lambda values: [form % (values[only],)]
    pick = itemgetter(*slots)
    # A filled in value has no line feed of its own: `escape` writes it as \n.
    return lambda values: (form % pick(values)).split("\n")


def _form(term: str | _Slot) -> str:
    if isinstance(term, str):
        return term.replace("%", "%%")
    return f"{term.before.replace('%', '%%')}%s{term.after.replace('%', '%%')}"


def _hasher(node: str, mentioning: list[Quad]) -> str | Callable[[Sequence[str]], str]:
    """The first-degree hash of `node`, or a function from values to it if it depends on them."""
    seen = [nquads.seen_from(node, quad) for quad in mentioning]
    parts = [[_template(term, {}) for term in quad if term is not None] for quad in seen]
    constant = [nquads.write(quad) for quad, terms in zip(seen, parts, strict=True) if not _varies(terms)]
    varying = [terms for terms in parts if _varies(terms)]
    if not varying:
        return nquads.hash_lines(constant)
    render = _renderer(varying)
    return lambda values: nquads.hash_lines(constant + render(values))


def _compile(canonical_text: str, count: int) -> _Shape | None:
    """The shape whose canonical form, with tokens for its `count` texts, is `canonical_text`.

    None if it cannot be compiled: its fixed blank nodes are told apart only by their neighbours, or not every
    token is where one was expected (a fixed part holds a text that looks like one).
    """
    quads = nquads.parse(canonical_text)
    hashes = nquads.first_degree_hashes(quads)
    if len(set(hashes.values())) != len(hashes):
        return None
    found = [match for quad in quads for term in quad if term and (match := _IS_TOKEN.fullmatch(term))]
    if {int(match[2]) for match in found} != set(range(count)):
        return None
    if canonical_text.count(_TOKEN.split("{", 1)[0]) != len(found):
        return None
    return _Shape(quads, count, frozenset(int(match[2]) for match in found if match[1] == "<"))

"""What is the same in the canonical forms of documents that differ in their texts alone, and how to fill it in.

A *pattern* is the canonical form of a document with a token in place of each text. Some of its texts may be bound
(an achievement's, for all its badges); a *form* is a pattern made ready to be filled in with the others, fast.

Labels of blank nodes depend on the texts as well; they are issued as RDFC-1.0 says, by first-degree hash. Where that
does not suffice (equal hashes, statements about one blank node that coincide, a text that is no absolute IRI where
one is due) there is no pattern, or no answer, and the reference path has to be asked.
"""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple, cast

from libs.common.credentials import nquads
from libs.common.credentials.allowed import are_absolute_iris
from libs.common.credentials.nquads import Quad, escape, escape_all

Render = Callable[[Sequence[str]], list[str]]


class Slot(NamedTuple):
    """A term of a line that is filled in: text before, number of the text, text after."""

    before: str
    number: int
    after: str


class Pattern(NamedTuple):
    """Canonical quads with tokens that begin with `stem`; `slots` says by term which of the `texts` texts it is."""

    quads: tuple[Quad, ...]
    slots: dict[str, Slot]
    stem: str
    texts: int

    def bound(self, texts: Sequence[str | None]) -> "Pattern | None":
        """The pattern with these texts in the place of their tokens; each None leaves one open, numbered anew.

        None where only the library can tell what the canonical form would be.
        """
        given = [text for text in texts if text is not None]
        if any(self.stem in text for text in given) or not are_absolute_iris(self._iris_of(texts)):
            return None
        numbers = iter(range(len(texts)))
        places = [next(numbers) if text is None else -1 for text in texts]
        terms: dict[str, str] = {}
        slots: dict[str, Slot] = {}
        for token, slot in self.slots.items():
            text = texts[slot.number]
            if text is None:
                slots[token] = Slot(slot.before, places[slot.number], slot.after)
            else:
                terms[token] = f"{slot.before}{escape(text)}{slot.after}"
        # A dataset is a set: what is said twice is said once.
        quads = dict.fromkeys(_replaced(quad, terms) for quad in self.quads)
        hashes = nquads.first_degree_hashes(quads)
        order = sorted(hashes.values())
        if len(set(order)) != len(order):
            return None
        # RDFC-1.0, section 4.4.3, step 4: labels are issued in the order of the hashes.
        labels = {node: f"_:c14n{order.index(found)}" for node, found in hashes.items()}
        named = tuple(_replaced(quad, labels) for quad in quads)
        return Pattern(named, slots, self.stem, len(texts) - len(given))

    def _iris_of(self, texts: Sequence[str | None]) -> list[str]:
        numbers = {slot.number for slot in self.slots.values() if slot.before == "<"}
        return [text for number in sorted(numbers) if (text := texts[number]) is not None]


def pattern_of(canonical_text: str, stem: str, count: int) -> Pattern | None:
    """The pattern whose canonical form, with a token of `stem` for each of its texts, is `canonical_text`.

    None if there is none: blank nodes are told apart only by their neighbours, or not every one of the `count`
    tokens is where one was expected.
    """
    quads = tuple(nquads.parse(canonical_text))
    hashes = nquads.first_degree_hashes(quads)
    if len(set(hashes.values())) != len(hashes):
        return None
    is_token = re.compile(rf'(<|"){stem}(\d+)(?:>|")(.*)', re.DOTALL)
    terms = {term for quad in quads for term in quad if term is not None}
    slots = {
        term: Slot(found[1], int(found[2]), (">" if found[1] == "<" else '"') + found[3])
        for term in terms
        if (found := is_token.fullmatch(term)) is not None
    }
    if {slot.number for slot in slots.values()} != set(range(count)):
        return None
    return Pattern(quads, slots, stem, count)


def _replaced(quad: Quad, terms: dict[str, str]) -> Quad:
    return Quad(*(term and terms.get(term, term) for term in quad))  # pyright: ignore[reportArgumentType]


class Form:
    """A pattern ready to use: lines that stay, lines to fill in, and how blank nodes get their labels."""

    def __init__(self, pattern: Pattern) -> None:
        quads, slots = pattern.quads, pattern.slots
        self._iri_slots = sorted({slot.number for slot in slots.values() if slot.before == "<"})
        mentions = nquads.blank_nodes(quads)
        self._hashes = [_hasher(node, quads, slots) for node, quads in mentions.items()]
        # With one blank node, or with none that a text bears on, the labels stay as they are.
        if len(mentions) < 2 or all(isinstance(given, str) for given in self._hashes):
            self._hashes = []
        else:
            slots = slots | {node: Slot("", pattern.texts + number, "") for number, node in enumerate(mentions)}
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
            # RDFC-1.0, section 4.4.3, step 4.
            filled += [f"_:c14n{order.index(given)}" for given in hashes]  # pyright: ignore[reportArgumentType]
        lines = self._constant + self._render(filled)
        different = set(lines)
        if len(different) != len(lines):
            lines = list(different)  # a dataset is a set: what is said twice is said once
        lines.sort()
        lines.append("")
        return "\n".join(lines)


def _lines(quads: Sequence[Quad], slots: dict[str, Slot]) -> tuple[list[str], Render]:
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


def _hasher(
    node: str, mentioning: Sequence[Quad], slots: dict[str, Slot]
) -> str | Callable[[Sequence[str]], str | None]:
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

"""N-Quads text in canonical form (RDF 1.1 N-Quads; RDFC-1.0, section 5), and first-degree hashes."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# RDFC-1.0, section 5: some characters have an escape of their own; the other controls and what XML 1.1 does not
# count as a character are written by their number.
_ESCAPES = {chr(code): f"\\u{code:04X}" for code in (*range(0x20), 0x7F, 0xFFFE, 0xFFFF)} | {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}
_SPECIAL = re.compile(r'[\x00-\x1f\x7f\ufffe\uffff"\\]')
_NODE = r"<[^>]*>|_:[^ ]+"
_LINE = re.compile(rf'({_NODE}) (<[^>]*>) ({_NODE}|"(?:[^"\\]|\\.)*"(?:@[A-Za-z0-9-]+|\^\^<[^>]*>)?)(?: ({_NODE}))? \.')


class Quad(NamedTuple):
    """The terms of one line as written; `graph` is None in the default graph."""

    subject: str
    predicate: str
    object: str
    graph: str | None


def escape(text: str) -> str:
    """`text` as it stands between the quotes of a canonical literal."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text)


def escape_all(texts: list[str]) -> list[str]:
    """A new list of `texts`, each as `escape` gives it."""
    together = "".join(texts)
    # All that has an escape, except these two, is not printable; most badges have nothing of it.
    if together.isprintable() and '"' not in together and "\\" not in together:
        return texts.copy()
    return [escape(text) for text in texts]


def parse(text: str) -> list[Quad]:
    """The quads of N-Quads `text` without comments, in order. Raises `ValueError` on a line that is none."""
    quads: list[Quad] = []
    # Not splitlines: a literal may hold U+0085 or U+2028, which end no line here.
    for line in text.split("\n"):
        if not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"expected an N-Quads statement, found {line[:200]!r}")
        quads.append(Quad(found[1], found[2], found[3], found[4]))
    return quads


def is_blank(term: str | None) -> bool:
    """Whether `term` is a blank node."""
    return term is not None and term.startswith("_:")


def write(quad: Sequence[str | None]) -> str:
    """One line, without its end of line."""
    return " ".join(term for term in quad if term is not None) + " ."


def blank_nodes(quads: Iterable[Quad]) -> dict[str, list[Quad]]:
    """Each blank node with the quads that mention it (RDFC-1.0, section 4.4.3, step 2)."""
    mentions: dict[str, list[Quad]] = {}
    for quad in quads:
        for term in {quad.subject, quad.object, quad.graph}:
            if term is not None and is_blank(term):
                mentions.setdefault(term, []).append(quad)
    return mentions


def alike_blank_nodes(quads: Sequence[Quad]) -> tuple[int, int]:
    """How much work the blank nodes of `quads` make for RDFC-1.0, as two counts.

    First those that first-degree hashes leave undecided and that have blank neighbours: for each of them the graph
    is searched (RDFC-1.0, section 4.8). Second those that have to be tried in every order, since they cannot be
    told apart from some other node either (step 5.4): with these the work grows faster than any power.
    """
    hashes = first_degree_hashes(quads)
    counts = Counter(hashes.values())
    neighbours: dict[str, dict[tuple[str, str, str], set[str]]] = {}
    for quad in quads:
        for node in (quad.subject, quad.object, quad.graph):
            if node is None or not is_blank(node) or counts[hashes[node]] == 1:
                continue
            for position, other in (("s", quad.subject), ("o", quad.object), ("g", quad.graph)):
                if other is not None and other != node and is_blank(other):
                    group = neighbours.setdefault(node, {}).setdefault((position, quad.predicate, hashes[other]), set())
                    group.add(other)
    groups = [group for found in neighbours.values() for group in found.values() if len(group) > 1]
    return len(neighbours), len(set[str]().union(*groups))


def seen_from(node: str, quad: Quad) -> Quad:
    """`quad` with `node` written `_:a` and every other blank node `_:z` (RDFC-1.0, section 4.6.3, step 3)."""

    def seen(term: str) -> str:
        return "_:a" if term == node else "_:z" if is_blank(term) else term

    graph = None if quad.graph is None else seen(quad.graph)
    return Quad(seen(quad.subject), quad.predicate, seen(quad.object), graph)


def hash_lines(lines: Iterable[str]) -> str:
    """The hex SHA-256 of `lines` in code point order, each ended (RDFC-1.0, section 4.6.3, steps 4 and 5)."""
    return hashlib.sha256("\n".join([*sorted(lines), ""]).encode()).hexdigest()


def first_degree_hashes(quads: Iterable[Quad]) -> dict[str, str]:
    """The first-degree hash of each blank node of `quads` (RDFC-1.0, section 4.6)."""
    return {
        node: hash_lines(write(seen_from(node, quad)) for quad in mentioning)
        for node, mentioning in blank_nodes(quads).items()
    }

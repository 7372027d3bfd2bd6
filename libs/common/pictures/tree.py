"""How large a picture becomes once everything that it refers to is drawn where it is referred to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from libs.common.pictures.refusal import NotTaken
from libs.common.pictures.styles import clean_declarations, references_in
from libs.common.pictures.vocabulary import GRADIENTS

MOST_DRAWN = 20_000
DEEPEST_DRAWN = 64


@dataclass(slots=True)
class Node:
    """An element with its attributes; `children` are elements and texts, in order."""

    name: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list["Node | str"])


def require_small(root: Node, sheet_references: Sequence[str]) -> None:
    """Raise `NotTaken` where references lead in a circle, or make many elements of few (as `use` of `use` does).

    `sheet_references` are the ids that style sheets name: gradients, since a rule may meet any element.
    """
    ids: dict[str, Node] = {}
    for node in _elements(root):
        name = node.attributes.get("id")
        if name is not None and ids.setdefault(name, node) is not node:
            raise NotTaken(f"expected each id once, found {name!r} twice")
    for name in sheet_references:
        if name in ids and ids[name].name not in GRADIENTS:
            raise NotTaken(f"expected url(#id) of a gradient in <style>, found <{ids[name].name}>")
    _Measure(ids).of(root, 1)


def _elements(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in node.children if isinstance(child, Node)]


@dataclass
class _Measure:
    """Counts what is drawn below a node, each node looked at once; None while it is being looked at."""

    ids: dict[str, Node]
    _known: dict[int, tuple[int, int] | None] = field(default_factory=dict[int, "tuple[int, int] | None"])

    def of(self, node: Node, depth: int) -> tuple[int, int]:
        """How many elements are drawn for `node`, and how deep they lie; `depth` is its own."""
        place = id(node)
        found = self._known.get(place)
        if found is not None:
            return found
        if place in self._known:
            raise NotTaken(f"expected no circle of references, found one through <{node.name}>")
        self._known[place] = None
        count, deepest = 1, 0
        if depth > DEEPEST_DRAWN:
            raise NotTaken(f"expected elements and references at most {DEEPEST_DRAWN} deep, found more")
        for inner in self._drawn_with(node):
            inner_count, inner_depth = self.of(inner, depth + 1)
            count, deepest = count + inner_count, max(deepest, inner_depth)
        if count > MOST_DRAWN or deepest >= DEEPEST_DRAWN:
            raise NotTaken(f"expected at most {MOST_DRAWN} elements once all references are drawn, found more")
        self._known[place] = (count, deepest + 1)
        return count, deepest + 1

    def _drawn_with(self, node: Node) -> Iterator[Node]:
        for child in node.children:
            if isinstance(child, Node):
                yield child
        for name in _references(node):
            if name in self.ids:
                yield self.ids[name]


def _references(node: Node) -> Iterator[str]:
    for name, value in node.attributes.items():
        if name == "href":
            yield value[1:]
        elif name == "style":
            yield from clean_declarations(value, name)[1]
        elif name not in ("id", "class"):
            yield from references_in(value, name)

"""An SVG picture of a stranger, written anew from the elements and attributes that we know.

What runs, loads, links or grows is refused, so that nobody wonders where a part of their picture went; what only
serves a drawing tool (its own namespaces, metadata, comments) is left out. Nothing of the file is passed on as it was
written: what is answered was written here, in one form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, NoReturn
from xml.parsers import expat

from libs.common.pictures.refusal import NotTaken, shown
from libs.common.pictures.styles import clean_declarations, clean_sheet, references_in
from libs.common.pictures.tree import Node, require_small
from libs.common.pictures.vocabulary import (
    ATTRIBUTES,
    CLASSES,
    ELEMENTS,
    NAME,
    REFERRING,
    SPEAKING,
    SVG,
    UNSEEN,
    XHTML,
    XLINK,
)

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

DEEPEST = 32
MOST_NODES = 5_000
FARTHEST = 10_000.0
_DOCTYPE = "-//W3C//DTD SVG "


def clean_svg(content: bytes) -> str:
    """The picture as SVG text with a square view box, which begins with `<svg xmlns="…" viewBox="…" role="img">`.

    Raises `NotTaken`, which says what was expected and what was found.
    """
    reader = _Reader()
    root = reader.read(content)
    root.attributes = {"viewBox": _square(root.attributes.get("viewBox"))}
    require_small(root, reader.sheet_references)
    view_box = root.attributes["viewBox"]
    inner = "".join(_written(child) for child in root.children)
    return f'<svg xmlns="{SVG}" viewBox="{view_box}" role="img">{inner}</svg>'


def _written(node: Node | str) -> str:
    if isinstance(node, str):
        return escape(node, quote=False)
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in node.attributes.items())
    inner = "".join(_written(child) for child in node.children)
    return f"<{node.name}{attributes}>{inner}</{node.name}>" if inner else f"<{node.name}{attributes}/>"


def _square(view_box: str | None) -> str:
    """The view box, made square around its middle."""
    if view_box is None:
        raise NotTaken('expected viewBox="x y width height" on <svg>, found none')
    try:
        x, y, width, height = (float(part) for part in view_box.replace(",", " ").split())
    except ValueError:
        raise NotTaken(f"expected four numbers in viewBox, found {shown(view_box)!r}") from None
    if not all(math.isfinite(number) and abs(number) <= FARTHEST for number in (x, y, width, height)):
        raise NotTaken(f"expected a viewBox within {FARTHEST:.0f} units, found {shown(view_box)!r}")
    if width < 1 or height < 1:
        raise NotTaken(f"expected a viewBox of at least 1 by 1, found {shown(view_box)!r}")
    side = max(width, height)
    return " ".join(f"{number:.10g}" for number in (x - (side - width) / 2, y - (side - height) / 2, side, side))


@dataclass
class _Reader:
    """Reads one file into nodes; what is not on the lists stops it."""

    root: Node | None = None
    sheet_references: list[str] = field(default_factory=list[str])
    _open: list[Node] = field(default_factory=list[Node])
    _unseen: int = 0
    _nodes: int = 0
    _text: list[str] = field(default_factory=list[str])
    _parser: XMLParserType = field(default_factory=lambda: expat.ParserCreate(namespace_separator=" "))

    def read(self, content: bytes) -> Node:
        """The root of the picture."""
        parser = self._parser
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._on_doctype
        parser.EntityDeclHandler = self._on_entity
        parser.SkippedEntityHandler = self._on_skipped_entity
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = self._on_text
        try:
            parser.Parse(content, True)
        except expat.ExpatError as fault:
            raise NotTaken(f"expected whole XML, found: {fault}") from None
        except (ValueError, LookupError) as fault:
            if isinstance(fault, NotTaken):
                raise
            raise NotTaken(f"expected XML in UTF-8, found: {shown(str(fault))}") from None  # an unknown encoding
        assert self.root is not None, "XML has a root"
        return self.root

    def _refuse(self, expected: str, found: str) -> NoReturn:
        raise NotTaken(f"expected {expected}, found {found} at line {self._parser.CurrentLineNumber}")

    def _on_doctype(self, name: str, system: str | None, public: str | None, declares: int) -> None:
        # The old document type of SVG says nothing; what is declared within it could say anything.
        if declares or name != "svg" or (public or _DOCTYPE)[: len(_DOCTYPE)] != _DOCTYPE or (system and not public):
            self._refuse("no document type of its own", f"<!DOCTYPE {shown(name)}>")

    def _on_entity(self, name: str, *_: object) -> None:
        self._refuse("no declared entities", f"<!ENTITY {shown(name)}>")

    def _on_skipped_entity(self, name: str, _: object) -> None:
        self._refuse("no entities but XML's own", f"&{shown(name)};")

    def _on_start(self, full_name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._refuse(f"at most {MOST_NODES} elements", "more")
        if len(self._open) + self._unseen >= DEEPEST:
            self._refuse(f"elements at most {DEEPEST} deep", "more")
        namespace, _, name = full_name.rpartition(" ")
        if self._unseen or self._is_unseen(namespace, name):
            self._unseen += 1
            return
        if (self.root is None) != (name == "svg"):
            self._refuse("one <svg>, around all else", f"<{shown(name)}>")
        self._end_text()
        node = Node(name, self._kept(name, attributes))
        if self.root is None:
            self.root = node
        else:
            self._open[-1].children.append(node)
        self._open.append(node)

    def _is_unseen(self, namespace: str, name: str) -> bool:
        if namespace == SVG:
            if name in ELEMENTS:
                return False
            if name in UNSEEN and self.root is not None:
                return True
            self._refuse(f"only {', '.join(sorted(ELEMENTS))}", f"<{shown(name)}>")
        if namespace == XHTML or self.root is None or not namespace:
            self._refuse(f"elements of {SVG}", f"<{shown(name)}> of {shown(namespace) or 'no namespace'}")
        return True

    def _on_end(self, _: str) -> None:
        if self._unseen:
            self._unseen -= 1
            return
        self._end_text()
        node = self._open.pop()
        if node.name == "style":
            sheet, references = clean_sheet("".join(child for child in node.children if isinstance(child, str)))
            node.children = [sheet]
            self.sheet_references += references

    def _on_text(self, text: str) -> None:
        if not self._unseen and self._open and self._open[-1].name in SPEAKING:
            self._text.append(text)

    def _end_text(self) -> None:
        if self._text:
            self._open[-1].children.append("".join(self._text))
            self._text.clear()

    def _kept(self, element: str, attributes: dict[str, str]) -> dict[str, str]:
        """The attributes that we know, and by `references` the ids that they name."""
        kept: dict[str, str] = {}
        for full_name, value in attributes.items():
            namespace, _, name = full_name.rpartition(" ")
            place = f"{name} of <{element}>"
            if name == "href" and namespace in ("", XLINK):
                self._require_local(element, value)
                if element in REFERRING:
                    kept["href"] = value.strip()
            elif namespace:
                continue
            elif name.lower().startswith("on"):
                self._refuse("no event handlers", f"{shown(place)}")
            elif name == "style":
                kept["style"], _ = clean_declarations(value, place)
            elif name == "id" and NAME.fullmatch(value):
                kept["id"] = value
            elif name == "class" and CLASSES.fullmatch(value):
                kept["class"] = value
            elif name in ATTRIBUTES:
                references_in(value, place)
                kept[name] = value
        return kept

    def _require_local(self, element: str, value: str) -> None:
        address = value.strip()
        if not (address.startswith("#") and NAME.fullmatch(address[1:])):
            self._refuse('href="#id", an element of this picture', f"{shown(address)!r} in <{element}>")

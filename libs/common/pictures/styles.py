"""The CSS of a picture: plain rules with known properties, which load nothing and refer to nothing outside."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from libs.common.pictures.refusal import NotTaken, shown
from libs.common.pictures.vocabulary import FUNCTIONS, PROPERTIES

MOST_RULES = 500
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_SELECTOR = re.compile(r"[A-Za-z0-9_.#*> \t\r\n,-]+")
_WORD = string.ascii_letters + string.digits + "_-"
_LOCAL = re.compile(r"""url\(\s*(["']?)#([A-Za-z_][A-Za-z0-9_.-]{0,127})\1\s*\)""", re.IGNORECASE)
# With these, one text can be read as another, or end where it should not.
_SIGNS = re.compile(r"[\\<>{};@\x00-\x08\x0b\x0c\x0e-\x1f]|/\*|\*/")


def references_in(value: str, place: str) -> list[str]:
    """The ids that the value of a property or attribute refers to by `url(#id)`.

    Raises `NotTaken` for a value that refers elsewhere, or calls a function that we do not know. `place` says where it
    stands, for the answer.
    """
    found = _SIGNS.search(value)
    if found is not None:
        raise NotTaken(f"expected a plain value, found {found.group()!r} in {place}")
    if value.count('"') % 2 or value.count("'") % 2:
        raise NotTaken(f"expected quotes in pairs, found {shown(value)!r} in {place}")
    names = list(_functions_in(value))
    for name in names:
        if name not in FUNCTIONS:
            raise NotTaken(f"expected {', '.join(sorted(FUNCTIONS))}, found {shown(name)}() in {place}")
    local = _LOCAL.findall(value)
    if names.count("url") != len(local):
        raise NotTaken(f"expected url(#id), an element of this picture, found {shown(value)!r} in {place}")
    return [name for _, name in local]


def _functions_in(value: str) -> Iterator[str]:
    """The names before parentheses, in lower case."""
    for before in value.split("(")[:-1]:
        stem = before.rstrip()
        yield stem[len(stem.rstrip(_WORD)) :].lower()


def clean_declarations(text: str, place: str) -> tuple[str, list[str]]:
    """`name: value; …` with the properties that we know alone, and the ids that they refer to."""
    kept: list[str] = []
    references: list[str] = []
    for declaration in _COMMENT.sub(" ", text).split(";"):
        name, colon, value = (part.strip() for part in declaration.partition(":"))
        if not colon:
            if name:
                raise NotTaken(f"expected name: value, found {shown(name)!r} in {place}")
            continue
        if name.lower() in PROPERTIES:
            references += references_in(value, place)
            kept.append(f"{name.lower()}:{value}")
        elif "url" in value.lower() or "\\" in value:
            references_in(value, place)  # what we do not know is left out, but not what would have loaded something
    return ";".join(kept), references


def clean_sheet(text: str) -> tuple[str, list[str]]:
    """The rules of a style element, and the ids that they refer to."""
    bare = _COMMENT.sub(" ", text)
    found = re.search(r"@[A-Za-z-]*|\\|<", bare)
    if found is not None:
        raise NotTaken(f"expected plain rules, found {found.group()!r} in <style>")
    rules: list[str] = []
    references: list[str] = []
    position = 0
    for match in _RULE.finditer(bare):
        selector = " ".join(match.group(1).split())
        if bare[position : match.start()].strip() or not _SELECTOR.fullmatch(selector):
            raise NotTaken(f"expected selectors of elements, classes and ids, found {shown(selector)!r} in <style>")
        declarations, named = clean_declarations(match.group(2), "<style>")
        rules.append(f"{selector}{{{declarations}}}")
        references += named
        position = match.end()
        if len(rules) > MOST_RULES:
            raise NotTaken(f"expected at most {MOST_RULES} rules, found more in <style>")
    if bare[position:].strip():
        raise NotTaken(f"expected whole rules, found {shown(bare[position:])!r} in <style>")
    return "".join(rules), references

"""Named queries: SQL lives in `.sql` files, as SQL, each statement under a `-- name: …` line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_NAME = re.compile(r"^--\s*name:\s*(?P<name>\S+)\s*$", re.MULTILINE)
_VALID_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_COMMENT = re.compile(r"--[^\n]*")


def load_queries(path: Path) -> Mapping[str, str]:
    """The statements of the file at `path` by name; a statement ends where the next name begins.

    Comments are kept. Raises `ValueError` when a name is malformed or taken twice, when a statement is empty,
    or when SQL stands before the first name.
    """
    text = path.read_text(encoding="utf-8")
    marks = list(_NAME.finditer(text))
    before = text[: marks[0].start()] if marks else text
    if _COMMENT.sub("", before).strip():
        raise ValueError(f"{path}: expected a `-- name: …` line before the first statement")
    queries: dict[str, str] = {}
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=True):
        name, statement = mark["name"], text[mark.end() : end].strip().rstrip(";")
        if not _VALID_NAME.match(name):
            raise ValueError(f"{path}: expected a lower-case name, found {name!r}")
        if name in queries:
            raise ValueError(f"{path}: the name {name!r} is taken twice")
        if not _COMMENT.sub("", statement).strip():
            raise ValueError(f"{path}: {name!r} has no statement")
        queries[name] = statement
    return MappingProxyType(queries)

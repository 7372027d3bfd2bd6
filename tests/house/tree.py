"""The tree that the house checks walk: which files there are, and what one finding looks like."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("enrollment", "progress", "awarding", "verification")
OWN_CODE = ("services", "libs", "deploy", "benchmarks", "tests")


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the house is not as it should be, and why."""

    path: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.why}"


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file: its path below the root, as posix text, and what it says."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree of the text."""
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """The room of a service that the file belongs to (`services/x/rules/a.py` → `rules`), else ""."""
        parts = self.path.removesuffix(".py").split("/")
        return parts[2] if parts[0] == "services" and len(parts) > 2 else ""


Check = Callable[[Source], Iterator[Finding]]


def sources(*folders: str) -> list[Source]:
    """Every Python file below the folders, in the order of their paths."""
    files = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in files]


def assert_kept(check: Check, *folders: str) -> None:
    """Fail with every finding of `check` below the folders, one a line."""
    lines = [str(finding) for source in sources(*folders) for finding in check(source)]
    assert not lines, "\n".join(["", *lines])


def found(check: Check, text: str, path: str = "services/awarding/rules.py") -> list[str]:
    """What `check` finds in a planted text, as reasons: how a check proves that it catches."""
    return [finding.why for finding in check(Source(path, text))]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def docstrings(tree: ast.Module) -> set[int]:
    """The identities of the constants that are docstrings."""
    found_here: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found_here.add(id(first.value))
    return found_here

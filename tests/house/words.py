"""Names and sizes: one word per idea, small and flat files, every public thing explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.tree import Finding, Source, functions

LONGEST_FILE_LINES = 300
LONGEST_FUNCTION_LINES = 40
# Words that name nothing. As part of a module's or a class's name they hide what it is …
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "manager", "processor", "base", "data", "info", "item", "items"}
# … and alone they are no name for a value or a function either.
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "processor", "base", "data", "info", "item"}
# What a command may be called. A new verb is added here on purpose.
VERBS = {
    "accept", "award", "cancel", "complete", "correct", "describe", "enroll", "erase", "evaluate", "expire",
    "explain", "import", "issue", "keep", "list", "map", "open", "park", "pass", "prepare", "publish", "read",
    "recheck", "record", "register", "reinstate", "release", "render", "resend", "resume", "retract", "revoke",
    "rotate", "schedule", "search", "seed", "show", "sign", "suspend", "tell", "upload", "verify", "void", "withdraw",
}  # fmt: skip


def words_of(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, in lower case; `base58` is one word."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+", name)}


def snake_case(name: str) -> str:
    """`AssessmentScored` → `assessment_scored`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def empty_names(source: Source) -> Iterator[Finding]:
    """Modules, classes, functions and values named by a word that says nothing."""
    for part in source.path.removesuffix(".py").split("/"):
        for word in sorted(words_of(part) & EMPTY_WORDS):
            yield Finding(source.path, 1, f"a file or folder named by {word!r}")
    for node in ast.walk(source.tree):
        match node:
            case ast.ClassDef(name=name, lineno=line):
                for word in sorted(words_of(name) & EMPTY_WORDS):
                    yield Finding(source.path, line, f"class {name} named by {word!r}")
            case (
                ast.FunctionDef(name=name, lineno=line)
                | ast.AsyncFunctionDef(name=name, lineno=line)
                | ast.arg(arg=name, lineno=line)
                | ast.Name(id=name, ctx=ast.Store(), lineno=line)
            ) if name.strip("_") in EMPTY_NAMES:
                yield Finding(source.path, line, f"{name!r} names nothing")
            case _:
                pass


def handler_names(source: Source, events: frozenset[str]) -> Iterator[Finding]:
    """Public functions of `handlers` that are neither `on_<event>` of a contract nor begin with a verb."""
    if source.room != "handlers":
        return
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        first, _, rest = node.name.partition("_")
        if first == "on":
            if rest not in events:
                yield Finding(source.path, node.lineno, f"`{node.name}`: no contract is called {rest!r}")
        elif first not in VERBS:
            yield Finding(source.path, node.lineno, f"`{node.name}`: expected on_<event> or a verb of tests/house")


def long_files(source: Source) -> Iterator[Finding]:
    """Files above 300 lines: make a folder of the same name, with a file per subject."""
    lines = source.text.count("\n")
    if lines > LONGEST_FILE_LINES:
        yield Finding(source.path, lines, f"{lines} lines, at most {LONGEST_FILE_LINES} are allowed")


def long_functions(source: Source) -> Iterator[Finding]:
    """Functions above 40 lines; their docstring is not counted, and a function within has lines of its own."""
    for node in functions(source.tree):
        first = node.body[0]
        told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        docstring_lines = (first.end_lineno or 0) - first.lineno + 1 if told else 0
        within = sum(_lines(inner) for statement in node.body for inner in _functions_in(statement))
        lines = _lines(node) - docstring_lines - within
        if lines > LONGEST_FUNCTION_LINES:
            why = f"`{node.name}` has {lines} lines, at most {LONGEST_FUNCTION_LINES} are allowed"
            yield Finding(source.path, node.lineno, why)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def _functions_in(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The outermost functions within a statement."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        yield statement
        return
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield from _functions_in(child)


def unexplained(source: Source) -> Iterator[Finding]:
    """Modules, public classes, public functions and methods without a docstring.

    The attributes that a `Protocol` lists are explained by its own docstring.
    """
    tree = source.tree
    if tree.body and ast.get_docstring(tree) is None:
        yield Finding(source.path, 1, "the module has no docstring")
    yield from _unexplained_in(source.path, tree.body)


def _unexplained_in(path: str, body: list[ast.stmt]) -> Iterator[Finding]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None:
                yield Finding(path, node.lineno, f"`{node.name}` has no docstring")
            if isinstance(node, ast.ClassDef) and not any(ast.unparse(parent) == "Protocol" for parent in node.bases):
                yield from _unexplained_in(path, node.body)

"""Decide apart from do: what rules, models, contracts and credentials may not contain, though imports allow it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.tree import Finding, Source

PURE_FOLDERS = ("libs/common/checking/", "libs/common/contracts/", "libs/common/credentials/")
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
# Ids and numbers that differ on every call, under any name they are reached by.
RANDOM = {"uuid1", "uuid4", "uuid6", "uuid7", "urandom", "token_bytes", "token_hex", "token_urlsafe", "getrandbits"}
DOING = {"open", "print", "input"}
IMPURE_MODULES = {"asyncio", "logging", "os", "random", "secrets", "socket", "structlog", "subprocess", "time"}


def is_pure_place(source: Source) -> bool:
    """Whether the file belongs to a room that only decides."""
    if source.path == "libs/common/contracts/__main__.py":  # the command that writes the schemas
        return False
    return source.room in ("rules", "model") or source.path.startswith(PURE_FOLDERS)


def impurities(source: Source) -> Iterator[Finding]:
    """Clocks, random numbers, waiting and I/O in a room that only decides."""
    if not is_pure_place(source):
        return
    for node in ast.walk(source.tree):
        why = _why(node)
        if why:
            yield Finding(source.path, getattr(node, "lineno", 0), why)


def _why(node: ast.AST) -> str | None:
    match node:
        case ast.AsyncFunctionDef(name=name):
            return f"`async def {name}`: if it awaits, it is not a rule"
        case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            return "waits: if it awaits, it is not a rule"
        case ast.Attribute(value=value, attr=attr) if (ast.unparse(value).rpartition(".")[2], attr) in CLOCKS:
            return f"reads the clock: `{ast.unparse(node)}`"
        case ast.Attribute(attr=name) | ast.Name(id=name) if name in RANDOM:
            return f"makes a random id: `{name}`"
        case ast.Attribute(attr="generate", value=value) if ast.unparse(value).endswith("Key"):
            return f"draws a random key: `{ast.unparse(node)}`"
        case ast.Call(func=ast.Name(id=name)) if name in DOING:
            return f"does I/O: `{name}()`"
        case ast.Import(names=names):
            return _impure_import([alias.name for alias in names])
        case ast.ImportFrom(module=str(module), names=names):
            return _impure_import([module, *(f"{module}.{alias.name}" for alias in names)])
        case _:
            return None


def _impure_import(modules: list[str]) -> str | None:
    for module in modules:
        if module.split(".")[0] in IMPURE_MODULES or module.startswith("urllib.request"):
            return f"imports `{module}`"
        if module.rpartition(".")[2] in RANDOM:
            return f"imports `{module}`"
    return None

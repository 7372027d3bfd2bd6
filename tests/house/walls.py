"""Walls that import contracts cannot see: who speaks to the database, and where SQL is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.tree import Finding, Source, docstrings

SPEAKING = {
    "fetch", "fetchrow", "fetchval", "fetchmany", "execute", "executemany", "cursor", "prepare",
    "copy_records_to_table", "copy_to_table", "copy_from_query", "copy_from_table",
}  # fmt: skip
DATABASE_FOLDERS = ("libs/common/postgres/", "libs/common/messaging/")
KAFKA = {"aiokafka", "faststream"}
# A statement, not a sentence: a verb of SQL and what must follow it.
SQL = re.compile(
    r"""^\s*(--[^\n]*\n\s*)*(
        select\s+[\w*("'$,.\s]+?\s+from\s | select\s+(1|\w+\()
      | insert\s+into\s | update\s+[\w."]+\s+set\s | delete\s+from\s
      | (create|alter|drop)\s+(table|index|unique|database|role|schema|type|extension|function|view)\s
      | with\s+\w+\s+as\s+\( | truncate\s+\w | lock\s+table\s | copy\s+\w+\s+(from|to)\s
      | (grant|revoke)\s+\w+\s+on\s | listen\s+\w+$ | notify\s+\w+ | set\s+(local|session)\s
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def database_calls(source: Source) -> Iterator[Finding]:
    """Queries outside the stores: `connection.fetch(…)` in a handler, a door or a page."""
    if source.room == "store" or source.path.startswith(DATABASE_FOLDERS):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SPEAKING:
            yield Finding(source.path, node.lineno, f"speaks to the database: `{ast.unparse(node.func)}(…)`")


def sql_texts(source: Source) -> Iterator[Finding]:
    """SQL written in Python: it belongs in a file of its own, `sql/<name>.sql`."""
    tree = source.tree
    told = docstrings(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in told:
            continue
        if SQL.match(node.value):
            yield Finding(source.path, node.lineno, f"SQL outside a .sql file: {node.value.strip()[:60]!r}")


def kafka_in_api(source: Source) -> Iterator[Finding]:
    """Kafka reached from the door for people, even inside a function."""
    if source.room not in ("api", "handlers", "rules", "model", "store", "pages"):
        return
    for node in ast.walk(source.tree):
        modules = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        for module in modules:
            if module.split(".")[0] in KAFKA:
                yield Finding(source.path, node.lineno, f"imports Kafka: `{module}`")  # type: ignore[attr-defined]

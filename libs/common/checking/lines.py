"""Many badges at once: the lines of a file, each with a badge or its address, and what is told of each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import orjson

from libs.common.checking.dialogue import Json
from libs.common.checking.judging import nothing_found
from libs.common.checking.model import Judgement
from libs.common.checking.recipient import Person, person_of
from libs.common.checking.strict import Fault, read_json

Written = Literal["csv", "lines"]
# Under these names a line or a column holds the badge.
_NAMES = ("badge", "id", "url", "text", "credential")
_SHOWN = 200


class Line(NamedTuple):
    """One line: its number (from 1), what to tell it by, the badge or its address, and who should hold it.

    `fault` says what is wrong with the line itself; nothing is checked then.
    """

    number: int
    asked: str
    content: bytes = b""
    person: Person | None = None
    fault: Fault | None = None


def read_lines(text: str, written: Written) -> Iterator[Line]:
    """The lines of `text`, empty ones left out.

    As CSV, the first row may name the columns (`badge`, `id`, `url`, `text` or `credential`; `recipient`); without
    names the first column is the badge. As lines, each is an address, an id, a token or a JSON text as it is, or a
    JSON object: a credential, or one with a member named like those columns.
    """
    return _of_csv(text) if written == "csv" else _of_lines(text)


def told(line: Line, judgement: Judgement | None) -> Json:
    """What is told of a line, as JSON: the verdict in short, and each finding that did not pass."""
    verdict = judgement or nothing_found()
    found: Json = {
        "line": line.number,
        "badge": line.asked,
        "answer": verdict.answer,
        "sentence": verdict.sentence,
        "authentic": verdict.authentic,
        "current": verdict.current,
        "trusted": verdict.trusted,
        "findings": [
            {"name": finding.name, "outcome": finding.outcome, "reason": finding.reason, "more": finding.more}
            for finding in verdict.findings
            if finding.outcome != "pass"
        ],
    }
    if verdict.shown is not None:
        found |= {"name": verdict.shown.name, "issuer_id": verdict.shown.issuer_id}
    if line.fault is not None:
        found["fault"] = line.fault.more
    return found


def _of_csv(text: str) -> Iterator[Line]:
    rows = csv.reader(io.StringIO(text), strict=True)
    columns: dict[str, int] = {}
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, "", fault=Fault("malformed", f"expected CSV: {error}"))
            return
        names = [cell.strip().lower() for cell in row]
        if number == 1 and any(name in _NAMES for name in names):
            columns = {name: place for place, name in reversed(list(enumerate(names)))}
        elif any(names):
            yield _of_row(number, row, columns)


def _of_row(number: int, row: list[str], columns: dict[str, int]) -> Line:
    place = next((columns[name] for name in _NAMES if name in columns), 0)
    recipient = columns.get("recipient", len(row))
    return _line(number, row[place] if place < len(row) else "", row[recipient] if recipient < len(row) else None)


def _of_lines(text: str) -> Iterator[Line]:
    # Not splitlines(): texts in JSON may hold U+2028 as it is.
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if bare.startswith("{"):
            yield _of_object(number, bare)
        elif bare.startswith('"'):
            try:
                yield _line(number, str(json.loads(bare)), None)
            except ValueError as error:
                yield Line(number, bare[:_SHOWN], fault=Fault("malformed", f"expected a JSON text: {error}"))
        elif bare:
            yield _line(number, bare, None)


def _of_object(number: int, text: str) -> Line:
    content = text.encode("utf-8", "surrogatepass")
    document = read_json(content)
    if isinstance(document, Fault):
        return Line(number, text[:_SHOWN], fault=document)
    if "@context" in document:
        return Line(number, _named(document, text), content)
    held: Any = next((document[name] for name in _NAMES if document.get(name)), None)
    recipient = document.get("recipient")
    if isinstance(held, dict):
        return _line(number, orjson.dumps(held).decode(), recipient)
    return _line(number, held if isinstance(held, str) else "", recipient)


def _named(document: Any, otherwise: str) -> str:
    name = document.get("id")
    return (name if isinstance(name, str) else otherwise)[:_SHOWN]


def _line(number: int, badge: str, recipient: Any) -> Line:
    badge = badge.strip()
    if not badge:
        return Line(number, "", fault=Fault("missing", f"expected a badge under one of {', '.join(_NAMES)}"))
    content = badge.encode("utf-8", "replace")
    document = read_json(content) if badge.startswith("{") else Fault("", "")
    asked = badge[:_SHOWN] if isinstance(document, Fault) else _named(document, badge)
    line = Line(number, asked, content)
    if recipient is None or recipient == "":
        return line
    person = person_of(recipient) if isinstance(recipient, str) else Fault("recipient", "expected text")
    return line._replace(fault=person) if isinstance(person, Fault) else line._replace(person=person)

"""What a list of trusted issuers may hold, read from JSON or CSV."""

from __future__ import annotations

import csv
import io
from typing import Any, cast

import orjson

from libs.common.checking.shape_3 import is_iri
from libs.common.contracts.envelope import Refusal
from services.verification.model import TrustedIssuer

MOST_ISSUERS = 20_000
_LONGEST = 2_000

Found = tuple[list[TrustedIssuer], list[Refusal]]


def read_list(content: bytes, *, as_csv: bool) -> Found:
    """The issuers that `content` lists, and what is wrong with others: each by its JSON Pointer.

    CSV has a column `id` and perhaps `name`; without a header, these two in this order. JSON is an array of ids or of
    objects with `id` and perhaps `name`, or an object with such an array under `issuers`. An issuer is named by the
    id that its badges carry: a DID or a URL. The first of two with one id counts.
    """
    entries = _of_csv(content) if as_csv else _of_json(content)
    if isinstance(entries, Refusal):
        return [], [entries]
    if not 0 < len(entries) <= MOST_ISSUERS:
        return [], [Refusal("", f"1 to {MOST_ISSUERS} issuers", str(len(entries)))]
    found: dict[str, TrustedIssuer] = {}
    wrong: list[Refusal] = []
    for place, (issuer_id, name) in enumerate(entries):
        if not isinstance(issuer_id, str) or not is_iri(issuer_id) or len(issuer_id) > _LONGEST or "\0" in issuer_id:
            wrong.append(Refusal(f"/{place}/id", "a DID or a URL", repr(issuer_id)[:80]))
        elif not isinstance(name, str) or len(name) > _LONGEST or "\0" in name:
            wrong.append(Refusal(f"/{place}/name", "text", repr(name)[:80]))
        else:
            found.setdefault(issuer_id, TrustedIssuer(issuer_id, name))
    return list(found.values()), wrong


def _of_csv(content: bytes) -> list[tuple[Any, Any]] | Refusal:
    try:
        rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True) if any(row)]
    except (UnicodeDecodeError, csv.Error) as fault:
        return Refusal("", "CSV in UTF-8", str(fault))
    names = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "id" not in names:
        return [(row[0].strip(), row[1].strip() if len(row) > 1 else "") for row in rows]
    place, named = names.index("id"), names.index("name") if "name" in names else len(names)
    return [(_cell(row, place), _cell(row, named)) for row in rows[1:]]


def _cell(row: list[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _of_json(content: bytes) -> list[tuple[Any, Any]] | Refusal:
    try:
        document: Any = orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        return Refusal("", "JSON", str(fault))
    if isinstance(document, dict):
        document = cast(dict[str, Any], document).get("issuers")
    if not isinstance(document, list):
        return Refusal("", "an array of issuers", type(document).__name__)
    entries = cast(list[Any], document)
    return [_entry(entry) for entry in entries]


def _entry(entry: Any) -> tuple[Any, Any]:
    if not isinstance(entry, dict):
        return entry, ""
    members = cast(dict[str, Any], entry)
    return members.get("id"), members.get("name") or ""

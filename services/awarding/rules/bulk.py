"""A file of awards, read line by line; what cannot be carried out is refused with its line, and holds up no other."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import UTC
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from pydantic import TypeAdapter, ValidationError

from libs.common.contracts.contract import Identifier
from services.awarding.model import BulkLine, BulkProgress, LineDone, Undoing
from services.awarding.rules.badge import milliseconds

MOST_LINES = 200_000
LONGEST_TEXT = 1000
NEEDED = ("learner_id", "achievement_id")
OPTIONAL = ("reason", "evidence")
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def job_id_of(content: bytes, reason: str, evidence: str, actor: str) -> UUID:
    """The id of a job: the same file, sent again by the same person for the same reason, is the same job."""
    asked = orjson.dumps([sha256(content).hexdigest(), reason, evidence, actor])
    return uuid5(NAMESPACE_URL, f"cairn:bulk-awards:{sha256(asked).hexdigest()}")


def undo_id_of(undoing: Undoing, actor: str) -> UUID:
    """The id of the job that takes back what a version caused: asked again by the same person, it is the same job."""
    asked = orjson.dumps([undoing.achievement_id, undoing.version, undoing.since.astimezone(UTC), actor])
    return uuid5(NAMESPACE_URL, f"cairn:undo-version:{sha256(asked).hexdigest()}")


def read_lines(content: bytes, reason: str, evidence: str) -> list[BulkLine] | str:
    """The lines of a CSV file (UTF-8, RFC 4180), with its header `learner_id,achievement_id` and, where wanted,
    `reason` and `evidence`; or why the whole file cannot be read. `reason` and `evidence` hold where a line has none.
    """
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(reader, list[str]())]
        if set(NEEDED) - set(header) or set(header) - {*NEEDED, *OPTIONAL} or len(set(header)) < len(header):
            return f"expected the columns {', '.join(NEEDED)} and at most {', '.join(OPTIONAL)}, found {header[:10]}"
        lines = [_line(number, header, cells, reason, evidence) for number, cells in enumerate(reader, 2) if cells]
    except UnicodeDecodeError as fault:
        return f"expected UTF-8, found other bytes at {fault.start}"
    except csv.Error as fault:
        return f"expected CSV (RFC 4180): {fault}"
    if not 0 < len(lines) <= MOST_LINES:
        return f"expected 1 to {MOST_LINES} lines below the header, found {len(lines)}"
    return lines


def _line(number: int, header: Sequence[str], cells: Sequence[str], reason: str, evidence: str) -> BulkLine:
    if len(cells) != len(header):
        return BulkLine(number, "", "", reason, evidence, refusal=f"expected {len(header)} cells, found {len(cells)}")
    found = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    for name in NEEDED:
        try:
            _IDENTIFIER.validate_python(found[name])
        except ValidationError:
            return BulkLine(number, "", "", reason, evidence, refusal=f"{name}: expected an id")
    learner_id, achievement_id = found["learner_id"], found["achievement_id"]
    for name in OPTIONAL:
        if len(found.get(name, "")) > LONGEST_TEXT or "\0" in found.get(name, ""):
            refusal = f"{name}: expected a text of at most {LONGEST_TEXT} characters"
            return BulkLine(number, learner_id, achievement_id, reason, evidence, refusal=refusal)
    reason, evidence = found.get("reason") or reason, found.get("evidence") or evidence
    return BulkLine(number, learner_id, achievement_id, reason, evidence)


def checked(lines: Iterable[BulkLine], learners: Set[str], achievements: Set[str]) -> Iterator[BulkLine]:
    """The lines, those refused that are about an unknown learner or achievement."""
    for line in lines:
        if line.refusal is None and line.learner_id not in learners:
            yield replace(line, refusal="learner_id: expected a known learner")
        elif line.refusal is None and line.achievement_id not in achievements:
            yield replace(line, refusal="achievement_id: expected a published achievement")
        else:
            yield line


def progress_told(progress: BulkProgress) -> dict[str, Any]:
    """How far a job is, as plain JSON values."""
    job = progress.job
    return {
        "job_id": str(job.job_id),
        "kind": job.kind,
        "state": "working" if progress.waiting else "finished",
        "lines": progress.lines,
        "waiting": progress.waiting,
        "done": progress.lines - progress.waiting - progress.refused,
        "refused": progress.refused,
        "reason": job.reason,
        "evidence": job.evidence,
        "actor": job.actor,
        "asked_at": milliseconds(job.asked_at),
        "last_done_at": None if progress.last_done_at is None else milliseconds(progress.last_done_at),
    }


def report_of(lines: Iterable[LineDone]) -> str:
    """What became of each line, as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("line", "learner_id", "achievement_id", "state", "badge_id", "refusal"))
    for line in lines:
        state = "waiting" if line.done_at is None else "done" if line.refusal is None else "refused"
        writer.writerow(
            (line.line, line.learner_id, line.achievement_id, state, line.badge_id or "", line.refusal or "")
        )
    return text.getvalue()

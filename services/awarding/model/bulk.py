"""Awards to many at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BulkLine:
    """One line of a job's file: whom it is about, or why it is refused (`refusal`).

    `badge_id` is the badge to revoke; of an award it is known when it is done.
    """

    line: int
    learner_id: str
    achievement_id: str
    reason: str
    evidence: str
    badge_id: UUID | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class BulkJob:
    """What `actor` asks for all lines of a file; a line may name a reason and evidence of its own."""

    job_id: UUID
    kind: str
    reason: str
    evidence: str
    actor: str
    asked_at: datetime


class Undoing(NamedTuple):
    """What a published version caused: the badges of it that facts earned and that were awarded `since` an instant."""

    achievement_id: str
    version: int
    since: datetime


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How far a job is: of all `lines`, how many wait, and how many were refused."""

    job: BulkJob
    lines: int
    waiting: int
    refused: int
    last_done_at: datetime | None


@dataclass(frozen=True, slots=True)
class LineDone:
    """What became of one line."""

    line: int
    learner_id: str
    achievement_id: str
    badge_id: UUID | None
    refusal: str | None
    done_at: datetime | None

"""What an authorised person asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

ActKind = Literal["award", "revoke", "suspend", "reinstate"]


@dataclass(frozen=True, slots=True)
class Act:
    """What `actor` asks for, why (`reason`, told with the badge) and on what `evidence` (of which links are told).

    `badge_id` is the badge that it is about; of an award it is known when it is done. `refusal` says why not. An act
    may be a `line` of the job `job_id`.
    """

    act_id: UUID
    kind: ActKind
    learner_id: str
    achievement_id: str
    badge_id: UUID | None
    reason: str
    evidence: str
    actor: str
    asked_at: datetime
    traceparent: str | None = None
    refusal: str | None = None
    done_at: datetime | None = None
    job_id: UUID | None = None
    line: int | None = None

"""What awarding tells of drafts that were tried on what is recorded, for enrollment, which publishes them (B3)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from libs.common.contracts.contract import Contract, Identifier, Text
from libs.common.contracts.topics import REHEARSALS


class RehearsalCompleted(Contract):
    """A draft was tried on all that is recorded (B3). Key: the achievement id.

    `digest` is that of what the draft means (`meaning_digest`), `against_version` the newest version that was published
    then. `gain` and `lose` count learners who would gain or lose this achievement's badge, `gain_above` and
    `lose_above` the badges that would follow in the stacks above. `most_gain` and `most_lose` are the limits that the
    designer set.
    """

    TYPE: ClassVar[str] = "cairn.rehearsal-completed.v1"
    TOPIC: ClassVar[str] = REHEARSALS

    achievement_id: Identifier
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    against_version: Annotated[int, Field(ge=1)] | None = None
    learners: Annotated[int, Field(ge=0)]
    gain: Annotated[int, Field(ge=0)]
    lose: Annotated[int, Field(ge=0)]
    gain_above: Annotated[int, Field(ge=0)] = 0
    lose_above: Annotated[int, Field(ge=0)] = 0
    most_gain: Annotated[int, Field(ge=0)] | None = None
    most_lose: Annotated[int, Field(ge=0)] | None = None
    within_limits: bool
    rehearsed_by: Text
    rehearsed_at: AwareDatetime

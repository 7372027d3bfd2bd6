"""What awarding tells of acts by hand (M1.37): what was decided, by whom and why."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from libs.common.contracts.contract import Contract, Identifier, Label, Text, Uri
from libs.common.contracts.topics import BADGE_ISSUED


class ActDone(Contract):
    """What a person decided about a badge was carried out. Key: the badge id.

    Told of every such act but an award, which `BadgeIssued` tells: a decision need not change what a badge's state
    is, and must be remembered all the same. Who decided and on what evidence is told by `ActRecorded`.
    """

    TYPE: ClassVar[str] = "cairn.act-done.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    act_id: UUID
    kind: Literal["revoke", "suspend", "reinstate"]
    badge_id: UUID
    learner_id: Identifier
    achievement_id: Identifier
    reason: Text
    asked_at: AwareDatetime


class ActRecorded(Contract):
    """What a person asked for by hand, and what became of it: the audit (M1.37). Key: `act:<act_id>`.

    Told once it is done or refused (`refusal` says why), of awards too. `actor` is the opaque subject id of whoever
    asked, absent where that is an e-mail address; of the evidence only the links are told. `job_id` and `line` are
    those of the job of many acts that it is part of.
    """

    TYPE: ClassVar[str] = "cairn.act-recorded.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    act_id: UUID
    kind: Literal["award", "revoke", "suspend", "reinstate"]
    learner_id: Identifier
    achievement_id: Identifier
    badge_id: UUID | None = None
    reason: Text
    actor: Label | None = None
    evidence_links: tuple[Uri, ...] = ()
    asked_at: AwareDatetime
    done_at: AwareDatetime
    refusal: Text | None = None
    job_id: UUID | None = None
    line: Annotated[int, Field(ge=1)] | None = None

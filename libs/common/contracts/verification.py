"""What verification tells: badges of others that programs pushed for a learner, and who may see a badge."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from libs.common.contracts.contract import Contract, Identifier
from libs.common.contracts.topics import PUSHED_BADGES, SHARING


class BadgePushed(Contract):
    """A program that a learner let in brought a badge of another issuer (OB 3.0, section 6). Key: the push id.

    `push_id` stands for learner and `credential_id`: a badge that is pushed again, changed, has the same. `content` is
    the badge as it was brought, as exact text: a credential in JSON or a compact JWS; `digest` is `sha256:<hex>` of it.
    It may name a person, so the topic is compacted: a tombstone erases it (B7).
    """

    TYPE: ClassVar[str] = "cairn.badge-pushed.v1"
    TOPIC: ClassVar[str] = PUSHED_BADGES

    push_id: UUID
    learner_id: Identifier
    credential_id: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]
    content: Annotated[str, StringConstraints(min_length=1)]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    pushed_at: AwareDatetime


class SharingDecided(Contract):
    """A learner decided who may see their badge (M1.3). Key: the badge id.

    `audience` is everybody, `until` an instant if that is set, or nobody else; without `shows_name` or
    `shows_evidence` others see the badge without them. Of two decisions about a badge the one with the later
    `decided_at` counts, in whatever order they are heard. The topic is compacted: the last decision stays, and a
    tombstone, when the learner is erased, takes what was decided until its time (B7). Links, and what they are for,
    are not told.
    """

    TYPE: ClassVar[str] = "cairn.sharing-decided.v1"
    TOPIC: ClassVar[str] = SHARING

    badge_id: UUID
    learner_id: Identifier
    audience: Literal["public", "private"]
    until: AwareDatetime | None = None
    shows_name: bool
    shows_evidence: bool
    decided_at: AwareDatetime

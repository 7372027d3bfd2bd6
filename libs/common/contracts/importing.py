"""What awarding tells of badges of other issuers, that learners brought or programs pushed (B12)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from libs.common.contracts.contract import Contract, Identifier, Label, Text, Uri
from libs.common.contracts.topics import BADGE_ISSUED


class BadgeImported(Contract):
    """A learner brought a badge of another issuer, which was found genuine and theirs (B12). Key: `import:<import_id>`.

    What counts is who issued it for what; neither the badge nor its address is told, for both may name a person.
    `issuer` and `achievement` are written as in the badge, `digest` is `sha256:<hex>` of its bytes. `revision` counts,
    from 1, how often the badge came to count: it may be suspended at its source and come back. The event's own id is
    that of the fact that follows from it.

    `watch` is what it takes to ask its issuer again, sealed, for the teller alone: a database that is made from the
    topic watches the badge by it. Without it the badge is watched once it is brought again; it may be told later, by
    the same event once more. Nobody else reads it: it may be the address of a badge, which may name a person.
    """

    TYPE: ClassVar[str] = "cairn.badge-imported.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    import_id: UUID
    learner_id: Identifier
    issuer: Uri
    achievement: Uri | None = None
    name: Label
    issuer_name: Label | None = None
    standard: Label
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None
    revision: Annotated[int, Field(ge=1)] = 1
    watch: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=30_000)] | None = None


class ImportedBadgeWithdrawn(Contract):
    """An imported badge does not count any more. Key: `import:<import_id>`.

    `cause` says why: its issuer revoked or suspended it, its time ran out, or the learner took it back. `supersedes`
    is the id of the event by which it counted.
    """

    TYPE: ClassVar[str] = "cairn.imported-badge-withdrawn.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    import_id: UUID
    learner_id: Identifier
    supersedes: UUID
    cause: Literal["revoked", "suspended", "expired", "taken-back"]


class ImportRefused(Contract):
    """A badge that a program pushed does not count, or not yet (B12). Key: `import:<import_id>`.

    Of one that its learner brought it is told only that they took it back (`taken-back`) after it was lost.
    `import_id` is the push id of the `BadgePushed` that brought it, `digest` that of what was looked at. `cause` is a
    short code, `detail` says it in English. `is_final` is false where it may still count: it is tried again, or the
    learner has yet to say to whom it was awarded.
    """

    TYPE: ClassVar[str] = "cairn.import-refused.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    import_id: UUID
    learner_id: Identifier
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    cause: Identifier
    detail: Text
    is_final: bool = True

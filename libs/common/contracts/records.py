"""What awarding tells of the learner records (CLR 2.0) that it signs."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.contracts.contract import Contract, Identifier
from libs.common.contracts.topics import BADGE_ISSUED


class RecordSigned(Contract):
    """A learner record was signed, as its learner asked. Key: `record:<record_id>`.

    It is awarding's own memory: `list_number` and `status_index` are the record's place in its issuer's status lists,
    which no badge may get again, and `badge_ids` say what is in it: it holds for as long as all of these do. The
    record itself is not told: it is the learner's, and signed anew when it is asked for again.
    """

    TYPE: ClassVar[str] = "cairn.record-signed.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    record_id: UUID
    learner_id: Identifier
    issuer_id: Identifier
    badge_ids: Annotated[tuple[UUID, ...], Field(min_length=1)]
    list_number: Annotated[int, Field(ge=1)]
    status_index: Annotated[int, Field(ge=0)]

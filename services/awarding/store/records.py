"""Learners' records towards one issuer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from services.awarding.store import RECORDS

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


class KeptRecord(NamedTuple):
    """A record as it is kept: `credential` is None while it waits to be signed, `refusal` why it was not."""

    record_id: UUID
    badge_ids: list[UUID] | None
    credential: str | None
    refusal: str | None


class RecordAsked(NamedTuple):
    """A record that waits to be signed."""

    learner_id: str
    issuer_id: str
    record_id: UUID
    asked_at: datetime


class BadgeInRecord(NamedTuple):
    """A badge that holds, as it was signed."""

    badge_id: UUID
    credential: str
    valid_from: datetime


async def badges_in_record(reader: Reader, learner_id: str, issuer_id: str, most: int) -> list[BadgeInRecord]:
    """The learner's badges of one issuer that hold, oldest first."""
    rows = await reader.fetch(RECORDS["badges_in_record"], learner_id, issuer_id, most)
    return [BadgeInRecord(**dict(row)) for row in rows]


async def learner_record(reader: Reader, learner_id: str, issuer_id: str) -> KeptRecord | None:
    """The learner's record towards one issuer, or None."""
    row = await reader.fetchrow(RECORDS["learner_record"], learner_id, issuer_id)
    return None if row is None else KeptRecord(**dict(row))


async def ask_record(connection: Connection, asked: RecordAsked) -> None:
    """Have a record signed, in place of the one before; one that waits already stays."""
    await connection.execute(RECORDS["ask_record"], *asked)


async def waiting_records(connection: Connection, most: int) -> list[RecordAsked]:
    """Up to `most` records that wait to be signed, locked now."""
    return [RecordAsked(**dict(row)) for row in await connection.fetch(RECORDS["waiting_records"], most)]


async def keep_record(
    connection: Connection, asked: RecordAsked, badge_ids: Sequence[UUID], credential: str | None, refusal: str | None
) -> None:
    """Keep a record as it was signed, or why it was not."""
    await connection.execute(
        RECORDS["keep_record"], asked.learner_id, asked.issuer_id, list(badge_ids), credential, refusal
    )


async def forget_records(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Forget the records of these learners."""
    await connection.execute(RECORDS["forget_records"], list(learner_ids))

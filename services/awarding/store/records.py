"""Learners' records: which were asked for, their signed parts, and the places of these in the status lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.contracts import IssuerPublished
from services.awarding.model import RecordAsked, RecordBadge, RecordNow, RecordPart, RecordWish
from services.awarding.store import RECORDS

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def record_badges(reader: Reader, learner_id: str) -> list[RecordBadge]:
    """The learner's badges that hold and have not ended, of all issuers, oldest first."""
    rows = await reader.fetch(RECORDS["record_badges"], learner_id)
    return [RecordBadge(**dict(row)) for row in rows]


async def record_credentials(reader: Reader, badge_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The signed credentials of these badges."""
    rows = await reader.fetch(RECORDS["record_credentials"], list(badge_ids))
    return {row["badge_id"]: row["credential"].encode() for row in rows}


async def record_issuer(reader: Reader, issuer_id: str) -> IssuerPublished | None:
    """The issuer as it was published last, or None."""
    published = await reader.fetchval(RECORDS["record_issuer"], issuer_id)
    return None if published is None else IssuerPublished.model_validate_json(published)


async def learner_record(reader: Reader, wish: RecordWish) -> RecordNow | None:
    """The last record of this kind, or None."""
    row = await reader.fetchrow(RECORDS["learner_record"], *wish)
    return None if row is None else RecordNow(**dict(row))


async def record_part(reader: Reader, record_id: UUID, number: int) -> tuple[int, int, str | None]:
    """How many parts a record has, of how many the bytes are kept, and those of one part, if there is such a one."""
    (row,) = await reader.fetch(RECORDS["record_parts"], record_id, number)
    return row["parts"], row["kept"], row["credential"]


async def ask_record(connection: Connection, asked: RecordAsked) -> None:
    """Have a record signed, in place of the one before; one that waits already stays."""
    await connection.execute(RECORDS["ask_record"], *asked.wish, asked.record_id, asked.asked_at)


async def waiting_record(connection: Connection) -> RecordAsked | None:
    """The first record that waits; no other worker has it until this transaction ends."""
    row = await connection.fetchrow(RECORDS["waiting_record"])
    if row is None:
        return None
    return RecordAsked(
        RecordWish(row["learner_id"], row["issuer_id"], row["root_id"]), row["record_id"], row["asked_at"]
    )


async def finish_record(
    connection: Connection,
    asked: RecordAsked,
    badge_ids: Sequence[UUID],
    *,
    shown_name: str | None = None,
    refusal: str | None = None,
) -> bool:
    """Note a record as signed, or why it was not; whether it still waited for that."""
    finished = await connection.fetchval(
        RECORDS["finish_record"], *asked.wish, asked.record_id, list(badge_ids), shown_name, refusal
    )
    return finished is not None


async def keep_parts(connection: Connection, parts: Sequence[RecordPart]) -> None:
    """Keep parts, each once."""
    await connection.execute(
        RECORDS["keep_parts"],
        [part.part_id for part in parts],
        [part.learner_id for part in parts],
        [part.issuer_id for part in parts],
        [" ".join(map(str, part.badge_ids)) for part in parts],
        [part.status_list for part in parts],
        [part.status_index for part in parts],
        [part.record_id for part in parts],
        [part.number for part in parts],
        [part.credential for part in parts],
    )


async def drop_parts(connection: Connection, learner_id: str) -> None:
    """Drop the bytes of what is no record of the learner any more."""
    await connection.execute(RECORDS["drop_parts"], learner_id)


async def settle_parts(connection: Connection, learner_ids: Collection[str], badge_ids: Collection[UUID]) -> None:
    """Have the parts that hold these badges, of these learners, follow them; their lists are due where they change."""
    await connection.execute(RECORDS["settle_parts"], sorted(learner_ids), list(badge_ids))


async def settle_all_parts(connection: Connection) -> None:
    """Have all parts follow the badges in them."""
    await connection.execute(RECORDS["settle_all_parts"])


async def forget_records(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Forget the records of these learners; the places of what was signed stay taken."""
    await connection.execute(RECORDS["forget_records"], list(learner_ids))
    await connection.execute(RECORDS["empty_parts"], list(learner_ids))


async def forget_records_of_issuer(connection: Connection, issuer_id: str) -> None:
    """Have the records by this issuer signed anew when they are asked for."""
    await connection.execute(RECORDS["forget_records_of_issuer"], issuer_id)

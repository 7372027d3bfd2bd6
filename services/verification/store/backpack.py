"""The named queries of what a learner has, as the Open Badges 3.0 API tells it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "backpack.sql")


class Held(NamedTuple):
    """One credential, to the byte; `is_token` if it is a compact JWS, else it is JSON."""

    content: bytes
    is_token: bool


async def credentials(
    reader: Reader, learner_id: str, since: datetime, *, limit: int, offset: int
) -> tuple[list[Held], int]:
    """The learner's credentials issued after `since`, newest first, one page; and how many there are."""
    rows = await reader.fetch(SQL["credentials"], learner_id, since, limit, offset)
    total = await reader.fetchval(SQL["credentials_count"], learner_id, since)
    return [Held(row["content"], row["is_token"]) for row in rows], total


async def keep_pushed_badge(
    connection: Connection, learner_id: str, credential_id: str, held: Held, *, issued_at: datetime, at: datetime,
    push_id: UUID, digest: str,
) -> tuple[bool, bool] | None:  # fmt: skip
    """Keep a badge that was pushed; whether it is new, and whether it is another than was kept.

    None, and nothing kept, if the learner lets no program in.
    """
    values = (learner_id, credential_id, held.content, held.is_token, issued_at, at, push_id, digest)
    row = await connection.fetchrow(SQL["keep_pushed_badge"], *values)
    return None if row is None else (row["added"], row["is_other"])


async def pushed_count(reader: Reader, learner_id: str) -> int:
    """How many badges were pushed for the learner."""
    return await reader.fetchval(SQL["pushed_count"], learner_id)


async def profile(reader: Reader, learner_id: str) -> bytes | None:
    """The learner's profile as it was last put, in JSON."""
    return await reader.fetchval(SQL["profile"], learner_id)


async def keep_profile(connection: Connection, learner_id: str, document: bytes, at: datetime) -> bool:
    """Keep the learner's profile; False, and nothing kept, if the learner lets no program in."""
    return await connection.fetchval(SQL["keep_profile"], learner_id, document, at) is not None


async def forget_pushed_badge(connection: Connection, learner_id: str, credential_id: str) -> None:
    """Forget a badge that was pushed."""
    await connection.execute(SQL["forget_pushed_badge"], learner_id, credential_id)

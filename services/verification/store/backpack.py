"""The named queries of what a learner has, as the Open Badges 3.0 API tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from libs.common.contracts.verification import BadgePushed
from libs.common.postgres.queries import load_queries
from services.verification.model.imports import ImportWord

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
    push_id: UUID,
) -> bool | None:  # fmt: skip
    """Keep a badge that was pushed; whether it is new. None, and nothing kept, if the learner lets no program in."""
    values = (learner_id, credential_id, held.content, held.is_token, issued_at, at, push_id)
    return await connection.fetchval(SQL["keep_pushed_badge"], *values)


async def note_told(connection: Connection, learner_id: str, credential_id: str, digest: str) -> bool:
    """Note that a badge that is kept was told with this digest; False, and nothing noted, if it is not to be told."""
    return await connection.fetchval(SQL["note_told"], learner_id, credential_id, digest) is not None


async def hold_pushed(connection: Connection, words: Sequence[ImportWord]) -> None:
    """Have the pushed badges that these words are about alone until this transaction ends."""
    await connection.execute(SQL["hold_pushed"], *_places(words))


async def note_told_since(connection: Connection, words: Sequence[ImportWord]) -> list[BadgePushed]:
    """The badges that were taken back, by these words, and pushed again since: to be told, and noted as told."""
    rows = await connection.fetch(SQL["note_told_since"], *_places(words))
    return [
        BadgePushed(
            push_id=row["push_id"], learner_id=row["learner_id"], credential_id=row["credential_id"],
            content=row["content"].decode(), digest=row["digest"], pushed_at=row["kept_at"],
        )
        for row in rows
    ]  # fmt: skip


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


def _places(words: Sequence[ImportWord]) -> tuple[list[str], list[UUID]]:
    return [word.learner_id for word in words], [word.import_id for word in words]

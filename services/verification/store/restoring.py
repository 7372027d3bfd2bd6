"""The named queries by which a fresh database keeps what verification told itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.contracts.verification import BadgePushed
from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "restoring.sql")


async def is_restored(reader: Reader) -> bool:
    """Whether this database has read what was told before, or was at work before that was asked."""
    return await reader.fetchval(SQL["is_restored"])


async def note_restored(connection: Connection) -> None:
    """Note that it has."""
    await connection.execute(SQL["note_restored"])


async def remember_pushes(connection: Connection, told: Sequence[tuple[BadgePushed, bool, datetime]]) -> None:
    """Keep pushed badges as they were told, each with whether it is a token, and when it was issued."""
    rows = [
        (one.learner_id, one.credential_id, one.content.encode(), is_token, issued_at, one.pushed_at, one.push_id,
         one.digest)
        for one, is_token, issued_at in told
    ]  # fmt: skip
    if rows:
        await connection.execute(SQL["remember_pushes"], *[list(column) for column in zip(*rows, strict=True)])


async def drop_pushes(connection: Connection, push_ids: Sequence[UUID]) -> None:
    """Forget pushed badges that are erased."""
    if push_ids:
        await connection.execute(SQL["drop_pushes"], list(push_ids))


async def erase_remembered(connection: Connection) -> list[tuple[UUID, datetime]]:
    """Erase what was pushed for learners who are erased; answers the push id of each, and when they were."""
    rows = await connection.fetch(SQL["erase_remembered"])
    return [(row["push_id"], row["erased_at"]) for row in rows if row["push_id"] is not None]

"""The named queries of badges of other issuers, and of what awarding says of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from libs.common.postgres.queries import load_queries
from services.verification.model.imports import ImportWord, PushedBadge

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "imports.sql")


async def keep_import_words(connection: Connection, words: Sequence[ImportWord]) -> None:
    """Keep what awarding says; the last word on each badge wins."""
    await connection.execute(SQL["keep_import_words"], *[list(column) for column in zip(*words, strict=True)])


async def erase_import_words(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Erase what awarding says of these learners' badges."""
    await connection.execute(SQL["erase_import_words"], list(learner_ids))


async def pushed_badges(reader: Reader, learner_id: str, limit: int) -> list[PushedBadge]:
    """The badges that were pushed for a learner, the newest first, at most `limit`."""
    return [PushedBadge(**dict(row)) for row in await reader.fetch(SQL["pushed_badges"], learner_id, limit)]

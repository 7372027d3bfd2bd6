"""The log of issuance: its tree, its entries, its signed heads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from libs.common.credentials.log import Node, Place
from libs.common.postgres.queries import load_queries
from services.verification.model.log import LogEntry, LogHead

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.verification.store import Reader

LOG = load_queries(Path(__file__).parents[1] / "sql" / "log.sql")


async def lock_log(connection: Connection) -> int:
    """Have the log alone until this transaction ends; how many entries it has."""
    await connection.execute(LOG["lock_log"])
    return await connection.fetchval(LOG["log_size"])


async def nodes_at(reader: Reader, places: Collection[Place]) -> dict[Place, bytes]:
    """The hashes at these places of the tree."""
    rows = await reader.fetch(LOG["log_nodes"], [place.level for place in places], [place.number for place in places])
    return {Place(row["level"], row["number"]): row["hash"] for row in rows}


async def keep_nodes(connection: Connection, nodes: Sequence[Node]) -> None:
    """Keep hashes, each new."""
    await connection.execute(
        LOG["keep_nodes"],
        [node.place.level for node in nodes],
        [node.place.number for node in nodes],
        [node.hash for node in nodes],
    )


async def keep_entries(connection: Connection, first_index: int, entries: Sequence[tuple[UUID, bytes, bytes]]) -> None:
    """Keep (badge id, entry, salt) at the places from `first_index` on."""
    columns = [list(column) for column in zip(*entries, strict=True)]
    await connection.execute(LOG["keep_entries"], first_index, *columns)


async def keep_checkpoint(connection: Connection, head: LogHead) -> None:
    """Keep a signed head."""
    await connection.execute(LOG["keep_checkpoint"], head.size, head.note, head.verifier_key, head.logged_at)


async def latest_checkpoint(reader: Reader) -> LogHead | None:
    """The newest signed head, or None while the log is empty."""
    return _head(await reader.fetchrow(LOG["latest_checkpoint"]))


async def log_keys(reader: Reader) -> list[str]:
    """The verifier keys that ever signed a head, that of the newest head first; none while the log is empty."""
    return [row["verifier_key"] for row in await reader.fetch(LOG["log_keys"])]


async def checkpoint_at(reader: Reader, size: int) -> LogHead | None:
    """The signed head of the log of `size` entries, if one was signed."""
    return _head(await reader.fetchrow(LOG["checkpoint_at"], size))


async def first_checkpoint_with(reader: Reader, log_index: int) -> LogHead | None:
    """The earliest signed head that holds the entry at `log_index`."""
    return _head(await reader.fetchrow(LOG["first_checkpoint_with"], log_index))


async def entry_of(reader: Reader, badge_id: UUID) -> LogEntry | None:
    """A badge's place in the log, or None while it has none."""
    row = await reader.fetchrow(LOG["entry_of"], badge_id)
    return None if row is None else LogEntry(row["log_index"], row["entry"], row["salt"])


async def logged_at(reader: Reader, badge_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
    """When each of these badges was logged, of those that were: by the time in the first head that holds it."""
    rows = await reader.fetch(LOG["logged_at"], list(badge_ids))
    return {row["badge_id"]: row["logged_at"] for row in rows}


def _head(row: Any) -> LogHead | None:
    return None if row is None else LogHead(row["size"], row["note"], row["verifier_key"], row["logged_at"])

"""The log of issuance: which badges wait for a place, which have one, and the tree's right edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from libs.common.credentials.log import HASH_BYTES, Frontier
from services.awarding.store import LOGBOOK

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection


class Unlogged(NamedTuple):
    """A badge that waits for its place; `digest` is the 32-byte SHA-256 of its signed bytes."""

    badge_id: UUID
    digest: bytes


async def unlogged_badges(connection: Connection, most: int) -> list[Unlogged]:
    """The badges that have waited longest, up to `most`; none while another worker gives out places."""
    if not await connection.fetchval(LOGBOOK["try_to_log"]):
        return []
    rows = await connection.fetch(LOGBOOK["unlogged_badges"], most)
    return [Unlogged(row["badge_id"], bytes.fromhex(row["digest"].removeprefix("sha256:"))) for row in rows]


async def log_head(connection: Connection) -> Frontier:
    """The tree's right edge, locked until this transaction ends."""
    row = await connection.fetchrow(LOGBOOK["log_head"])
    assert row is not None, "the migration makes this row"
    peaks = row["peaks"]
    cuts = range(0, len(peaks), HASH_BYTES)
    return Frontier(row["size"], tuple(peaks[cut : cut + HASH_BYTES] for cut in cuts))


async def keep_logged(
    connection: Connection, first_index: int, entries: Sequence[tuple[UUID, bytes]], head: Frontier
) -> None:
    """Keep badges with their entries at the places from `first_index` on, and the tree's right edge after them."""
    badge_ids = [badge_id for badge_id, _ in entries]
    await connection.execute(LOGBOOK["keep_logged"], first_index, badge_ids, [entry for _, entry in entries])
    await connection.execute(LOGBOOK["keep_log_head"], head.size, b"".join(head.peaks))
    await connection.execute(LOGBOOK["done_logging"], badge_ids)


async def drop_logged(connection: Connection) -> None:
    """Let no badge wait for a place that has one."""
    await connection.execute(LOGBOOK["drop_logged"])

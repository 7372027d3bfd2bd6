"""The queries about who may see a badge, and about learners who were erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.postgres.queries import load_queries
from services.verification.model import Share, ShareLink

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "sharing.sql")


async def links_of_badge(reader: Reader, badge_id: UUID) -> list[ShareLink]:
    """The links that show a badge, oldest first."""
    return [ShareLink(**dict(row)) for row in await reader.fetch(SQL["links_of_badge"], badge_id)]


async def keep_share(connection: Connection, badge_id: UUID, share: Share) -> None:
    """Keep who may see a badge."""
    await connection.execute(
        SQL["keep_share"], badge_id, share.audience, share.until, share.shows_name, share.shows_evidence,
        share.changed_at,
    )  # fmt: skip


async def keep_link(connection: Connection, link: ShareLink, most: int) -> bool:
    """Keep a link, unless its badge has `most` already; answers whether it was kept."""
    tag = await connection.execute(
        SQL["keep_link"], link.link_id, link.badge_id, link.secret, link.purpose, link.until, link.shows_name,
        link.shows_evidence, link.created_at, most,
    )  # fmt: skip
    return tag.endswith(" 1")


async def drop_link(connection: Connection, badge_id: UUID, link_id: UUID) -> bool:
    """Forget a link; answers whether the badge had it."""
    return (await connection.execute(SQL["drop_link"], badge_id, link_id)).endswith(" 1")


async def badges_of_code(reader: Reader, digits: str) -> list[UUID]:
    """The badges, two at most, whose short code has these hexadecimal digits."""
    return [row["badge_id"] for row in await reader.fetch(SQL["badges_of_code"], digits)]


async def erase_learners(connection: Connection, erased: Sequence[tuple[str, datetime]]) -> int:
    """Delete all that is kept of learners' badges issued until they were erased; answers how many badges went."""
    await connection.execute(SQL["hold_badges"])
    learner_ids, instants = [name for name, _ in erased], [at for _, at in erased]
    return await connection.fetchval(SQL["erase_learners"], learner_ids, instants)

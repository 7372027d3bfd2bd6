"""The queries about who may see a badge, and about learners who were erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from libs.common.postgres.queries import load_queries
from services.verification.model import Decided, Share, ShareLink

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "sharing.sql")


class Forgotten(NamedTuple):
    """A badge about which nothing is decided any more of what was decided until `erased_at`."""

    badge_id: UUID
    erased_at: datetime


class Erased(NamedTuple):
    """What an erasure took: how many badges, and which decisions about who may see one."""

    badges: int
    shares: list[Forgotten]


async def links_of_badge(reader: Reader, badge_id: UUID) -> list[ShareLink]:
    """The links that show a badge, oldest first."""
    return [ShareLink(**dict(row)) for row in await reader.fetch(SQL["links_of_badge"], badge_id)]


async def keep_share(connection: Connection, badge_id: UUID, share: Share) -> Decided | None:
    """Keep who may see a badge, as told: what is kept, which is later than any before it. None if it is not there."""
    row = await connection.fetchrow(
        SQL["keep_share"], badge_id, share.audience, share.until, share.shows_name, share.shows_evidence,
        share.changed_at,
    )  # fmt: skip
    if row is None:
        return None
    return Decided(badge_id, row["learner_id"], replace(share, changed_at=row["changed_at"]))


async def hear_shares(connection: Connection, decided: Sequence[Decided]) -> list[Forgotten]:
    """Keep what was told of decisions, each unless a later one is known; those that an erasure refuses."""
    rows = [
        (one.badge_id, one.learner_id, one.share.audience, one.share.until, one.share.shows_name,
         one.share.shows_evidence, one.share.changed_at)
        for one in decided
    ]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [Forgotten(**dict(row)) for row in await connection.fetch(SQL["hear_shares"], *columns)]


async def hear_forgotten_shares(connection: Connection, forgotten: Sequence[Forgotten]) -> None:
    """Forget what was decided until the erasure of its learner; what was decided later is to be told once more."""
    badge_ids, instants = [one.badge_id for one in forgotten], [one.erased_at for one in forgotten]
    await connection.execute(SQL["hear_forgotten_shares"], badge_ids, instants)


async def take_untold_shares(connection: Connection, most: int) -> list[Decided]:
    """Up to `most` decisions that were not told yet; from now on they count as told."""
    return [
        Decided(
            row["badge_id"], row["learner_id"],
            Share(row["audience"], row["until"], row["shows_name"], row["shows_evidence"], row["changed_at"]),
        )
        for row in await connection.fetch(SQL["take_untold_shares"], most)
    ]  # fmt: skip


async def keep_link(connection: Connection, link: ShareLink, most: int) -> bool:
    """Keep a link, unless its badge is not there or has `most` already; answers whether it was kept."""
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


async def erase_learners(connection: Connection, erased: Sequence[tuple[str, datetime]]) -> Erased:
    """Delete all that is kept of learners' badges issued until they were erased."""
    await connection.execute(SQL["hold_badges"])
    learner_ids, instants = [name for name, _ in erased], [at for _, at in erased]
    shares = await connection.fetch(SQL["erase_shares"], learner_ids, instants)
    badges = await connection.fetchval(SQL["erase_learners"], learner_ids, instants)
    return Erased(badges, [Forgotten(**dict(row)) for row in shares])


async def note_registered(connection: Connection, registered: Sequence[tuple[str, datetime]]) -> None:
    """Keep of learners who were erased that they are registered again."""
    learner_ids, instants = [name for name, _ in registered], [at for _, at in registered]
    await connection.execute(SQL["note_registered"], learner_ids, instants)

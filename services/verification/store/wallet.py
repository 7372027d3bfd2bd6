"""The named queries of badges that are offered to wallets. Secrets come as digests."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from libs.common.postgres.queries import load_queries
from services.verification.model.wallet import Offer
from services.verification.store.grants import digest

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.verification.store import Reader

SQL = load_queries(Path(__file__).parents[1] / "sql" / "wallet.sql")


async def keep_offer(
    connection: Connection, badge_id: UUID, *, reference: str, code: str, pin_digest: bytes | None, ends_at: datetime
) -> bool:
    """Keep the one offer of a badge; answers False when there is no such badge."""
    values = (badge_id, digest(reference), digest(code), pin_digest, ends_at)
    return (await connection.execute(SQL["keep_offer"], *values)).endswith(" 1")


async def drop_offer(connection: Connection, badge_id: UUID) -> bool:
    """Forget the offer of a badge, and the token that was given for it; answers whether there was one."""
    return (await connection.execute(SQL["drop_offer"], badge_id)).endswith(" 1")


async def forget_ended_offers(connection: Connection, before: datetime) -> None:
    """Forget the offers that ended before this instant."""
    await connection.execute(SQL["forget_ended_offers"], before)


async def offer_of_badge(reader: Reader, badge_id: UUID) -> Offer | None:
    """The last offer of a badge."""
    return _offer(await reader.fetchrow(SQL["offer_of_badge"], badge_id))


async def offer_of_reference(reader: Reader, reference: str) -> Offer | None:
    """The offer that a reference leads to."""
    return _offer(await reader.fetchrow(SQL["offer_of_reference"], digest(reference)))


async def offer_of_code(connection: Connection, code: str) -> Offer | None:
    """The offer whose code somebody shows, locked."""
    return _offer(await connection.fetchrow(SQL["offer_of_code"], digest(code)))


async def offer_of_token(reader: Reader, token: str) -> Offer | None:
    """The offer for which this access token was given."""
    return _offer(await reader.fetchrow(SQL["offer_of_token"], digest(token)))


async def count_wrong_pin(connection: Connection, badge_id: UUID) -> None:
    """Count a PIN that was not the offer's."""
    await connection.execute(SQL["count_wrong_pin"], badge_id)


async def take_offer(connection: Connection, badge_id: UUID, at: datetime, token: str, token_ends_at: datetime) -> None:
    """Note that a wallet took the offer, and the token that it got."""
    await connection.execute(SQL["take_offer"], badge_id, at, digest(token), token_ends_at)


async def erase_offers(connection: Connection) -> None:
    """Erase the offers of badges that are gone."""
    await connection.execute(SQL["erase_offers"])


def _offer(row: Any) -> Offer | None:
    return None if row is None else Offer(**dict(row))

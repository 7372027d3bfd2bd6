"""Whom operators trust: whole lists come and go, each in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.common.postgres.database import Database
from services.verification.model import TrustedIssuer
from services.verification.store import trust as store


async def import_trust_list(
    database: Database, name: str, issuers: Sequence[TrustedIssuer], *, source: str, by: str, at: datetime
) -> None:
    """Make `issuers` the whole of the list `name`: who is not among them any more is not on it."""
    async with database.transaction() as connection:
        await store.keep_trust_list(connection, name, issuers, source=source, by=by, at=at)


async def withdraw_trust_list(database: Database, name: str) -> bool:
    """Take the list `name` away; whether there was one."""
    async with database.transaction() as connection:
        return await store.withdraw_trust_list(connection, name)

"""The named queries of the lists of trusted issuers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from libs.common.postgres.queries import load_queries
from services.verification.model import TrustedIssuer, TrustList

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    Reader = Connection | Pool

SQL = load_queries(Path(__file__).parents[1] / "sql" / "trust.sql")


async def keep_trust_list(
    connection: Connection, name: str, issuers: Sequence[TrustedIssuer], *, source: str, by: str, at: datetime
) -> None:
    """Keep `issuers` as the whole of the list `name`; `by` is who imported it, `at` when."""
    await connection.execute(SQL["keep_trust_list"], name, source, by, at)
    await connection.execute(SQL["clear_trust_list"], name)
    ids, names = [issuer.issuer_id for issuer in issuers], [issuer.name for issuer in issuers]
    await connection.execute(SQL["keep_trusted_issuers"], name, ids, names)


async def withdraw_trust_list(connection: Connection, name: str) -> bool:
    """Take the list `name` away; whether there was one."""
    return await connection.fetchval(SQL["withdraw_trust_list"], name) is not None


async def trust_lists(reader: Reader, limit: int) -> list[TrustList]:
    """The lists by name, at most `limit`."""
    return [TrustList(**dict(row)) for row in await reader.fetch(SQL["trust_lists"], limit)]


async def trust_list(reader: Reader, name: str, limit: int) -> tuple[TrustList, list[TrustedIssuer]] | None:
    """One list with its issuers by id, at most `limit`."""
    row = await reader.fetchrow(SQL["trust_list"], name)
    if row is None:
        return None
    found = [TrustedIssuer(**dict(entry)) for entry in await reader.fetch(SQL["trusted_issuers"], name, limit)]
    return replace(TrustList(**dict(row)), issuers=len(found)), found


async def lists_of_issuer(reader: Reader, issuer_id: str) -> tuple[str, ...]:
    """The names of the lists that the issuer is on, ten at most."""
    return tuple(row["list_name"] for row in await reader.fetch(SQL["lists_of_issuer"], issuer_id))

"""The connection pool of one process, and the one way to open a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    # What a store function is given: a pooled connection, inside a transaction that someone else commits.
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

SQL = load_queries(Path(__file__).parent / "sql" / "database.sql")
CONNECT_TIMEOUT_SECONDS = 10
CLOSE_TIMEOUT_SECONDS = 5
STATEMENT_TIMEOUT_SECONDS = 60
# Well below the other, so that who waits for a lock is told apart from who is slow: the lock passes by itself.
LOCK_TIMEOUT_SECONDS = 30


class Database:
    """A pool of connections to one service's database.

    Session state outlives a use of a connection: change settings with SET LOCAL only.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, dsn: str, *, application_name: str, min_size: int = 1, max_size: int = 8) -> Database:
        """Open a pool to the PostgreSQL at `dsn` (a `postgresql://` URL).

        `application_name` shows in `pg_stat_activity`. With `min_size=0` nothing is connected yet, so that a
        process can start while its database is away. Raises `OSError` or `asyncpg.PostgresError` otherwise.
        """
        pool = await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=STATEMENT_TIMEOUT_SECONDS,
            reset=_leave_as_is,
            # jit: a plan compiled for milliseconds never pays off for statements of one batch.
            # idle_in_transaction: a process that hangs must not hold its learners' rows for ever.
            server_settings={
                "application_name": application_name,
                "jit": "off",
                "lock_timeout": f"{LOCK_TIMEOUT_SECONDS * 1000:.0f}ms",
                "idle_in_transaction_session_timeout": "60s",
            },
        )
        return cls(pool)

    @property
    def pool(self) -> Pool:
        """The asyncpg pool, for reads that need no transaction."""
        return self._pool

    async def ping(self) -> None:
        """Ask the server for a sign of life; raises as any query does when it is away."""
        await self._pool.fetchval(SQL["sign_of_life"])

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A connection in a READ COMMITTED transaction: committed on a clean exit, else rolled back."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection

    async def close(self) -> None:
        """Close every connection, waiting at most a few seconds for those in use."""
        try:
            await asyncio.wait_for(self._pool.close(), CLOSE_TIMEOUT_SECONDS)
        except TimeoutError:
            self._pool.terminate()


async def _leave_as_is(_: Connection) -> None:
    """Spare the reset of the session, a round trip for each use. An open transaction is ended all the same."""

"""Turns of callers, counted in a table that all processes of a service share.

A service that uses it makes the table `caller_turns` in a migration of its own. It holds no address and no name: a
caller is a digest under a secret that the database does not know, and is forgotten once all of its turns are back. It
is unlogged: a crash of the database forgets the counts, and nothing else.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from pathlib import Path

from libs.common.postgres.database import Database
from libs.common.postgres.queries import load_queries
from libs.common.problems import AWAY

TURNS = load_queries(Path(__file__).parent / "sql" / "turns.sql")
PATIENCE_SECONDS = 0.5
FORGET_SECONDS = 60.0
_DIGEST_BYTES = 16
# What the database rounds to microseconds adds up to less than this.
_ROUNDING_SECONDS = 0.001


class SharedTurns:
    """The turns of all callers of one service. Every call waits half a second at most, then raises one of `AWAY`."""

    def __init__(self, database_of: Callable[[], Database], secret: bytes) -> None:
        """`database_of` gives the database, once the process has one; the processes of a service share `secret`."""
        self._database_of = database_of
        self._secret = secret
        self._timer: asyncio.TimerHandle | None = None
        self._forgetting: asyncio.Future[None] | None = None

    async def take(self, caller: str, turn_seconds: float, bucket_seconds: float) -> float | None:
        """Take a turn that comes back after `turn_seconds`, out of a bucket that fills in `bucket_seconds`.

        Answers None where it was taken, else after how many seconds there is one.
        """
        digest, pool = self._digest(caller), self._database_of().pool
        async with asyncio.timeout(PATIENCE_SECONDS):
            room = bucket_seconds + _ROUNDING_SECONDS
            if await pool.fetchval(TURNS["take_turns"], digest, turn_seconds, room):
                self._forget_later()
                return None
            left: float | None = await pool.fetchval(TURNS["seconds_until_full"], digest)
        return max(0.0, (left or 0.0) + turn_seconds - bucket_seconds)

    async def charge(self, caller: str, seconds: float) -> None:
        """Take as many turns as come back within `seconds`, whether they are there or not."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._database_of().pool.execute(TURNS["charge_turns"], self._digest(caller), seconds)

    async def forget(self) -> bool:
        """Forget the callers who have all their turns; answers whether there are others."""
        pool = self._database_of().pool
        await pool.execute(TURNS["forget_callers"])
        return await pool.fetchval(TURNS["has_callers"])

    def _forget_later(self) -> None:
        # A timer rather than a task: a process that ends has nothing to wait for.
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FORGET_SECONDS, self._begin_to_forget)

    def _begin_to_forget(self) -> None:
        self._timer = None
        self._forgetting = asyncio.ensure_future(self._forget())

    async def _forget(self) -> None:
        try:
            others = await self.forget()
        except AWAY:
            others = True
        if others:
            self._forget_later()

    def _digest(self, caller: str) -> bytes:
        return hmac.digest(self._secret, caller.encode(), "sha256")[:_DIGEST_BYTES]

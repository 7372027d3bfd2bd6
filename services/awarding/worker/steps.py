"""Work aside of the events: step after step, until the worker is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from libs.common.messaging.faults import backoff_seconds, is_passing, name_of
from libs.common.messaging.work import Work, begin
from libs.common.postgres.database import Database

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.25


async def work_off(
    what: str,
    database: Database,
    step: Callable[[Work, int], Awaitable[int]],
    give_up: Callable[[Work], Awaitable[None]],
    *,
    most: int,
    first: Callable[[Work], Awaitable[None]] | None = None,
    idle_seconds: float = IDLE_SECONDS,
) -> None:
    """Take `step` after step, each in a transaction, with at most `most` of what waits; idle when nothing does.

    What comes `first` is in the transaction of the first step.

    A passing fault is waited out. Any other is narrowed down to one of those who wait, which is given up.
    """
    size, waits = most, backoff_seconds()
    while True:
        try:
            async with begin(database) as work:
                if first is not None:
                    await first(work)
                done = await step(work, size)
            first, waits = None, backoff_seconds()
            # Grows again after a fault had made it small.
            size = min(size * 2, most)
        except Exception as fault:
            passing = is_passing(fault)
            log.warning("step failed", what=what, fault=name_of(fault), passing=passing, size=size)
            if not passing and size == 1:
                await _give_up(what, database, give_up)
            size = size if passing else max(1, size // 2)
            await asyncio.sleep(next(waits))
            continue
        if not done:
            await asyncio.sleep(idle_seconds)


async def _give_up(what: str, database: Database, give_up: Callable[[Work], Awaitable[None]]) -> None:
    try:
        async with begin(database) as work:
            await give_up(work)
    except Exception as fault:
        log.warning("not given up", what=what, fault=name_of(fault))

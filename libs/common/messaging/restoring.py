"""How a service's database is made anew from the topics: pass by pass, each to its end, and then finished.

A worker does so before it begins on a database that was never restored; `rebuilding` does it beside one that serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from libs.common.messaging.catching_up import catch_up
from libs.common.messaging.delivery import Delivery
from libs.common.messaging.faults import backoff_seconds, name_of
from libs.common.messaging.hearing import Hears
from libs.common.messaging.store import Partition
from libs.common.messaging.work import Work, begin
from libs.common.postgres.database import Database
from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from libs.common.settings import ServiceSettings

log = structlog.get_logger(__name__)

SQL = load_queries(Path(__file__).parent / "sql" / "rebuilding.sql")
_WAIT_SECONDS = 0.5


async def nothing_left(_: Work) -> None:
    """Nothing is left to do when all was read."""


@dataclass(frozen=True)
class Plan:
    """What makes the database of `service` anew.

    `passes` are tables as a worker has one; the topics of each are read to their end before the next begins.
    `finish` does what is left when all was read; it may come again. `made` names the service's tables that are made
    of that: those that are not named are kept by no topic. `seeds` are taken over before anything is read: who was
    erased must stay so, though the tombstone may be gone (B7). Of `kept`, no rows may be missing afterwards. Who holds
    `held` in exclusive mode lets nobody decide anything.
    """

    service: str
    passes: tuple[tuple[Hears, ...], ...]
    finish: Callable[[Work], Awaitable[None]] = nothing_left
    made: frozenset[str] = frozenset()
    seeds: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    held: tuple[str, ...] = ("consumed",)


async def restore(
    plan: Plan, database: Database, settings: ServiceSettings, *, is_done: Callable[[Connection], Awaitable[bool]]
) -> None:
    """Make `database` anew unless it `is_done`, waiting as long as PostgreSQL or Kafka is away.

    What was read stays read: who is killed in between goes on from there. Of several workers one does it, and the
    others wait; `plan.finish` has to see to it that it `is_done` afterwards.
    """
    for wait_seconds in backoff_seconds(first=0.2):
        try:
            async with database.transaction() as connection:
                if await is_done(connection):
                    return
            async with _alone(database) as connection:
                if not await is_done(connection):
                    await read_passes(plan, database, settings)
                return
        except Exception as fault:
            log.warning("restoring interrupted", service=plan.service, fault=name_of(fault))
            await asyncio.sleep(wait_seconds)


async def read_passes(
    plan: Plan,
    database: Database,
    settings: ServiceSettings,
    *,
    until: Callable[[Partition], int | None] = lambda _: None,
) -> int:
    """Read every pass to its end as of now, or to where `until` says, and finish; answers how many records it read."""
    records = 0
    for hears in plan.passes:
        delivery = Delivery(database, service=plan.service, hears=hears)
        records += await catch_up(
            delivery, delivery.hearing.topics, bootstrap=settings.kafka_bootstrap,
            client_id=f"cairn-{plan.service}-restoring", batch_records=settings.batch_records,
            until=until,
        )  # fmt: skip
    async with begin(database) as work:
        await plan.finish(work)
    return records


@asynccontextmanager
async def _alone(database: Database) -> AsyncGenerator[Connection]:
    """A connection whose session has the lock of restoring; a lost connection gives it back."""
    async with database.pool.acquire() as connection:
        while not await connection.fetchval(SQL["try_to_restore"]):  # noqa: ASYNC110 - PostgreSQL's event
            await asyncio.sleep(_WAIT_SECONDS)
        try:
            yield connection
        finally:
            if not connection.is_closed():
                await connection.fetchval(SQL["end_restoring"])

"""A service's tables made anew from the topics beside those that serve, then put in their place (B2, B6).

Everything happens in one database. The new tables grow in a schema of their own, by the worker's own handlers, while
api and worker go on with the old ones. The switch is one transaction that renames two schemas: whoever holds a
prepared statement has it planned again, on the new tables, so no connection is lost and no request fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
import structlog

from libs.common.contracts.topics import READ_AS_HANDLED, dead_letters
from libs.common.messaging.publisher import Publisher
from libs.common.messaging.relay import SHARD
from libs.common.messaging.restoring import SQL, Plan, read_passes
from libs.common.messaging.store import Partition
from libs.common.postgres.database import Database
from libs.common.postgres.migrate import migrate

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from libs.common.settings import ServiceSettings

log = structlog.get_logger(__name__)

BESIDE = "cairn_rebuilt"
# What delivery keeps for itself: made by reading, and of no use to another reader.
DELIVERY_TABLES = frozenset({
    "consumed", "dead_letter", "dead_letter_audit", "inbox", "outbox", "parked", "parked_key", "relay_batch",
    "schema_migration", "worker_heartbeat",
})  # fmt: skip
# So few records are read while nobody decides anything.
_NEARLY_THERE_RECORDS = 2000
_TELLING_SECONDS = 30.0
_POLL_SECONDS = 0.05
_STATEMENT_SECONDS = 3600.0


class RebuildRefusedError(Exception):
    """The rebuilt tables were not put in place: what was expected and what was found. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: records read, tables carried over from before, how long, and how long deciding waited."""

    records: int
    carried: tuple[str, ...]
    seconds: float
    held_seconds: float


async def rebuild(
    plan: Plan, settings: ServiceSettings, migrations: Sequence[Path], *, accept_loss: bool = False
) -> Rebuilt:
    """Make the tables of `plan.service` anew and put them in the place of those that serve.

    Api and worker may run meanwhile, or not; who was killed in between goes on from there. A database that is absent
    is made. Raises `RebuildRefusedError` when messages wait to be told and nobody tells them, or when rows of
    `plan.kept` would be missing, unless that is meant (`accept_loss`): topics may have forgotten.
    """
    started = time.monotonic()
    dsn = settings.database_dsn.get_secret_value()
    await migrate(dsn, migrations)
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=_STATEMENT_SECONDS)
    try:
        await connection.execute(SQL["make_beside"])
        await migrate(beside(dsn), migrations)
        database = await Database.connect(beside(dsn), application_name=f"cairn-{plan.service}-rebuild", min_size=0)
        try:
            for name in plan.seeds:
                await connection.execute(await connection.fetchval(SQL["seed_statement"], name))
            records = await _read_up(connection, plan, database, settings)
            position = await _committed_position(plan, settings)
            await connection.execute(SQL["drop_before"])
            held_at = time.monotonic()
            more, carried = await _switch(connection, plan, database, settings, position, accept_loss=accept_loss)
            held_seconds = time.monotonic() - held_at
        finally:
            await database.close()
        await connection.execute(SQL["drop_before"])
    finally:
        await connection.close()
    rebuilt = Rebuilt(records + more, carried, time.monotonic() - started, held_seconds)
    log.info("rebuilt", service=plan.service, records=rebuilt.records, carried=carried)
    return rebuilt


def beside(dsn: str) -> str:
    """The same database as at `dsn`, with the tables that grow beside those that serve."""
    parts = urlsplit(dsn)
    query = {**dict(parse_qsl(parts.query)), "search_path": BESIDE}
    return parts._replace(query=urlencode(query)).geturl()


async def _limits(connection: Connection) -> Callable[[Partition], int | None]:
    """Where reading has to stop: what may name a person is read as far as those who serve have handled it.

    A tombstone beyond has yet to take from the tables that go along what is kept of its learner (B7): the worker hears
    it afterwards, as if nothing had been rebuilt. A database that is lost has handled nothing, and is read whole.
    """
    rows = await connection.fetch(SQL["handled"], sorted(READ_AS_HANDLED))
    handled = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    def until(place: Partition) -> int | None:
        topic, partition = place
        return handled.get((topic, partition), 0) if handled and topic in READ_AS_HANDLED else None

    return until


async def _read_up(connection: Connection, plan: Plan, database: Database, settings: ServiceSettings) -> int:
    """Read until little is left, so that the rest takes no time."""
    records = 0
    while True:
        read = await read_passes(plan, database, settings, until=await _limits(connection))
        records += read
        if read < _NEARLY_THERE_RECORDS:
            return records


async def _switch(
    connection: Connection, plan: Plan, database: Database, settings: ServiceSettings, position: int, *,
    accept_loss: bool,
) -> tuple[int, tuple[str, ...]]:  # fmt: skip
    """Read the last records while nobody decides anything, and put the new tables in place."""
    async with connection.transaction():
        await connection.execute(SQL["limit_lock_wait"])
        await connection.execute(await connection.fetchval(SQL["hold_statement"], list(plan.held)))
        await _until_told(connection, plan)
        records = await read_passes(plan, database, settings, until=await _limits(connection))
        await _require_no_more(connection, plan)
        await _require_all(connection, plan, accept_loss=accept_loss)
        await connection.execute(SQL["hold_relay"])
        await _require_told(connection, plan)
        carried = await _kept_by_no_topic(connection, plan)
        if carried:
            await connection.execute(await connection.fetchval(SQL["hold_statement"], list(carried)))
        await connection.execute(SQL["put_in_place"])
        await connection.execute(SQL["drop_retold"], sorted(READ_AS_HANDLED))
        await connection.execute(SQL["take_over_position"], position)
        await _carry_over(connection, carried)
    return records, carried


async def _until_told(connection: Connection, plan: Plan) -> None:
    """Wait until the relay has told all that was decided: what is told is read again, and nothing else."""
    deadline = time.monotonic() + _TELLING_SECONDS
    while await connection.fetchval(SQL["untold"]) and time.monotonic() < deadline:  # noqa: ASYNC110 - the relay's doing
        await asyncio.sleep(_POLL_SECONDS)
    await _require_told(connection, plan)


async def _require_told(connection: Connection, plan: Plan) -> None:
    waiting = await connection.fetchval(SQL["untold"])
    if waiting:
        raise RebuildRefusedError(
            f"{plan.service}: expected all to be told, found {waiting} messages that wait: start its worker, and try"
            " again"
        )


async def _require_no_more(connection: Connection, plan: Plan) -> None:
    """Nothing of learners was handled here that is not handled there: their erasures would be undone (B7)."""
    if await connection.fetchval(SQL["ahead"], sorted(READ_AS_HANDLED)):
        raise RebuildRefusedError(
            f"{plan.service}: expected the worker to have handled what is told of learners, found it behind what was"
            " read: start its worker, and try again"
        )


async def _require_all(connection: Connection, plan: Plan, *, accept_loss: bool) -> None:
    topics = sorted({row.topic for hears in plan.passes for row in hears})
    if await connection.fetchval(SQL["behind"], topics):
        raise RebuildRefusedError(f"{plan.service}: expected to read what was handled, found the topics to be shorter")
    for name in plan.kept:
        row = await connection.fetchrow(await connection.fetchval(SQL["count_statement"], name))
        assert row is not None
        if row[1] < row[0] and not accept_loss:
            raise RebuildRefusedError(
                f"{plan.service}: expected {row[0]} rows of {name}, found {row[1]}: the topics do not hold all of it"
                " any more. To go on all the same, accept the loss."
            )


async def _kept_by_no_topic(connection: Connection, plan: Plan) -> tuple[str, ...]:
    """The tables to take along, what others refer to first."""
    rows = await connection.fetch(SQL["tables_that_serve"])
    refers = {row["name"]: {name.rpartition(".")[2] for name in row["refers_to"]} for row in rows}
    return in_order({name: refers[name] for name in refers.keys() - plan.made - DELIVERY_TABLES})


async def _carry_over(connection: Connection, carried: Sequence[str]) -> None:
    """Take these tables along; every counter goes on from where it was."""
    rows = [await connection.fetchrow(SQL["carry_statements"], name) for name in carried]
    statements = [row for row in rows if row is not None]
    for delete, _ in reversed(statements):
        await connection.execute(delete)
    for _, insert in statements:
        await connection.execute(insert)
    await connection.execute(SQL["count_on"])


def in_order(refers: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Names in an order in which each comes after those that it refers to; what is not among them does not count."""
    ordered: list[str] = []
    left = {name: (found & refers.keys()) - {name} for name, found in refers.items()}
    while left:
        free = sorted(name for name, found in left.items() if found <= set(ordered)) or sorted(left)[:1]
        ordered += free
        left = {name: found for name, found in left.items() if name not in ordered}
    return tuple(ordered)


async def _committed_position(plan: Plan, settings: ServiceSettings) -> int:
    """How many batches Kafka has from this service; 0 when none."""
    name = f"relay-{plan.service}-{SHARD}"
    publisher = Publisher(settings.kafka_bootstrap, name=name, marker=dead_letters(plan.service))
    try:
        return await publisher.committed_position() or 0
    finally:
        await publisher.stop()

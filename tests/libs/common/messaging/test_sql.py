"""Every named query of delivery runs against a real server (taste 7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from libs.common.messaging import dead_letters, relay, store
from libs.common.postgres import migrate
from libs.common.postgres.database import Database

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

QUERIES = [
    *((f"messaging.{name}", sql) for name, sql in store.SQL.items()),
    *((f"dead_letters.{name}", sql) for name, sql in dead_letters.SQL.items()),
    *((f"relay.{name}", sql) for name, sql in relay.SQL.items()),
    *((f"migrate.{name}", sql) for name, sql in migrate.SQL.items()),
]
SAMPLES: dict[str, Any] = {
    "text": "waiting", "int4": 1, "int8": 1, "bytea": b"k", "uuid": uuid4(), "timestamptz": datetime.now(UTC),
    "text[]": ["waiting"], "int4[]": [1], "int8[]": [1], "bytea[]": [b"k"], "uuid[]": [uuid4()],
    "bool": True,
}  # fmt: skip


async def test_every_query_runs(database: Database) -> None:
    async with database.pool.acquire() as connection:
        for name, sql in QUERIES:
            transaction = connection.transaction()
            await transaction.start()
            try:
                await run(connection, sql)
            except asyncpg.IntegrityConstraintViolationError:
                pass  # it ran: the sample values refer to no rows
            except asyncpg.PostgresError as fault:
                pytest.fail(f"{name}: {fault}")
            finally:
                await transaction.rollback()


async def run(connection: Connection, sql: str) -> None:
    if ";" in sql:
        await connection.execute(sql)  # two statements in one take no parameters
        return
    statement = await connection.prepare(sql)
    await statement.fetch(*(SAMPLES[parameter.name] for parameter in statement.get_parameters()))

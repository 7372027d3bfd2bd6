"""A transaction is committed on a clean exit and rolled back otherwise."""

from __future__ import annotations

import pytest

from libs.common.postgres.database import Database


async def test_a_transaction_is_all_or_nothing(database_dsn: str) -> None:
    database = await Database.connect(database_dsn, application_name="test")
    await database.pool.execute("create table first (id int)")
    async with database.transaction() as connection:
        await connection.execute("insert into first values (1)")
    with pytest.raises(RuntimeError):
        async with database.transaction() as connection:
            await connection.execute("insert into first values (2)")
            raise RuntimeError
    assert await database.pool.fetchval("select array_agg(id) from first") == [1]
    assert await database.pool.fetchval("show application_name") == "test"
    await database.close()


async def test_a_pool_can_be_made_while_the_database_is_away() -> None:
    database = await Database.connect("postgresql://nobody@127.0.0.1:1/none", application_name="test", min_size=0)
    with pytest.raises(OSError, match="Connect call failed"):
        await database.pool.fetchval("select 1")
    await database.close()


async def test_a_connection_given_back_within_a_transaction_is_clean_for_the_next_use(database_dsn: str) -> None:
    database = await Database.connect(database_dsn, application_name="test", max_size=1)
    async with database.pool.acquire() as connection:
        await connection.execute("begin; create table first (id int)")
    assert await database.pool.fetchval("select to_regclass('first')") is None
    await database.close()

"""Migrations are applied in order, once, whoever else applies them at the same time, and never change."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from libs.common.postgres.migrate import MigrationError, migrate


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "awarding" / "sql" / "migrations"
    write(folder, "0001_first.sql", "create table first (id int); insert into first values (1);")
    write(folder, "0002_second.sql", "insert into first values (2);")
    return folder


async def numbers(dsn: str) -> list[int]:
    connection = await asyncpg.connect(dsn)
    try:
        return [row["id"] for row in await connection.fetch("select id from first order by id")]
    finally:
        await connection.close()


async def test_files_are_applied_in_order_and_once(database_dsn: str, folder: Path) -> None:
    assert await migrate(database_dsn, [folder]) == ["awarding/0001_first.sql", "awarding/0002_second.sql"]
    assert await migrate(database_dsn, [folder]) == []
    write(folder, "0003_third.sql", "insert into first values (3);")
    assert await migrate(database_dsn, [folder]) == ["awarding/0003_third.sql"]
    assert await numbers(database_dsn) == [1, 2, 3]


async def test_many_processes_may_migrate_at_once(database_dsn: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(database_dsn, [folder]) for _ in range(6)))
    assert sum(len(names) for names in applied) == 2
    assert await numbers(database_dsn) == [1, 2]


async def test_a_changed_file_is_refused(database_dsn: str, folder: Path) -> None:
    await migrate(database_dsn, [folder])
    write(folder, "0001_first.sql", "create table first (id bigint);")
    with pytest.raises(MigrationError, match=r"0001_first\.sql was changed after it was applied"):
        await migrate(database_dsn, [folder])


async def test_a_failing_file_leaves_nothing_behind(database_dsn: str, folder: Path) -> None:
    write(folder, "0003_third.sql", "insert into first values (3); select 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(database_dsn, [folder])
    assert await numbers(database_dsn) == [1, 2]
    write(folder, "0003_third.sql", "insert into first values (3);")
    assert await migrate(database_dsn, [folder]) == ["awarding/0003_third.sql"]


async def test_a_lock_held_by_a_running_service_is_waited_out(database_dsn: str, folder: Path) -> None:
    await migrate(database_dsn, [folder])
    write(folder, "0003_third.sql", "alter table first add column name text;")
    holder = await asyncpg.connect(database_dsn)
    async with holder.transaction():
        await holder.execute("lock table first in access share mode")
        task = asyncio.create_task(migrate(database_dsn, [folder]))
        await asyncio.sleep(2.5)  # longer than one lock_timeout
        assert not task.done()
    assert await task == ["awarding/0003_third.sql"]
    await holder.close()


async def test_a_database_that_does_not_exist_is_created(postgres_dsn: str, folder: Path) -> None:
    name = f'new "{uuid4().hex}"'
    dsn = urlsplit(postgres_dsn)._replace(path="/" + name.replace(" ", "%20").replace('"', "%22")).geturl()
    await asyncio.gather(*(migrate(dsn, [folder]) for _ in range(3)))
    assert await numbers(dsn) == [1, 2]
    connection = await asyncpg.connect(postgres_dsn)
    quoted = name.replace('"', '""')
    await connection.execute(f'drop database "{quoted}" with (force)')
    await connection.close()


@pytest.mark.parametrize("name", ["1_first.sql", "0001-first.sql", "0002_again.sql"])
async def test_wrong_names_and_doubled_numbers_are_refused(database_dsn: str, folder: Path, name: str) -> None:
    write(folder, name, "select 1;")
    with pytest.raises(MigrationError):
        await migrate(database_dsn, [folder])


async def test_an_empty_folder_is_refused(database_dsn: str, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="found none"):
        await migrate(database_dsn, [tmp_path])

"""Forward-only migrations: numbered SQL files, each applied once, in order, and never changed afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import asyncpg
import structlog

from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

log = structlog.get_logger(__name__)

SQL = load_queries(Path(__file__).parent / "sql" / "migrate.sql")

_FILE_NAME = re.compile(r"^(?P<number>\d{4})_[a-z0-9_]+\.sql$")
_LOCK_ATTEMPTS = 30


class MigrationError(Exception):
    """A migration file cannot be used: it was changed after it was applied, or is named wrongly."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `room` is the folder that owns it (`messaging`, `awarding`), `name` the file's name."""

    room: str
    name: str
    statements: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hex; line ends do not count."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


async def migrate(dsn: str, directories: Sequence[Path]) -> list[str]:
    """Bring the database at `dsn` up to date; create it when it does not exist yet.

    `directories` are `…/<room>/sql/migrations` folders, applied in the given order. Returns the names (`room/file`)
    applied by this call. Safe to run from many processes at once: one applies, the others wait. Raises
    `MigrationError` when an applied file has changed.
    """
    migrations = [found for directory in directories for found in read_migrations(directory)]
    connection = await _connect(dsn)
    try:
        # Taken before any lock timeout is set: waiting for another process's migrations is not a fault.
        await connection.execute(SQL["lock_migrations"])
        await connection.execute(SQL["create_table"])
        await connection.execute(SQL["limit_lock_waits"])
        return [f"{migration.room}/{migration.name}" for migration in migrations if await _apply(connection, migration)]
    finally:
        await connection.close()


def read_migrations(directory: Path) -> list[Migration]:
    """The migrations in `directory`, by number; raises `MigrationError` on a wrong or doubled number."""
    room, found, numbers = directory.parent.parent.name, list[Migration](), set[str]()
    for path in sorted(directory.glob("*.sql")):
        match = _FILE_NAME.match(path.name)
        if match is None:
            raise MigrationError(f"{path}: expected a name such as 0001_first_tables.sql")
        if match["number"] in numbers:
            raise MigrationError(f"{path}: the number {match['number']} is taken twice")
        numbers.add(match["number"])
        found.append(Migration(room, path.name, path.read_text(encoding="utf-8")))
    if not found:
        raise MigrationError(f"{directory}: expected at least one migration, found none")
    return found


async def _connect(dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await asyncpg.connect(dsn, timeout=10)
    except asyncpg.InvalidCatalogNameError:
        await _create_database(dsn)
        return await asyncpg.connect(dsn, timeout=10)


async def _create_database(dsn: str) -> None:
    name = unquote(urlsplit(dsn).path.lstrip("/"))
    connection = await asyncpg.connect(dsn, database="postgres", timeout=10)
    try:
        await connection.execute(await connection.fetchval(SQL["create_database_statement"], name))
        log.info("database created", database=name)
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # another process was first
    finally:
        await connection.close()


async def _apply(connection: Connection, migration: Migration) -> bool:
    applied = await connection.fetchval(SQL["checksum_of"], migration.room, migration.name)
    if applied is not None:
        if applied != migration.checksum:
            raise MigrationError(
                f"{migration.room}/{migration.name} was changed after it was applied:"
                f" expected SHA-256 {applied}, found {migration.checksum}; add a new migration instead"
            )
        return False
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            async with connection.transaction():
                await connection.execute(migration.statements)
                await connection.execute(SQL["note_applied"], migration.room, migration.name, migration.checksum)
        except asyncpg.LockNotAvailableError:
            # Running services hold locks for one batch; do not queue behind them and block all others.
            if attempt == _LOCK_ATTEMPTS:
                raise
            await asyncio.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - jitter, not a secret
        else:
            log.info("migration applied", room=migration.room, name=migration.name)
            return True
    raise AssertionError("unreachable")

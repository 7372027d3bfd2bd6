"""Callers are counted by all processes together, and by each alone while the database is away (SR-21)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from libs.common.postgres.database import Database
from libs.common.postgres.turns import SharedTurns
from libs.common.problems import Problem
from libs.common.web.pace import Pace
from services.verification.settings import VerificationSettings
from tests.libs.common.checking.world import PNG
from tests.services.verification.support import Service, running

SECRET = "a secret that processes share"
CALLER = "192.0.2.7"


@asynccontextmanager
async def two(database_dsn: str, folder: Path, **settings: Any) -> AsyncIterator[tuple[Service, Service]]:
    """Two processes of verification on one database."""
    chosen = {"pace_secret": SecretStr(SECRET), **settings}
    async with running(database_dsn, folder, **chosen) as first, running(database_dsn, folder, **chosen) as second:
        yield first, second
        for service in (first, second):
            service.app.state.parts.verifier.close()


async def verified(service: Service) -> int:
    """The status of a request to verify something."""
    return (await service.client.post("/verifications", content=PNG)).status_code


async def test_two_processes_count_together(database_dsn: str, tmp_path: Path) -> None:
    async with two(database_dsn, tmp_path, verifications_per_minute=3, codes_per_minute=2) as (first, second):
        assert [await verified(service) for service in (first, second, first)] == [200] * 3
        refused = await second.client.post("/verifications", content=PNG)
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert await verified(first) == 429
        # Short codes have turns of their own.
        statuses = [(await service.get("/c/7KQ2MZ4PXR3W")).status_code for service in (first, second, second, first)]
        assert statuses == [404, 404, 429, 429]
        rows = await first.database.pool.fetch("select caller from caller_turns")
        assert {len(row["caller"]) for row in rows} == {16}
        # Nobody who has the table alone can look an address up in it.
        for name in ("127.0.0.1", "verifications 127.0.0.1", "codes 127.0.0.1"):
            assert hashlib.sha256(name.encode()).digest()[:16] not in {row["caller"] for row in rows}


async def test_a_refusal_is_known_without_asking_again(database_dsn: str, tmp_path: Path) -> None:
    async with two(database_dsn, tmp_path, verifications_per_minute=1) as (first, second):
        assert [await verified(first), await verified(second)] == [200, 429]
        await first.database.pool.execute("truncate caller_turns")
        assert await verified(second) == 429


async def test_without_the_table_each_process_counts_alone(database_dsn: str, tmp_path: Path) -> None:
    """Verification outlives its database: a count that cannot be had refuses nobody, and the process's own holds."""
    async with (
        two(database_dsn, tmp_path, verifications_per_minute=2) as (first, second),
        first.database.transaction() as connection,
    ):
        await connection.execute("lock table caller_turns in access exclusive mode")
        assert [await verified(service) for service in (first, second, first, second)] == [200] * 4
        assert [await verified(service) for service in (first, second)] == [429] * 2


async def test_a_database_that_is_away_is_left_alone_for_a_while() -> None:
    now = [0.0]
    away = await Database.connect("postgresql://nobody@127.0.0.1:1/nothing", application_name="test", min_size=0)
    asked: list[str] = []

    def database() -> Database:
        asked.append("")
        return away

    pace = Pace(60, lambda: now[0], shared=SharedTurns(database, b"secret"))
    for _ in range(10):
        await pace.take(CALLER)
    assert len(asked) == 1
    now[0] = 6.0
    await pace.charge(CALLER, 1)
    await pace.take(CALLER)
    assert len(asked) == 2
    with pytest.raises(Problem):
        for _ in range(61):
            await pace.take(CALLER)
    await away.close()


async def test_turns_come_back_are_charged_and_forgotten(database_dsn: str, tmp_path: Path) -> None:
    async with running(database_dsn, tmp_path) as service:
        turns = SharedTurns(lambda: service.database, b"secret")
        assert [await turns.take("ada", 20, 60) for _ in range(3)] == [None] * 3
        wait = await turns.take("ada", 20, 60)
        assert wait is not None
        assert 19 < wait <= 20
        pool = service.database.pool
        await pool.execute("update caller_turns set full_at = full_at - interval '20 seconds'")
        assert await turns.take("ada", 20, 60) is None
        await turns.charge("ben", 100)
        owed = await turns.take("ben", 20, 60)
        assert owed is not None
        assert 59 < owed <= 60
        assert await turns.forget()
        await pool.execute("update caller_turns set full_at = now() - interval '1 second'")
        assert not await turns.forget()
        assert await pool.fetchval("select count(*) from caller_turns") == 0
        # However many turns a minute has, all of them are there.
        for number in (7, 13, 59, 1000):
            taken = [await turns.take(f"of {number}", 60 / number, 60) for _ in range(number)]
            assert taken == [None] * number


async def test_without_a_secret_nothing_is_kept(database_dsn: str, tmp_path: Path) -> None:
    async with running(database_dsn, tmp_path) as service:
        assert await verified(service) == 200
        assert await service.database.pool.fetchval("select count(*) from caller_turns") == 0


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        VerificationSettings(database_dsn=SecretStr("postgresql://x"), pace_secret=SecretStr("short"))

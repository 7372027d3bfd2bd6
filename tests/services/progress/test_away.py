"""When the database is away the door says so, and works again by itself when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.local.postgres import LocalPostgres
from deploy.local.server import free_port
from services.progress import api
from services.progress.settings import ProgressSettings
from tests.doors import open_doors, prepare_database
from tests.services.progress.support import read, scored, send
from tests.tokens import ISSUER, TokenMint


@pytest.fixture
def server() -> Iterator[LocalPostgres]:
    """A PostgreSQL of the test's own, which it may stop."""
    with TemporaryDirectory(prefix="cairn-away-", ignore_cleanup_errors=True) as folder:
        server = LocalPostgres(Path(folder), free_port(), durable=False)
        server.start()
        yield server
        server.stop()


async def test_the_door_answers_503_until_the_database_is_back(server: LocalPostgres, mint: TokenMint) -> None:
    await prepare_database(server.dsn("progress"), "progress")
    settings = ProgressSettings(
        database_dsn=server.dsn("progress"),  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=ISSUER,
    )
    async with open_doors(api.create(settings)) as doors:
        assert (await send(doors, mint, scored())).status_code == 202
        server.stop()
        for _ in range(2):  # a connection that breaks, and one that cannot be made
            away = await send(doors, mint, scored(number=2))
            assert (away.status_code, away.headers["content-type"]) == (503, "application/problem+json")
            assert int(away.headers["retry-after"]) > 0
        assert (await read(doors, mint, "/learners/ada/progress")).status_code == 503
        assert (await doors.get("/readyz")).status_code == 503
        assert (await doors.get("/healthz")).status_code == 200
        server.start()
        again = await send(doors, mint, scored(), scored(number=2))
        assert (again.status_code, again.json()["accepted"], again.json()["duplicates"]) == (202, 1, 1)
        assert (await doors.get("/readyz")).status_code == 200

"""The embedded PostgreSQL: starts, survives SIGKILL, and says plainly what stops it (issue 3: 1)."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.postgres import LocalPostgres
from deploy.local.server import CannotStart, free_port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalPostgres]:
    server = LocalPostgres(tmp_path / "postgres", free_port(), durable=False)
    server.start()
    yield server
    server.stop()


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_killed_server_keeps_what_was_committed(server: LocalPostgres) -> None:
    await ask(server.dsn(), "CREATE TABLE kept (x int)")
    await ask(server.dsn(), "INSERT INTO kept VALUES (42)")
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server.start()
    assert await ask(server.dsn(), "SELECT x FROM kept") == 42


async def test_a_real_run_keeps_commits_through_a_crash_of_the_machine(tmp_path: Path) -> None:
    server = LocalPostgres(tmp_path / "postgres", free_port())
    server.start()
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await ask(server.dsn(), f"SHOW {setting}") == "on"
    finally:
        server.stop()


async def test_only_who_knows_the_password_enters(server: LocalPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://postgres:guess@127.0.0.1:{server.port}/postgres")
    assert (server.directory / "password").stat().st_mode & 0o077 == 0


async def test_starts_though_the_old_pid_now_belongs_to_another_program(server: LocalPostgres) -> None:
    os.kill(server.pid, signal.SIGKILL)
    pid_file = server.cluster / "postmaster.pid"
    lines = pid_file.read_text().splitlines(keepends=True)
    server.stop()
    other = await asyncio.create_subprocess_exec("sleep", "60")
    pid_file.write_text("".join([f"{other.pid}\n", *lines[1:]]))
    try:
        server.start()
        assert await ask(server.dsn(), "SELECT 1") == 1
    finally:
        other.kill()
        await other.wait()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=f"PostgreSQL: port {port} is taken"):
            LocalPostgres(tmp_path / "postgres", port).start()


def test_a_directory_serves_one_run_at_a_time(server: LocalPostgres) -> None:
    with pytest.raises(CannotStart, match="is in use by another run"):
        LocalPostgres(server.directory, free_port()).start()


def test_no_server_outlives_its_killed_owner_for_the_next_run(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    owner = (
        "import os, signal, pathlib; from deploy.local.postgres import LocalPostgres\n"
        f"server = LocalPostgres(pathlib.Path({str(directory)!r}), {free_port()}, durable=False)\n"
        "server.start(); print(server.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.run([sys.executable, "-c", owner], capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL
    server = LocalPostgres(directory, free_port(), durable=False)
    server.start()
    try:
        assert int(died.stdout) not in {
            process.pid for process in psutil.process_iter(["status"]) if process.info["status"] != psutil.STATUS_ZOMBIE
        }
    finally:
        server.stop()

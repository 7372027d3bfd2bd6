"""`cairn up`: one at a time, nothing left behind even when it is killed itself, and plain words when it cannot."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import orjson
import psutil
import pytest

from deploy.local.running import find_running
from deploy.local.server import CannotStart
from deploy.local.system import Shape, free_ports, running_system

READY_SECONDS = 90


async def test_up_and_down_and_killed(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    first = await _up(directory)
    family = _family(first.pid)
    # PostgreSQL, Kafka and the eight processes, at the least.
    assert len(family) >= 10
    found = find_running(directory)
    assert found is not None
    assert found.pid == first.pid
    assert "already running" in await _cannot(directory)
    dead_letters = await _run("dead-letters", "list", "--json", "--state", str(directory))
    assert orjson.loads((await dead_letters.communicate())[0]) == []
    assert dead_letters.returncode == 0

    # Killed outright: what it had started ends all the same, and the directory is good for another start.
    os.kill(first.pid, signal.SIGKILL)
    await first.wait()
    await asyncio.to_thread(psutil.wait_procs, family, 40)
    assert [process for process in family if process.is_running()] == []
    assert find_running(directory) is None

    second = await _up(directory)
    family = _family(second.pid)
    second.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(second.wait(), 60) == 0
    assert [process for process in family if process.is_running()] == []
    assert find_running(directory) is None


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    ports = free_ports()
    taken = f"awarding: port {ports['awarding']} is taken"
    with socket.create_server(("127.0.0.1", ports["awarding"])), pytest.raises(CannotStart, match=taken):
        async with running_system(tmp_path, Shape(ports=ports, durable=False)):
            pass
    # Said before anything was started.
    assert not (tmp_path / "postgres").exists()


async def test_a_process_that_cannot_start_is_named_with_its_reason(tmp_path: Path) -> None:
    shape = Shape(ports=free_ports(), durable=False, settings={"CAIRN_BATCH_RECORDS": "many"})
    said: list[str] = []
    with pytest.raises(CannotStart, match=r"(enrollment|progress|awarding|verification)-(api|worker): .*log"):
        async with running_system(tmp_path, shape, say=said.append):
            pass
    assert any("starting it again" in line for line in said)


async def _up(directory: Path) -> asyncio.subprocess.Process:
    """Start `cairn up` and wait until it says that it is ready."""
    process = await _run("up", "--free-ports", "--state", str(directory))
    assert process.stderr is not None
    async with asyncio.timeout(READY_SECONDS):
        while line := await process.stderr.readline():
            if line.startswith(b"Ready"):
                return process
    raise AssertionError(f"cairn up ended with {await process.wait()}")


async def _cannot(directory: Path) -> str:
    process = await _run("up", "--free-ports", "--state", str(directory))
    _, said = await process.communicate()
    assert process.returncode == 4
    return said.decode()


async def _run(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("cairn")), *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def _family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)

"""The process without: starts the sandbox, hands it jobs, and kills it when a job takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import orjson

_ROOT = Path(__file__).parents[3]


class Killed(Exception):
    """A job took more time or memory than it may."""


class NotStarted(Killed):
    """The process does not start: no fault of the job."""


class Sandbox:
    """One process that does one job at a time; it is started by the first job, and anew after it was killed."""

    def __init__(self, seconds: float = 4.0, jobs: str = "libs.common.sandbox.jobs", *, cpu_seconds: int = 2) -> None:
        """A job of the module `jobs` may take `cpu_seconds` of a core, and is given up after `seconds` by the clock."""
        self._seconds = seconds
        self._cpu_seconds = cpu_seconds
        self._jobs = jobs
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., Sandbox] | None = None

    async def do(self, job: str, **values: Any) -> dict[str, Any]:
        """The result of `job` (a name in the module's JOBS) for `values`. Raises `Killed`."""
        return await asyncio.to_thread(self._do, {"job": job, **values})

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._kill()

    def _do(self, job: dict[str, Any]) -> dict[str, Any]:
        content = orjson.dumps(job)
        with self._lock:
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(len(content).to_bytes(4) + content)
                process.stdin.flush()
                deadline = time.monotonic() + self._seconds
                size = int.from_bytes(_read(process.stdout.fileno(), 4, deadline))
                return orjson.loads(_read(process.stdout.fileno(), size, deadline))
            except (OSError, EOFError, TimeoutError) as fault:
                self._kill()
                raise Killed(f"{job['job']}: {type(fault).__name__}") from None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._kill()
        # Nothing of the environment goes along: no secret, no proxy.
        command = [sys.executable, "-m", "libs.common.sandbox", self._jobs, str(self._cpu_seconds)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, cwd=_ROOT, env={"PATH": os.defpath, "PYTHONPATH": str(_ROOT)},
        )  # fmt: skip
        self._process, self._end = process, weakref.finalize(self, _kill, process)
        self._await_ready(process)
        return process

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        """The start loads libraries: its time is none of the job's."""
        assert process.stdin is not None
        assert process.stdout is not None
        content = orjson.dumps({"job": "ready"})
        try:
            process.stdin.write(len(content).to_bytes(4) + content)
            process.stdin.flush()
            size = int.from_bytes(_read(process.stdout.fileno(), 4, time.monotonic() + 30))
            _read(process.stdout.fileno(), size, time.monotonic() + 5)
        except (OSError, EOFError, TimeoutError):
            self._kill()
            raise NotStarted("the sandbox does not start") from None

    def _kill(self) -> None:
        if self._end is not None:
            self._end()
        self._process = self._end = None


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not written yet has no reader any more
                pipe.close()


def _read(descriptor: int, size: int, deadline: float) -> bytes:
    """Exactly `size` bytes, until `deadline` on the monotonic clock."""
    content = bytearray()
    while len(content) < size:
        if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        chunk = os.read(descriptor, size - len(content))
        if not chunk:
            raise EOFError
        content += chunk
    return bytes(content)

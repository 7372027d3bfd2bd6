"""What the embedded servers share: a claimed directory, a free port, a child that does not outlive its owner."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from deploy.local.home import megabytes_missing
from deploy.local.refusal import CannotStart


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on.

    Taken below the range that the kernel hands out to clients, so that no outgoing connection
    takes it between this answer and its use.
    """
    for _ in range(200):
        port = random.randrange(20_000, 32_000)  # noqa: S311 - not a secret
        if is_free(port):
            return port
    raise CannotStart("no free port between 20000 and 32000 on 127.0.0.1: stop some programs and try again")


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def require_port(server: str, port: int) -> None:
    """Refuse with `CannotStart` unless 127.0.0.1:`port` is free for `server`."""
    if not is_free(port):
        raise CannotStart(
            f"{server}: port {port} is taken by another program: stop that program or choose another port"
        )


def require_space(server: str, directory: Path, megabytes: int) -> None:
    """Refuse with `CannotStart` unless the disk under `directory` has `megabytes` free."""
    missing = megabytes_missing(directory, megabytes)
    if missing:
        raise CannotStart(f"{server}: the disk of {directory} is full: free at least {missing} MB more")


class Claim:
    """The right to run one server in one directory, held until `release` or the end of this process."""

    def __init__(self, server: str, directory: Path) -> None:
        self._server = server
        self._directory = directory
        self._lock: IO[str] | None = None

    def take(self) -> None:
        """Create the directory and lock it. `CannotStart` if another process runs this server there."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            lock = (self._directory / "lock").open("a+")
        except OSError as error:
            raise CannotStart(f"{self._server}: cannot write to {self._directory}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise CannotStart(
                f"{self._server}: {self._directory} is in use by another run: stop that one first (Ctrl-C)"
            ) from None
        self._lock = lock

    def release(self) -> None:
        """Give the directory free; harmless when it is not held."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class Child:
    """One server process with its log and pid files in `directory`.

    It has a session of its own, so that Ctrl-C reaches its owner only, who stops it in order. If the
    owner is killed, a watcher, which sees its pipe close, sends `stop_signal` in the owner's stead.
    """

    def __init__(self, name: str, directory: Path, stop_signal: signal.Signals) -> None:
        self.log = directory / f"{name}.log"
        self._pid_file = directory / f"{name}.pid"
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id, while started."""
        if self._process is None:
            raise RuntimeError(f"{self.log.stem} was not started")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs or was not started."""
        return None if self._process is None else self._process.poll()

    def is_alive(self) -> bool:
        """Whether the process was started and still runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Run `command` with its output appended to the log; `environment` replaces this process's own."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=self.log.parent, env=environment,
            )  # fmt: skip
        self._pid_file.write_text(f"{self._process.pid} {psutil.Process(self._process.pid).create_time()}\n")
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", 'trap "" INT TERM; read -r _ || kill -s "$1" "$2" 2>/dev/null', "watch",
             self._stop_signal.name.removeprefix("SIG"), str(self._process.pid)],
            stdin=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def wait_until(self, is_ready: Callable[[], bool], timeout_seconds: float) -> bool:
        """Ask `is_ready` until it says yes (True), or the process ends or the time is over (False)."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline and self.is_alive():
            if is_ready():
                return True
            time.sleep(0.03)
        return False

    def stop(self, timeout_seconds: float = 30) -> None:
        """Ask the process to stop, wait, and kill it if it has not stopped in time."""
        # Forgotten first: whoever looks meanwhile sees a process that was stopped, not one that died.
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(self._stop_signal)
            try:
                process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._pid_file.unlink(missing_ok=True)
        if self._watcher is not None:
            self._watcher.communicate(b"\n")
            self._watcher = None

    def stop_leftover(self, timeout_seconds: float = 30) -> None:
        """Stop the process that an earlier owner started here and, being killed, did not stop."""
        try:
            pid, created = self._pid_file.read_text().split()
            leftover = psutil.Process(int(pid))
            # A pid is used again after a reboot, so the start time must agree too.
            if abs(leftover.create_time() - float(created)) < 2:
                leftover.send_signal(self._stop_signal)
                if not _has_ended(leftover, timeout_seconds):
                    leftover.kill()
                    _has_ended(leftover, timeout_seconds)
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            pass
        self._pid_file.unlink(missing_ok=True)

    def why(self, since: int = 0) -> str:
        """The last telling line of the log after byte `since`, for the message of a `CannotStart`."""
        with self.log.open("rb") as log:
            log.seek(max(since, self.log.stat().st_size - 20_000))
            lines = log.read().decode(errors="replace").splitlines()
        if is_about_full_disk("".join(lines)):
            return "the disk is full: free some space and try again"
        telling = [line for line in lines if "FATAL" in line or "ERROR" in line or "Exception" in line]
        last = (telling or lines or ["it said nothing"])[-1].strip()
        return f"{last[:200]} (whole log: {self.log})"


def _has_ended(process: psutil.Process, timeout_seconds: float) -> bool:
    """Wait for a process that is no child of ours. A dead one that nobody reaps (in a container) has ended."""
    deadline = time.monotonic() + timeout_seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def is_about_full_disk(said: str) -> bool:
    """Whether a program's output tells of a full disk, in the system's words or in PostgreSQL's."""
    return "No space left on device" in said or "Check free disk space" in said


def log_size(path: Path) -> int:
    """The size of `path` in bytes, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def is_root() -> bool:
    """Whether this process runs as root."""
    return os.geteuid() == 0

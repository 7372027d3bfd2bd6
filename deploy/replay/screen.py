"""What a replay shows on stderr while it runs: a line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from deploy.replay.sending import Sent
from deploy.replay.watching import Snapshot

_LINE_SECONDS = 5.0


class Screen:
    """Shows the progress of a replay of `total` rows: rows/s, what waits, badges."""

    def __init__(self, console: Console, total: int, sent: Sent) -> None:
        self._console = console
        self._total = total
        self._sent = sent
        self._started_at = self._shown_at = time.monotonic()
        self._step = ""
        self._snapshot: Snapshot | None = None
        self._live = Live(console=console, get_renderable=self._line, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def step(self, name: str) -> None:
        """Say which step begins."""
        self._step = name
        self._print()

    def show(self, snapshot: Snapshot) -> None:
        """Show what the services said last."""
        self._snapshot = snapshot
        if time.monotonic() - self._shown_at > _LINE_SECONDS:
            self._print()

    def _print(self) -> None:
        self._shown_at = time.monotonic()
        if not self._console.is_terminal:
            self._console.print(self._line())

    def _line(self) -> Text:
        done = self._sent.learners + self._sent.enrollments + self._sent.events
        seconds = max(time.monotonic() - self._started_at, 0.001)
        parts = [f"{self._step}: {done:,} of {self._total:,} rows in {seconds:.0f} s, {done / seconds:,.0f}/s"]
        if self._snapshot is not None:
            now = self._snapshot
            parts.append(f"to tell {now.outbox:,}, lag {now.lag:,}, to look at again {now.recheck:,}")
            parts.append(f"badges {sum(now.badges.values()):,}")
        return Text(" · ".join(parts))

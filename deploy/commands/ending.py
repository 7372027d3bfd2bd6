"""How a command runs and ends: one line on stderr when something is wrong, and an exit code that says which."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any

import structlog
import typer
from rich.console import Console

from deploy.demo.links import NothingToShow
from deploy.doors import Refused, Unreachable
from deploy.local.server import CannotStart
from deploy.replay.oulad_files import InputError
from deploy.replay.watching import Unsettled
from libs.common.telemetry import StderrLogger

# Progress and trouble go to stderr, so that stdout holds results only.
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    INPUT = 3
    CANNOT_START = 4
    REFUSED = 5
    UNSETTLED = 6
    INTERRUPTED = 130


EXIT_CODES = (
    "Exit codes: 0 done; 1 fault; 2 wrong usage; 3 an input file is missing or malformed; 4 the embedded system"
    " cannot start; 5 a service refused or cannot be reached; 6 not everything came through in time;"
    " 130 interrupted."
)

_CODES: dict[type[Exception], Exit] = {
    InputError: Exit.INPUT,
    CannotStart: Exit.CANNOT_START,
    Refused: Exit.REFUSED,
    Unreachable: Exit.REFUSED,
    Unsettled: Exit.UNSETTLED,
    NothingToShow: Exit.FAULT,
}


class Signals:
    """Ctrl-C and SIGTERM while a command runs: they end the work, or a stay, and a second one is not heeded."""

    def __init__(self) -> None:
        self._work = asyncio.current_task()
        self._stay: asyncio.Event | None = None
        self._heeded = False
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._heed)

    async def stay(self) -> None:
        """Wait for Ctrl-C or SIGTERM, and return when it comes."""
        self._stay = asyncio.Event()
        await self._stay.wait()

    def _heed(self) -> None:
        stderr.print("Stopping …" if not self._heeded else "Still stopping, a moment …")
        if self._heeded:
            return
        self._heeded = True
        if self._stay is not None:
            self._stay.set()
        elif self._work is not None:
            self._work.cancel()


def run(main: Callable[[Signals], Coroutine[Any, Any, None]]) -> None:
    """Run a command's coroutine to its end; its foreseen faults become one line and their exit code."""

    # What the libraries log of their own is for services' logs; stdout holds results only.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=StderrLogger,
    )

    async def heedful() -> None:
        await main(Signals())

    try:
        asyncio.run(heedful())
    except tuple(_CODES) as fault:
        stderr.print(f"cairn: {fault}", style="red", markup=False)
        raise typer.Exit(next(code for kind, code in _CODES.items() if isinstance(fault, kind))) from None
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS):
            raise
        stderr.print(f"cairn: {fault.filename or 'cannot write'}: {fault.strerror}", style="red", markup=False)
        raise typer.Exit(Exit.CANNOT_START) from None
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise typer.Exit(Exit.INTERRUPTED) from None

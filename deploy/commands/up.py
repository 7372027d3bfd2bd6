"""`cairn up`: the whole system on this machine, until Ctrl-C."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.ending import EXIT_CODES, Signals, run, stderr
from deploy.local.running import up_directory
from deploy.local.system import Shape, running_system


def up(
    state: Annotated[
        Path | None, typer.Option("--state", help="Where its data are kept.", show_default=".cairn/run")
    ] = None,
    trace_file: Annotated[Path | None, typer.Option(help="Write the spans of all processes to this file.")] = None,
) -> None:
    run(lambda signals: _up(signals, state or up_directory(), trace_file))


up.__doc__ = f"""Start PostgreSQL, Kafka and the four services on this machine and keep them up until Ctrl-C.

    The data stay for the next time. {EXIT_CODES}
    """


async def _up(signals: Signals, directory: Path, trace_file: Path | None) -> None:
    started = time.monotonic()
    stderr.print("Starting PostgreSQL, Kafka and the four services …")
    async with running_system(directory, Shape(trace_file=trace_file), say=stderr.print) as system:
        stderr.print(f"Ready in {time.monotonic() - started:.1f} s. Logs: {system.directory / 'processes'}")
        for service, url in system.urls.items():
            stderr.print(f"  {service:13} {url}")
        stderr.print("Ctrl-C stops everything; the data stay.")
        await signals.stay()

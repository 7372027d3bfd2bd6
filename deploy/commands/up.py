"""`cairn up`: the whole system on this machine, until Ctrl-C."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.ending import Signals, run, stderr
from deploy.commands.options import FreePorts
from deploy.local import system
from deploy.local.running import up_directory


def up(
    state: Annotated[
        Path | None, typer.Option("--state", help="Where its data are kept.", show_default=".cairn/run")
    ] = None,
    free_ports: FreePorts = False,
    trace_file: Annotated[Path | None, typer.Option(help="Write the spans of all processes to this file.")] = None,
) -> None:
    """Start PostgreSQL, Kafka and the four services on this machine and keep them up until Ctrl-C.

    The data stay for the next time.
    """
    ports = system.free_ports() if free_ports else system.DEFAULT_PORTS
    shape = system.Shape(ports=ports, trace_file=trace_file)
    run(lambda signals: _up(signals, state or up_directory(), shape))


async def _up(signals: Signals, directory: Path, shape: system.Shape) -> None:
    started = time.monotonic()
    stderr.print("Starting PostgreSQL, Kafka and the four services …")
    async with system.running_system(directory, shape, say=stderr.print) as running:
        stderr.print(f"Ready in {time.monotonic() - started:.1f} s. Logs: {running.directory / 'processes'}")
        for service, url in running.urls.items():
            stderr.print(f"  {service:13} {url}")
        stderr.print("Ctrl-C stops everything; the data stay.")
        await signals.stay()

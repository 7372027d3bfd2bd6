"""`cairn demo`: everything at once, to look at."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.ending import Exit, Signals, run, stderr
from deploy.commands.options import FreePorts
from deploy.demo.cohort import example_cohort
from deploy.demo.links import LINK_HOURS, Link, broken, links_to_show
from deploy.doors import Doors
from deploy.local import system
from deploy.local.identity import SCOPES
from deploy.local.running import demo_directory
from deploy.replay.cohort import Cohort
from deploy.replay.oulad import read_oulad
from deploy.replay.replaying import replay
from deploy.replay.sending import Disorder, Pace


def demo(
    folder: Annotated[
        Path | None, typer.Option("--data", help="Folder with OULAD's CSV files, in place of the example learners.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Check that the links work, then end.")] = False,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="Keep the data in this folder; without it each demo begins afresh."),
    ] = None,
    free_ports: FreePorts = False,
) -> None:
    """Start the whole system, send a cohort of learners through it, and print three links to look at.

    It stays up until Ctrl-C.
    """
    ports = system.free_ports() if free_ports else system.DEFAULT_PORTS
    shape = system.Shape(ports=ports, afresh=state is None)
    run(lambda signals: _demo(signals, folder, state or demo_directory(), shape, once=once))


async def _demo(signals: Signals, folder: Path | None, directory: Path, shape: system.Shape, *, once: bool) -> None:
    with _step("Reading the cohort"):
        cohort = example_cohort() if folder is None else read_oulad(folder)
    started = time.monotonic()
    stderr.print("Starting PostgreSQL, Kafka and the four services …")
    async with system.running_system(directory, shape, say=stderr.print) as running:
        stderr.print(f"  done in {time.monotonic() - started:.1f} s")
        async with Doors(running.access(SCOPES)) as doors:
            await _fill(cohort, doors)
            with _step("Looking for something to show"):
                links = await links_to_show(running, doors, cohort)
        stderr.print(f"Ready in {time.monotonic() - started:.0f} s. Logs: {running.directory / 'processes'}")
        for number, link in enumerate(links, 1):
            typer.echo(f"{number}. {link.title}:\n   {link.url}")
        await _show(signals, once=once, links=links)


async def _fill(cohort: Cohort, doors: Doors) -> None:
    stderr.print(f"Sending {cohort.learner_count:,} learners ({cohort.name}) and what they did …")
    outcome = await replay(cohort, doors, stderr, pace=Pace(), disorder=Disorder())
    stderr.print(
        f"  {outcome.events:,} events in {outcome.seconds:.1f} s gave {sum(outcome.badges.values()):,} badges: "
        + ", ".join(f"{label} {count:,}" for label, count in outcome.badges.items())
    )
    stderr.print(
        f"  {outcome.sent.parked} parked (unknown learner), {outcome.sent.unmapped} of nothing in the catalogue"
    )


async def _show(signals: Signals, *, once: bool, links: tuple[Link, ...]) -> None:
    if once:
        if await broken(links, stderr.print):
            raise typer.Exit(Exit.FAULT)
        return
    stderr.print(f"The links are good for {LINK_HOURS:.0f} h. Ctrl-C stops everything.")
    await signals.stay()


@contextmanager
def _step(name: str) -> Generator[None]:
    started = time.monotonic()
    stderr.print(f"{name} …")
    yield
    stderr.print(f"  done in {time.monotonic() - started:.1f} s")

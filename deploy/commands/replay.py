"""`cairn replay`: learning records that lie in files, sent through the public doors."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.ending import EXIT_CODES, Exit, run, stderr
from deploy.commands.options import State, Token, Urls, chosen_access
from deploy.doors import Access, Doors
from deploy.local.home import home
from deploy.local.identity import SCOPES
from deploy.local.server import CannotStart, Claim
from deploy.local.system import Shape, free_ports, running_system
from deploy.replay.oulad import read_oulad
from deploy.replay.replaying import Outcome
from deploy.replay.replaying import replay as replay_cohort
from deploy.replay.sending import Disorder, Pace

replay = typer.Typer(help="Send learning records that lie in files through the public doors.", no_args_is_help=True)


@replay.callback()
def _group() -> None:
    """Keeps `oulad` a command of its own: more data sets may follow."""


@replay.command(epilog=EXIT_CODES)
def oulad(  # noqa: PLR0917 - typer makes options of them
    directory: Annotated[Path, typer.Argument(help="The folder with the CSV files of the data set.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")] = False,
    shuffle: Annotated[int | None, typer.Option(metavar="SEED", help="Send the rows in a shuffled order.")] = None,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="The share of rows that is sent twice.")] = 0.0,
    batch: Annotated[int, typer.Option(min=1, max=5000, help="Rows in one request.")] = 1000,
    concurrency: Annotated[int, typer.Option(min=1, max=32, help="Requests in flight.")] = 3,
    patience: Annotated[float, typer.Option(min=5, help="Give up after so many seconds without movement.")] = 60,
    url: Urls = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Replay the Open University Learning Analytics data set, and print how many badges came out of it.

    Against the services of --url, else the local system that runs (--state says which), else an embedded system
    that is started for it: in --state, or without it in a folder of its own that is removed afterwards.
    """
    access = chosen_access(url, token, state, SCOPES)

    async def main(_: object) -> None:
        cohort = read_oulad(directory)
        async with _some_system(access, state) as found, Doors(found) as doors:
            outcome = await replay_cohort(
                cohort, doors, stderr,
                pace=Pace(batch, concurrency), disorder=Disorder(shuffle, duplicates), patience_seconds=patience,
            )  # fmt: skip
        _report(outcome, as_json=as_json)
        if outcome.sent.refused:
            raise typer.Exit(Exit.REFUSED)

    run(main)


@asynccontextmanager
async def _some_system(access: Access | None, state: Path | None) -> AsyncGenerator[Access]:
    """The system that was found, or an embedded one for the length of the block."""
    if access is not None:
        yield access
        return
    stderr.print("No system is running: starting an embedded one …")
    home().mkdir(parents=True, exist_ok=True)
    _remove_leftovers()
    own = None if state else Path(tempfile.mkdtemp(prefix="replay-", dir=home()))
    try:
        async with running_system(own or state or home(), Shape(ports=free_ports()), say=stderr.print) as system:
            yield system.access(SCOPES)
    finally:
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


def _remove_leftovers() -> None:
    """Remove the folders of replays that were killed before they could do so."""
    for folder in home().glob("replay-*"):
        claim = Claim("Cairn", folder)
        with suppress(CannotStart):  # somebody's replay runs there now
            claim.take()
            shutil.rmtree(folder, ignore_errors=True)
            claim.release()


def _report(outcome: Outcome, *, as_json: bool) -> None:
    table = Table("badge", "awards", title="Badges")
    for label, count in outcome.badges.items():
        table.add_row(label, f"{count:,}")
    table.columns[1].justify = "right"
    (stderr if as_json else Console()).print(table)
    sent = outcome.sent
    stderr.print(
        f"{outcome.events:,} enrolments, scores and completions in {outcome.seconds:.1f} s:"
        f" {outcome.events / outcome.seconds:,.0f}/s. Sent twice {sent.duplicates:,}, parked {sent.parked:,},"
        f" unmapped {sent.unmapped:,}, refused {len(sent.refused):,}, requests repeated {outcome.retries:,}."
    )
    if outcome.dead_letters:
        stderr.print(f"{outcome.dead_letters:,} dead letters: `cairn dead-letters list` shows why.")
    for refusal in sent.refused[:5]:
        stderr.print(f"refused: {refusal}", markup=False)
    if as_json:
        document = {"badges": outcome.badges, "events": outcome.events, "seconds": round(outcome.seconds, 3)}
        typer.echo(orjson.dumps(document))

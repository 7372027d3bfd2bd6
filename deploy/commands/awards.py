"""`cairn awards`: award what a CSV file lists, with progress and a report line by line (B10)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.commands.ending import EXIT_CODES, Exit, run, stderr
from deploy.commands.options import State, Token, Urls, chosen_access
from deploy.doors import Doors
from deploy.local.server import CannotStart

awards = typer.Typer(help="Award badges by hand, many at once.", no_args_is_help=True)

POLL_SECONDS = 0.5


@awards.callback()
def _group() -> None:
    """A group with one command keeps the command's name."""


@awards.command(epilog=EXIT_CODES)
def bulk(  # noqa: PLR0917 - typer makes options of them
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="learner_id,achievement_id")],
    reason: Annotated[str, typer.Option(help="Why; told with the badges, and kept in the audit.")],
    evidence: Annotated[str, typer.Option(help="On what evidence; kept in the audit.")],
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where the report goes.", show_default="-")
    ] = None,
    url: Urls = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Award what FILE (CSV) lists, show how far it is, and write what became of each line as CSV.

    Interrupted, it goes on in the services; the same command shows it again, and awards nothing twice.
    """
    access = chosen_access(url, token, state, ["badges.write"])
    refused: list[int] = []

    async def main(_: object) -> None:
        if access is None:
            raise CannotStart("no local system is running: start one with `cairn up`, or name the services with --url")
        async with Doors(access) as doors:
            answer = await doors.post_content(
                "awarding", "/awards/bulk", file.read_bytes(), "text/csv", reason=reason, evidence=evidence
            )
            job = await _watched(doors, answer.json())
            text = await doors.get_text("awarding", f"/awards/bulk/{job['job_id']}/report")
            _write(text, report)
            stderr.print(f"job {job['job_id']}: {job['done']} awarded, {job['refused']} refused")
            refused.append(job["refused"])

    run(main)
    if refused and refused[0]:
        raise typer.Exit(Exit.REFUSED)


async def _watched(doors: Doors, job: dict[str, Any]) -> dict[str, Any]:
    """Show a job's progress until it is finished; answers how it ended."""
    columns = (TextColumn("awards"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as progress:
        task = progress.add_task("awards", total=job["lines"])
        while True:
            progress.update(task, completed=job["lines"] - job["waiting"])
            if job["state"] == "finished":
                return job
            await asyncio.sleep(POLL_SECONDS)
            job = await doors.get("awarding", f"/awards/bulk/{job['job_id']}")


def _write(text: str, report: Path | None) -> None:
    if report is None:
        typer.echo(text, nl=False)
    else:
        report.write_text(text, newline="")

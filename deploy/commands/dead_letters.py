"""`cairn dead-letters`: the messages that a service could not use, with the reason, and sending them again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.ending import EXIT_CODES, run
from deploy.commands.options import State, Token, Urls, chosen_access
from deploy.doors import SERVICES, Doors
from deploy.local.server import CannotStart

dead_letters = typer.Typer(
    help="List, show and send again the messages that a service could not use.", no_args_is_help=True
)

Service = Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")]
Number = Annotated[int, typer.Argument(min=1, help="The dead letter's number, as `list` shows it.")]


@dead_letters.command("list", epilog=EXIT_CODES)
def list_dead_letters(
    service: Annotated[str | None, typer.Argument(help="One service; all of them if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Urls = None,
    token: Token = None,
    state: State = None,
) -> None:
    """List the dead letters, the newest first."""

    async def ask(doors: Doors) -> None:
        found: list[dict[str, Any]] = []
        for name in [_service(service)] if service else SERVICES:
            answer = await doors.get(name, "/operations/dead-letters")
            found += [{"service": name, **letter} for letter in answer["dead_letters"]]
        if as_json:
            typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        else:
            _print_table(found)

    _ask(ask, url, token, state)


@dead_letters.command(epilog=EXIT_CODES)
def show(service: Service, number: Number, url: Urls = None, token: Token = None, state: State = None) -> None:
    """Show one dead letter with its original content, as JSON."""

    async def ask(doors: Doors) -> None:
        letter = await doors.get(_service(service), f"/operations/dead-letters/{number}")
        typer.echo(orjson.dumps(letter, option=orjson.OPT_INDENT_2))

    _ask(ask, url, token, state)


@dead_letters.command(epilog=EXIT_CODES)
def resend(  # noqa: PLR0917 - typer makes options of them
    service: Service,
    number: Number,
    reason: Annotated[str, typer.Option(help="Why it will work now; kept in the audit.")],
    url: Urls = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Send one dead letter through its service again; what waits behind it follows."""

    async def ask(doors: Doors) -> None:
        answer = await doors.post(_service(service), f"/operations/dead-letters/{number}/resend", {"reason": reason})
        typer.echo(answer.text)

    _ask(ask, url, token, state)


def _ask(
    ask: Callable[[Doors], Coroutine[Any, Any, None]], url: list[str] | None, token: str | None, state: Path | None
) -> None:
    access = chosen_access(url, token, state, ["operations"])

    async def main(_: object) -> None:
        if access is None:
            raise CannotStart("no local system is running: start one with `cairn up`, or name the services with --url")
        async with Doors(access, patience_seconds=10) as doors:
            await ask(doors)

    run(main)


def _service(name: str) -> str:
    if name not in SERVICES:
        raise typer.BadParameter(f"expected one of {', '.join(SERVICES)}, found {name!r}")
    return name


def _print_table(letters: list[dict[str, Any]]) -> None:
    if not letters:
        typer.echo("No dead letters.")
        return
    columns = ("service", "id", "state", "topic", "type", "stage", "attempts", "reason")
    table = Table(*columns)
    for letter in letters:
        table.add_row(*(str(letter.get(column, "")) for column in columns))
    Console().print(table)

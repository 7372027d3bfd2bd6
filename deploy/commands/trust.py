"""`cairn trust`: whom a deployment trusts, list by list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from deploy.commands.ending import EXIT_CODES, run
from deploy.commands.options import State, Token, Urls, chosen_access
from deploy.doors import Doors
from deploy.local.server import CannotStart

trust = typer.Typer(help="Import, show and take away lists of trusted issuers.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The list's name: lower-case letters, digits, hyphens.")]


@trust.command("import", epilog=EXIT_CODES)
def import_list(  # noqa: PLR0917 - typer makes options of them
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV (id,name) if it ends in .csv, or JSON."),
    ],
    source: Annotated[str, typer.Option(help="Where the list is from.")] = "",
    url: Urls = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Make FILE the whole of the list NAME."""

    async def main(_: object) -> None:
        async with _doors(url, token, state) as doors:
            kind = "text/csv" if file.suffix.lower() == ".csv" else "application/json"
            answer = await doors.put_content(
                "verification", f"/trust-lists/{name}", file.read_bytes(), kind, source=source or file.name
            )
            typer.echo(f"{name}: {answer.json()['issuers']} issuers")

    run(main)


@trust.command("show", epilog=EXIT_CODES)
def show(
    name: Annotated[str | None, typer.Argument(help="One list with its issuers, as JSON that can be imported.")] = None,
    url: Urls = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Show the lists, or one with its issuers."""

    async def main(_: object) -> None:
        async with _doors(url, token, state) as doors:
            if name is not None:
                found = await doors.get("verification", f"/trust-lists/{name}")
                typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
                return
            for entry in (await doors.get("verification", "/trust-lists"))["lists"]:
                typer.echo(f"{entry['list_name']}\t{entry['issuers']}\t{entry['imported_at']}\t{entry['source']}")

    run(main)


@trust.command("remove", epilog=EXIT_CODES)
def remove(name: Name, url: Urls = None, token: Token = None, state: State = None) -> None:
    """Take the list NAME away."""

    async def main(_: object) -> None:
        async with _doors(url, token, state) as doors:
            await doors.delete("verification", f"/trust-lists/{name}")

    run(main)


def _doors(url: list[str] | None, token: str | None, state: Path | None) -> Doors:
    access = chosen_access(url, token, state, ["trust.write"])
    if access is None:
        raise CannotStart("no local system is running: start one with `cairn up`, or name the services with --url")
    return Doors(access)

"""`cairn keys`: the keys that an issuer signs with: list them, sign with another, revoke one (B8)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import orjson
import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.ending import EXIT_CODES, run
from deploy.commands.options import State, Token, Urls, chosen_access
from deploy.doors import Doors
from deploy.local.server import CannotStart

keys = typer.Typer(help="List, rotate and revoke the keys that issuers sign with.", no_args_is_help=True)

Issuer = Annotated[str, typer.Argument(help="The issuer's id.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
At = Annotated[
    str | None, typer.Option(metavar="INSTANT", help="From when on, e.g. 2026-05-01T08:00:00Z.", show_default="now")
]


@keys.command("list", epilog=EXIT_CODES)
def list_keys(
    issuer: Issuer, as_json: AsJson = False, url: Urls = None, token: Token = None, state: State = None
) -> None:
    """List the keys of ISSUER with their times, those that could follow, and what was done to them."""

    async def ask(doors: Doors) -> None:
        _print(await doors.get("awarding", f"/issuers/{issuer}/keys"), as_json=as_json)

    _ask(ask, url, token, state)


@keys.command(epilog=EXIT_CODES)
def rotate(  # noqa: PLR0917 - typer makes options of them
    issuer: Issuer,
    reason: Reason,
    key: Annotated[str | None, typer.Option(help="The id of the key.", show_default="the next at hand")] = None,
    at: At = None,
    url: Urls = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Let ISSUER sign with another key from an instant on. What the old one signed stands."""
    # Made once, so that a request that has to be sent again rotates once.
    body = {"reason": reason, "key_id": key, "at": _instant(at), "act_id": str(uuid4())}

    async def ask(doors: Doors) -> None:
        answer = await doors.post("awarding", f"/issuers/{issuer}/keys/rotate", body)
        _print(answer.json(), as_json=False)

    _ask(ask, url, token, state)


@keys.command(epilog=EXIT_CODES)
def revoke(  # noqa: PLR0917 - typer makes options of them
    issuer: Issuer,
    key: Annotated[str, typer.Argument(help="The id of the key, as `list` shows it.")],
    reason: Reason,
    at: At = None,
    url: Urls = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Trust nothing that KEY signed from an instant on, but for what is proven to be older."""
    body = {"reason": reason, "at": _instant(at), "act_id": str(uuid4())}

    async def ask(doors: Doors) -> None:
        answer = await doors.post("awarding", f"/issuers/{issuer}/keys/{key}/revoke", body)
        _print(answer.json(), as_json=False)

    _ask(ask, url, token, state)


def _instant(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter(f"--at: expected an instant with its zone, found {text!r}")
    return found.isoformat()


def _print(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))
        return
    table = Table("key", "signs", "state", "from", "until", "revoked", "at hand")
    for key in answer["keys"]:
        table.add_row(
            key["key_id"], key["signs"], key["state"], key["valid_from"], key["valid_until"] or "",
            key["revoked_at"] or "", "yes" if key["at_hand"] else "no",
        )  # fmt: skip
    for key in answer["next"]:
        table.add_row(key["key_id"], key["signs"], "next", "", "", "", "yes")
    Console(soft_wrap=True, width=200).print(table)


def _ask(
    ask: Callable[[Doors], Coroutine[Any, Any, None]], url: list[str] | None, token: str | None, state: Path | None
) -> None:
    access = chosen_access(url, token, state, ["keys.write"])

    async def main(_: object) -> None:
        if access is None:
            raise CannotStart("no local system is running: start one with `cairn up`, or name the services with --url")
        async with Doors(access) as doors:
            await ask(doors)

    run(main)

"""`cairn verify`: is a badge genuine? Of any issuer, in any form, from a file, an address or standard input."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from deploy.commands.options import Token
from deploy.local.running import find_running
from deploy.verifying.bulk import verify_many
from deploy.verifying.exits import EXITS, VerifyExit
from deploy.verifying.here import Here, Place
from deploy.verifying.offline import verify_bundle
from libs.common.checking import Terms
from libs.common.checking.model import Judgement
from libs.common.checking.recipient import Person, person_of
from libs.common.checking.strict import Fault

LARGEST_FILE_BYTES = 8 * 1024 * 1024
VERIFY_CODES = (
    "Exit codes: 0 genuine; 1 not genuine, or genuine but withdrawn, expired or awarded to somebody else; 2 could not"
    " tell, or wrong usage; 3 nothing found."
)
_SIGNS = {"pass": "✓", "fail": "✗", "unknown": "?"}
_COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow"}


Badge = Annotated[
    str,
    typer.Argument(
        metavar="FILE|URL|CODE", help="A file, an https address, a short code or id, or - for standard input."
    ),
]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="URL=PATH", help="Answer addresses that begin with URL from a folder; repeatable."),
]
Recipient = Annotated[
    str | None, typer.Option(metavar="TYPE:VALUE", help="Who should hold it: email:ada@example.org, url:…, did:…")
]
Trust = Annotated[
    list[str] | None, typer.Option(metavar="ISSUER", help="The id of an issuer that you trust; repeatable.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")]
Bulk = Annotated[
    bool,
    typer.Option("--bulk", help="FILE holds many badges: CSV if it ends in .csv, else one a line. Verdicts as JSON."),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="URL",
        show_default="the running one",
        help="A Cairn: codes and ids are looked up there, and with --token it does the work of --bulk.",
    ),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="FILE is a badge's bundle: check it by what is in it, without any network.")
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="KEY", help="With --offline: a public key of the issuer (z6Mk…) that you trust."),
]
LogKeys = Annotated[
    list[str] | None,
    typer.Option("--log-key", metavar="KEY", help="With --offline: the log's key that you trust (name+id+key)."),
]


def verify(  # noqa: PLR0917 - typer makes options of them
    badge: Badge,
    maps: Maps = None,
    recipient: Recipient = None,
    trust: Trust = None,
    as_json: AsJson = False,
    bulk: Bulk = False,
    at: At = None,
    token: Token = None,
    offline: Offline = False,
    keys: Keys = None,
    log_keys: LogKeys = None,
) -> None:
    """Say whether a badge is genuine: Open Badges 2.0 or 3.0, CLR; as JSON, token, PNG, SVG or PDF."""
    folders = dict(_mapping(text) for text in maps or [])
    terms = Terms(datetime.now(UTC), frozenset(trust or []), _person(recipient))
    if offline:
        raise typer.Exit(_verify_offline(badge, terms, keys or [], log_keys or [], as_json=as_json))
    place = _place(at, token)
    if bulk:
        raise typer.Exit(verify_many(badge, Here(folders, terms, place), place if place and place.token else None))
    content = _content(badge, place)
    if content is None:
        typer.echo(f"cairn: expected a file, an https address, or a code with --at, found {badge!r}", err=True)
        raise typer.Exit(VerifyExit.NOTHING_FOUND)
    judgement = asyncio.run(_verify(content, Here(folders, terms, place)))
    if as_json:
        typer.echo(orjson.dumps(asdict(judgement), option=orjson.OPT_INDENT_2))
    else:
        _tell(judgement)
    raise typer.Exit(EXITS[judgement.answer])


def _verify_offline(file: str, terms: Terms, keys: list[str], log_keys: list[str], *, as_json: bool) -> VerifyExit:
    content = None if file.startswith(("https://", "http://")) else _content(file, None)
    if content is None:
        typer.echo(f"cairn: expected a file with a badge's bundle, found {file!r}", err=True)
        return VerifyExit.NOTHING_FOUND
    verdict = asyncio.run(verify_bundle(content, terms, keys=keys, log_keys=log_keys))
    if isinstance(verdict, Fault):
        typer.echo(f"cairn: expected a badge's bundle, found {verdict.reason}: {verdict.more}", err=True)
        return VerifyExit.NOTHING_FOUND
    if as_json:
        typer.echo(verdict.as_json())
    else:
        _tell(verdict.judgement)
        typer.echo("\n".join(verdict.lines()))
    return EXITS[verdict.judgement.answer]


async def _verify(content: bytes, here: Here) -> Judgement:
    async with here.verifier() as verifier:
        return await verifier.verify(content, here.terms)


def _place(at: str | None, token: str | None) -> Place | None:
    """The Cairn that was named, or else the local system that runs."""
    if at is not None:
        if not at.startswith(("https://", "http://")):
            raise typer.BadParameter(f"--at: expected an http(s) URL, found {at!r}")
        return Place(at.rstrip("/"), token)
    running = find_running()
    if running is None:
        return None
    return Place(running.urls["verification"].rstrip("/"), token or running.access(["badges.verify"]).token)


def _content(badge: str, place: Place | None) -> bytes | None:
    if badge.startswith(("https://", "http://")):
        return badge.encode()
    if badge == "-":
        return sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1)
    path = Path(badge)
    if path.is_file():
        with path.open("rb") as file:
            return file.read(LARGEST_FILE_BYTES + 1)
    return None if place is None else place.address_of(badge)


def _mapping(text: str) -> tuple[str, Path]:
    url, separator, path = text.partition("=")
    if not separator or not url.startswith(("https://", "http://")) or not Path(path).is_dir():
        raise typer.BadParameter(f"--map: expected URL=PATH with a folder, found {text!r}")
    return url, Path(path)


def _person(text: str | None) -> Person | None:
    if text is None:
        return None
    person = person_of(text)
    if isinstance(person, Fault):
        raise typer.BadParameter(f"--recipient: {person.more}")
    return person


def _tell(judgement: Judgement) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{judgement.sentence}.", style="bold", markup=False)
    if judgement.shown is not None:
        shown = judgement.shown
        console.print(f"{shown.name} — {shown.issuer_name or shown.issuer_id} ({judgement.standard})", markup=False)
    for finding in judgement.findings:
        more = f" [{finding.more}]" if finding.more else ""
        line = f"{finding.number}. {_SIGNS[finding.outcome]} {finding.name}: {finding.detail}{more}"
        console.print(line, style=_COLOURS[finding.outcome], markup=False)

"""`cairn verify`: is a badge genuine? Of any issuer, in any form, from a file, an address or standard input."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from libs.common.checking import Terms
from libs.common.checking.model import Judgement
from libs.common.checking.recipient import Person
from libs.common.fetching import Fetcher, Reach
from libs.common.sandbox import Sandbox
from libs.common.verifying import Verifier

LARGEST_FILE_BYTES = 8 * 1024 * 1024
VERIFY_CODES = (
    "Exit codes: 0 genuine; 1 not genuine, or genuine but withdrawn, expired or awarded to somebody else; 2 could not"
    " tell, or wrong usage; 3 nothing found."
)
_SIGNS = {"pass": "✓", "fail": "✗", "unknown": "?"}
_COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow"}


class VerifyExit(IntEnum):
    """The exit codes of `cairn verify`."""

    GENUINE = 0
    NOT_GENUINE = 1
    CANNOT_TELL = 2
    NOTHING_FOUND = 3


_EXITS = {
    "genuine": VerifyExit.GENUINE,
    "not-genuine": VerifyExit.NOT_GENUINE,
    "cannot-tell": VerifyExit.CANNOT_TELL,
    "nothing-found": VerifyExit.NOTHING_FOUND,
}


def verify(
    badge: Annotated[
        str, typer.Argument(metavar="FILE|URL", help="A file, an https address, or - for standard input.")
    ],
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="URL=PATH", help="Answer addresses that begin with URL from a folder; repeatable."
        ),
    ] = None,
    recipient: Annotated[
        str | None, typer.Option(metavar="TYPE:VALUE", help="Who should hold it: email:ada@example.org, url:…, did:…")
    ] = None,
    trust: Annotated[
        list[str] | None, typer.Option(metavar="ISSUER", help="The id of an issuer that you trust; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Say whether a badge is genuine: Open Badges 2.0 or 3.0, CLR; as JSON, token, PNG, SVG or PDF."""
    folders = dict(_mapping(text) for text in maps or [])
    terms = Terms(datetime.now(UTC), frozenset(trust or []), _person(recipient))
    content = _content(badge)
    if content is None:
        typer.echo(f"cairn: expected a file or an https address, found {badge!r}", err=True)
        raise typer.Exit(VerifyExit.NOTHING_FOUND)
    judgement = asyncio.run(_verify(content, folders, terms))
    if as_json:
        typer.echo(orjson.dumps(asdict(judgement), option=orjson.OPT_INDENT_2))
    else:
        _tell(judgement)
    raise typer.Exit(_EXITS[judgement.answer])


async def _verify(content: bytes, folders: dict[str, Path], terms: Terms) -> Judgement:
    sandbox = Sandbox()
    try:
        async with Fetcher(Reach(folders)) as fetcher:
            return await Verifier(fetcher, sandbox).verify(content, terms)
    finally:
        sandbox.close()


def _content(badge: str) -> bytes | None:
    if badge.startswith(("https://", "http://")):
        return badge.encode()
    if badge == "-":
        return sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1)
    path = Path(badge)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(LARGEST_FILE_BYTES + 1)


def _mapping(text: str) -> tuple[str, Path]:
    url, separator, path = text.partition("=")
    if not separator or not url.startswith(("https://", "http://")) or not Path(path).is_dir():
        raise typer.BadParameter(f"--map: expected URL=PATH with a folder, found {text!r}")
    return url, Path(path)


def _person(text: str | None) -> Person | None:
    if text is None:
        return None
    kind, separator, identity = text.partition(":")
    if not separator or not kind or not identity:
        raise typer.BadParameter(f"--recipient: expected TYPE:VALUE, found {text!r}")
    # A DID is written with its own colons: did:web:example.org names itself.
    return Person(kind, text if kind == "did" else identity)


def _tell(judgement: Judgement) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{judgement.sentence}.", style="bold", markup=False)
    if judgement.shown is not None:
        shown = judgement.shown
        console.print(f"{shown.name} — {shown.issuer_name or shown.issuer_id} ({judgement.standard})", markup=False)
    for finding in judgement.findings:
        more = f" [{finding.more}]" if finding.more and finding.outcome != "pass" else ""
        line = f"{finding.number}. {_SIGNS[finding.outcome]} {finding.name}: {finding.detail}{more}"
        console.print(line, style=_COLOURS[finding.outcome], markup=False)

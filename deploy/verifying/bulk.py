"""`cairn verify --bulk`: the lines of a file, each with its verdict, here or in a running Cairn."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.verifying.exits import VerifyExit, exit_of
from deploy.verifying.here import Here, Place
from libs.common.checking.lines import Line, Written, read_lines, told
from libs.common.verifying import Verifier

# Progress and trouble go to stderr, so that stdout holds results only.
stderr = Console(stderr=True, highlight=False, soft_wrap=True)
# What the door takes at once is 5,000 lines and 4 MiB.
_LINES, _BYTES = 2_000, 3 * 1024 * 1024
_AT_ONCE = 16
_SECONDS = 600.0


class _Refused(Exception):
    """The place did not do the work: the message says why."""


def verify_many(name: str, here: Here, place: Place | None) -> VerifyExit:
    """Write the verdict on each line of the file `name` (`-`: standard input) to standard output, as JSON lines.

    Progress goes to standard error. With a `place` it does the work, else this machine.
    """
    path = Path(name)
    if name != "-" and not path.is_file():
        stderr.print(f"cairn: expected a file, found {name!r}", style="red", markup=False)
        return VerifyExit.NOTHING_FOUND
    content = sys.stdin.buffer.read() if name == "-" else path.read_bytes()
    written: Written = "csv" if path.suffix.lower() == ".csv" else "lines"
    try:
        return exit_of(asyncio.run(_all(content.decode("utf-8-sig"), written, here, place)))
    except UnicodeDecodeError as fault:
        stderr.print(f"cairn: {name}: expected UTF-8, found {fault.reason} at byte {fault.start}", style="red")
        return VerifyExit.NOTHING_FOUND
    except (_Refused, httpx.HTTPError) as fault:
        stderr.print(f"cairn: {fault or type(fault).__name__}", style="red", markup=False)
        return VerifyExit.CANNOT_TELL


async def _all(text: str, written: Written, here: Here, place: Place | None) -> set[str]:
    lines = list(read_lines(text, written))
    answers: set[str] = set()
    columns = (TextColumn("badges"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as progress:
        task = progress.add_task("badges", total=len(lines))
        async for row in _there(lines, place) if place else _here(lines, here):
            answers.add(row["answer"])
            typer.echo(orjson.dumps(row))
            progress.advance(task)
    return answers or {"nothing-found"}


async def _here(lines: list[Line], here: Here) -> AsyncGenerator[dict[str, Any]]:
    """Some lines at a time, told in their order."""
    async with here.verifier() as verifier:
        waiting = iter(lines)
        while batch := list(islice(waiting, _AT_ONCE)):
            for row in await asyncio.gather(*(_one(line, verifier, here) for line in batch)):
                yield row


async def _one(line: Line, verifier: Verifier, here: Here) -> dict[str, Any]:
    if line.fault is not None:
        return told(line, None)
    named = here.place.address_of(line.asked) if here.place else None
    terms = here.terms._replace(person=line.person or here.terms.person)
    return told(line, await verifier.verify(named or line.content, terms))


async def _there(lines: list[Line], place: Place) -> AsyncGenerator[dict[str, Any]]:
    """Batch after batch to the place, told by the numbers that the lines have in the file."""
    headers = {"Authorization": f"Bearer {place.token}", "Content-Type": "application/jsonl"}
    async with httpx.AsyncClient(headers=headers, timeout=_SECONDS, trust_env=False) as client:
        for batch in _batches(lines):
            content = b"\n".join(_written(line) for line in batch)
            async with client.stream("POST", f"{place.url}/verifications/bulk", content=content) as answer:
                if answer.status_code != 200:
                    said = (await answer.aread()).decode("utf-8", "replace")
                    raise _Refused(f"{place.url} refused with {answer.status_code}: {said[:300]}")
                async for text in answer.aiter_lines():
                    row: dict[str, Any] = orjson.loads(text)
                    line = batch[row["line"] - 1]
                    yield told(line, None) if line.fault else row | {"line": line.number, "badge": line.asked}


def _batches(lines: list[Line]) -> Iterator[list[Line]]:
    batch, size = list[Line](), 0
    for line in lines:
        if batch and (len(batch) == _LINES or size + len(line.content) > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.content) + 200
    if batch:
        yield batch


def _written(line: Line) -> bytes:
    if line.fault is not None:
        return b"{}"
    if line.person is None:
        # A file may spread one credential over lines; here it must be one.
        return orjson.dumps(orjson.loads(line.content)) if line.content.startswith(b"{") else line.content
    recipient = line.person.identity if line.person.kind == "did" else f"{line.person.kind}:{line.person.identity}"
    return orjson.dumps({"text": line.content.decode("utf-8", "replace"), "recipient": recipient})

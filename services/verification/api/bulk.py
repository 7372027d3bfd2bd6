"""Many badges at once: `POST /verifications/bulk`, lines in, a stream of verdicts out (B6, M2.4)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Annotated, Any, cast

import orjson
import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import StreamingResponse

from libs.common.checking.judging import decide_judgement
from libs.common.checking.lines import Line, Written, read_lines, told
from libs.common.checking.model import Judgement
from libs.common.checking.notes import Notes
from libs.common.problems import AWAY, Problem
from libs.common.security import Principal, requires
from services.verification.api.own import OwnBadges
from services.verification.api.verifications import judge_any

log = structlog.get_logger(__name__)
router = APIRouter(tags=["verifications"])
SCOPE = "badges.verify"
MOST_LINES = 5_000
# Badges of others cost a hundred times more: they reach out to other sites.
MOST_FOREIGN = 500
_FOREIGN_AT_ONCE = 4
_TOGETHER = 200
_AT_ONCE = 2
_WRITTEN: dict[str, Written] = {
    "text/csv": "csv",
    "application/jsonl": "lines",
    "application/x-ndjson": "lines",
    "application/json": "lines",
    "text/plain": "lines",
}


class Bulk:
    """What the bulk verifications of one process share: compiled forms, places for badges of others, turns."""

    def __init__(self) -> None:
        self.own = OwnBadges()
        self.foreign_places = asyncio.Semaphore(_FOREIGN_AT_ONCE)
        self._under_way: Counter[str] = Counter()

    def require_turn(self, subject: str) -> None:
        """Raise `Problem` 429 if all the turns that a caller has at a time are taken."""
        if self._under_way[subject] >= _AT_ONCE:
            detail = f"Expected at most {_AT_ONCE} bulk verifications of one caller at a time."
            raise Problem(429, "Too many requests", detail, headers=(("Retry-After", "5"),))

    @contextmanager
    def turn(self, subject: str) -> Generator[None]:
        """Hold one of the caller's turns."""
        self._under_way[subject] += 1
        try:
            yield
        finally:
            self._under_way[subject] -= 1
            if not self._under_way[subject]:
                del self._under_way[subject]


def _bulk_of(request: Request) -> Bulk:
    return cast("Bulk", request.app.state.bulk)


@router.post("/verifications/bulk")
async def bulk(request: Request, principal: Annotated[Principal, Depends(requires(SCOPE))]) -> StreamingResponse:
    """The verdict on each line of a file, as JSON lines in the order of the lines.

    The body is CSV or lines (`libs.common.checking.lines`), at most 5,000 of them: ids or addresses of badges, or
    whole credentials. Badges of our own are judged first-hand; of others at most 500, four at a time. A caller may
    have two of these under way.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    written = _WRITTEN.get(media_type)
    if written is None:
        raise Problem(415, "Unsupported media type", f"Expected one of {', '.join(_WRITTEN)}.")
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Problem(422, "Invalid request", f"Expected UTF-8: {fault.reason} at byte {fault.start}.") from None
    count = sum(1 for _ in islice(read_lines(text, written), MOST_LINES + 1))
    if not 0 < count <= MOST_LINES:
        raise Problem(422, "Invalid request", f"Expected 1 to {MOST_LINES} lines with a badge.")
    _bulk_of(request).require_turn(principal.subject)
    stream = _stream(request, read_lines(text, written), principal.subject)
    return StreamingResponse(stream, media_type="application/jsonl", headers={"Cache-Control": "no-store"})


async def _stream(request: Request, lines: Iterator[Line], subject: str) -> AsyncIterator[bytes]:
    """The answer, some lines at a time: what is in memory does not grow with the file."""
    foreign = 0
    with _bulk_of(request).turn(subject):
        while batch := list(islice(lines, _TOGETHER)):
            judgements = await _own(request, batch)
            others = [line for line in batch if line.number not in judgements and line.fault is None]
            allowed = others[: max(0, MOST_FOREIGN - foreign)]
            foreign += len(allowed)
            judgements |= {line.number: _unknown("too-many-foreign") for line in others[len(allowed) :]}
            judgements |= await _foreign(request, allowed)
            rows: list[Any] = [told(line, judgements.get(line.number)) for line in batch]
            yield b"".join(orjson.dumps(row) + b"\n" for row in rows)


async def _own(request: Request, batch: Sequence[Line]) -> dict[int, Judgement]:
    try:
        return await _bulk_of(request).own.judge(request, [line for line in batch if line.fault is None])
    except AWAY as fault:
        # The answer has begun: what cannot be looked up now is unknown, and the stream goes on (B6).
        log.warning("database away", fault=type(fault).__name__)
        return {line.number: _unknown("not-reachable") for line in batch if line.fault is None}


async def _foreign(request: Request, lines: Sequence[Line]) -> dict[int, Judgement]:
    async def one(line: Line) -> Judgement:
        async with _bulk_of(request).foreign_places:
            return await judge_any(request, line.content, line.person)

    found = await asyncio.gather(*(one(line) for line in lines))
    return {line.number: judgement for line, judgement in zip(lines, found, strict=True)}


def _unknown(reason: str) -> Judgement:
    notes = Notes()
    notes.unknown("well-formed", reason)
    return decide_judgement(notes, "", None)

"""The check of any badge, carried out: the rules ask, the network, a folder or the sandbox answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import cast

import orjson

from libs.common.checking import MAX_STEPS, Terms, check
from libs.common.checking.dialogue import (
    Answer,
    Asking,
    Canonical,
    Canonicalise,
    Fetch,
    Fetched,
    Json,
    Question,
    Recall,
    Recorded,
    Refused,
    Unreachable,
)
from libs.common.checking.judging import nothing_found
from libs.common.checking.model import Judgement
from libs.common.checking.reading import Carried, read
from libs.common.checking.watching import check_watch
from libs.common.credentials.canonical import PLAIN_BOUNDS
from libs.common.fetching import Fetcher, NoAnswer
from libs.common.sandbox import Killed, Sandbox

# One badge leads to its issuer, its keys, its list, a picture or two; a record of many badges to more. What was asked
# before is not asked again.
MAX_FETCHES = 150
SECONDS = 20.0
# A large record (CLR 2.0): 500 badges, and the canonical form of all of it, take some 15 s of one core.
RECORD_SECONDS = 60.0
_PDF = b"%PDF-"
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8")

# What a deployment answers itself instead of asking over the network: its own addresses.
Own = Callable[[str], Awaitable[Fetched | None]]
# What a deployment has on record of its own badges; None where it does not issue for the issuer that is asked about.
OwnRecord = Callable[[Recall], Awaitable[Recorded | Unreachable | None]]


def record_sandbox() -> Sandbox:
    """A sandbox with time enough for the canonical form of the largest record that is read (CLR 2.0)."""
    return Sandbox(seconds=45.0, cpu_seconds=20)


class Verifier:
    """Verifies badges with one fetcher and one sandbox, and large records in one of their own, so that none waits."""

    def __init__(
        self, fetcher: Fetcher, sandbox: Sandbox, own: Own | None = None, record: OwnRecord | None = None
    ) -> None:
        self._fetcher = fetcher
        self._sandbox = sandbox
        self._records = record_sandbox()
        self._own = own
        self._record = record

    def close(self) -> None:
        """End the sandboxes; the next verification starts others."""
        self._sandbox.close()
        self._records.close()

    async def verify(self, content: bytes, terms: Terms) -> Judgement:
        """The judgement on the badge in `content`: JSON, token, address, PNG, SVG, a PDF with one, a QR code."""
        return (await self.judge(content, terms))[0]

    async def judge(self, content: bytes, terms: Terms) -> tuple[Judgement, bytes]:
        """The judgement as `verify` gives it, and what was judged: the badge or address that `content` carries.

        What was judged is as much as it takes to ask again; the picture or document around it is left away. Of an
        address it is the badge found there: whoever holds the address could put another in its place.
        """
        if content.lstrip().startswith(_PDF):
            return await self._first(await self._attached(content), terms)
        told: dict[str, Answer] = {}
        judgement = await self._drive(check(content, terms), told, large=len(content) > PLAIN_BOUNDS.bytes)
        if judgement.answer == "nothing-found" and content.startswith(_PICTURES):
            return await self._first(await self._codes(content), terms)
        return judgement, _carried(content, told)

    async def ask_again(self, watch: Json, issuer: str, now: datetime) -> Judgement:
        """What the `issuer` of a badge says of it at `now`; `watch` is what `watching.watch_of` made of the badge."""
        return await self._drive(check_watch(watch, issuer, now), {})

    async def _first(self, contents: list[bytes], terms: Terms) -> tuple[Judgement, bytes]:
        """The judgement on the first of `contents` that is a badge."""
        for content in contents:
            told: dict[str, Answer] = {}
            judgement = await self._drive(check(content, terms), told)
            if judgement.answer != "nothing-found":
                return judgement, _carried(content, told)
        return nothing_found(), b""

    async def _attached(self, document: bytes) -> list[bytes]:
        with suppress(Killed):
            found = await self._sandbox.do("attachments", document=base64.b64encode(document).decode())
            return [base64.b64decode(file) for file in found["files"]]
        return []

    async def _codes(self, picture: bytes) -> list[bytes]:
        with suppress(Killed):
            found = await self._sandbox.do("codes", picture=base64.b64encode(picture).decode())
            return [text.encode("utf-8", "replace") for text in found["texts"]]
        return []

    async def _drive(self, asking: Asking[Judgement], told: dict[str, Answer], *, large: bool = False) -> Judgement:
        """The judgement that `asking` comes to; `told` gets what each address answered.

        What is `large` gets more time, and a thread to be thought about: others are answered meanwhile.
        """
        seconds = RECORD_SECONDS if large else SECONDS
        deadline = asyncio.get_running_loop().time() + seconds
        forms: dict[bytes, Answer] = {}
        answer: Answer | None = None
        while True:
            step = await asyncio.to_thread(_next, asking, answer) if large else _next(asking, answer)
            if isinstance(step, Judgement):
                return step
            late = asyncio.get_running_loop().time() > deadline
            answer = _given_up(step, seconds) if late else await self._answer(step, told, forms)

    async def _answer(self, question: Question, told: dict[str, Answer], forms: dict[bytes, Answer]) -> Answer:
        if isinstance(question, Canonicalise):
            # The badges of a record name the same few status lists.
            content = orjson.dumps((question.hash, question.documents))
            place = hashlib.sha256(content).digest()
            if place not in forms:
                large = len(content) > PLAIN_BOUNDS.bytes
                forms[place] = await self._canonicalise(question, self._records if large else self._sandbox)
            return forms[place]
        if isinstance(question, Recall):
            found = None if self._record is None else await self._record(question)
            return found or Unreachable("elsewhere", "its issuer keeps its record")
        if question.url not in told:
            many = len(told) >= MAX_FETCHES
            told[question.url] = _given_up(question, SECONDS) if many else await self._fetch(question)
        return told[question.url]

    async def _fetch(self, question: Fetch) -> Answer:
        own = None if self._own is None else await self._own(question.url)
        if own is not None:
            return own
        page = await self._fetcher.page_at(question.url, question.accept)
        return Unreachable(*page) if isinstance(page, NoAnswer) else Fetched(*page)

    async def _canonicalise(self, question: Canonicalise, sandbox: Sandbox) -> Answer:
        try:
            found = await sandbox.do("canonical", documents=list(question.documents), algorithm=question.hash)
        except Killed as fault:
            return Refused("too-costly", str(fault))
        return Canonical(tuple(found["texts"])) if "texts" in found else Refused(found["reason"], found["detail"])


def _carried(content: bytes, told: Mapping[str, Answer]) -> bytes:
    found = read(content)
    # An address may answer with a picture that holds an address.
    for _ in range(MAX_STEPS):
        if not isinstance(found, Carried) or found.kind != "url":
            break
        answer = told.get(found.content.decode("ascii", "replace"))
        if not isinstance(answer, Fetched) or not answer.ok:
            break
        content = answer.content
        found = read(content)
    return found.content if isinstance(found, Carried) else content


def _next(asking: Asking[Judgement], answer: Answer | None) -> Question | Judgement:
    """The next question, or what all of them came to; `answer` is None before the first."""
    try:
        return next(asking) if answer is None else asking.send(answer)
    except StopIteration as end:
        return cast(Judgement, end.value)


def _given_up(question: Question, seconds: float) -> Answer:
    detail = f"expected at most {MAX_FETCHES} documents in {seconds:g} s"
    return Refused("too-costly", detail) if isinstance(question, Canonicalise) else Unreachable("too-many", detail)

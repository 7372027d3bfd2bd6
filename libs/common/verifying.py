"""The check of any badge, carried out: the rules ask, the network, a folder or the sandbox answers."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from libs.common.checking import MAX_STEPS, Terms, check
from libs.common.checking.dialogue import (
    Answer,
    Asking,
    Canonical,
    Canonicalise,
    Fetch,
    Fetched,
    Question,
    Refused,
    Unreachable,
)
from libs.common.checking.judging import nothing_found
from libs.common.checking.model import Judgement
from libs.common.checking.reading import Carried, read
from libs.common.fetching import Fetcher, NoAnswer
from libs.common.sandbox import Killed, Sandbox

# One badge leads to its issuer, its keys, its list, a picture or two; a record of many badges to more.
MAX_QUESTIONS = 150
SECONDS = 20.0
_PDF = b"%PDF-"
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8")

# What a deployment answers itself instead of asking over the network: its own addresses.
Own = Callable[[str], Awaitable[Fetched | None]]


class Verifier:
    """Verifies badges with one fetcher and one sandbox."""

    def __init__(self, fetcher: Fetcher, sandbox: Sandbox, own: Own | None = None) -> None:
        self._fetcher = fetcher
        self._sandbox = sandbox
        self._own = own

    def close(self) -> None:
        """End the sandbox; the next verification starts another."""
        self._sandbox.close()

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
        judgement = await self._drive(check(content, terms), told)
        if judgement.answer == "nothing-found" and content.startswith(_PICTURES):
            return await self._first(await self._codes(content), terms)
        return judgement, _carried(content, told)

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

    async def _drive(self, asking: Asking[Judgement], told: dict[str, Answer]) -> Judgement:
        """The judgement that `asking` comes to; `told` gets what each address answered."""
        deadline = asyncio.get_running_loop().time() + SECONDS
        asked = 0
        try:
            question: Question = next(asking)
            while True:
                asked += 1
                late = asked > MAX_QUESTIONS or asyncio.get_running_loop().time() > deadline
                question = asking.send(_given_up(question) if late else await self._answer(question, told))
        except StopIteration as end:
            judgement = end.value
        assert isinstance(judgement, Judgement)
        return judgement

    async def _answer(self, question: Question, told: dict[str, Answer]) -> Answer:
        if isinstance(question, Canonicalise):
            return await self._canonicalise(question)
        if question.url not in told:
            told[question.url] = await self._fetch(question)
        return told[question.url]

    async def _fetch(self, question: Fetch) -> Answer:
        own = None if self._own is None else await self._own(question.url)
        if own is not None:
            return own
        page = await self._fetcher.page_at(question.url, question.accept)
        return Unreachable(*page) if isinstance(page, NoAnswer) else Fetched(*page)

    async def _canonicalise(self, question: Canonicalise) -> Answer:
        try:
            found = await self._sandbox.do("canonical", documents=list(question.documents), algorithm=question.hash)
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


def _given_up(question: Question) -> Answer:
    detail = f"expected at most {MAX_QUESTIONS} questions in {SECONDS:g} s"
    return Unreachable("too-many", detail) if isinstance(question, Fetch) else Refused("too-costly", detail)

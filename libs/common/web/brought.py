"""What somebody brings to a door to have it verified: a badge in any form, and whom it should be awarded to."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from libs.common.checking.recipient import Person, person_of
from libs.common.checking.strict import Fault, read_json
from libs.common.problems import Problem

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class Brought(NamedTuple):
    """What somebody wants verified, and whom they expect it to be awarded to."""

    content: bytes
    person: Person | None


async def brought_in(request: Request) -> Brought:
    """What the body of a request brings: the badge itself, JSON with `url` or `text`, or a form with `file`, `text` or
    `url`; the latter two may name a `recipient`. Raises `Problem` 400 or 422.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in _FORMS:
        try:
            async with request.form(max_files=1, max_fields=10, max_part_size=1024 * 1024) as sent:
                return await _of_form(sent)
        except HTTPException as fault:
            raise Problem(400, "Invalid form", str(fault.detail)) from None
    content = await request.body()
    if not content.strip():
        raise _nothing_sent()
    return _of_json(content) if media_type == "application/json" else Brought(content, None)


async def _of_form(sent: FormData) -> Brought:
    file, person = sent.get("file"), person_named(sent.get("recipient"))
    if isinstance(file, UploadFile):
        content = await file.read()
        if content:
            return Brought(content, person)
    for name in ("text", "url"):
        text = sent.get(name)
        if isinstance(text, str) and text.strip():
            return Brought(text.strip().encode("utf-8", "replace"), person)
    raise _nothing_sent()


def _of_json(content: bytes) -> Brought:
    """A request in JSON, or a badge in JSON: the one has `url` or `text`, and no vocabulary."""
    document = read_json(content)
    if isinstance(document, Fault) or "@context" in document or not document.keys() & {"url", "text"}:
        return Brought(content, None)
    text: Any = document.get("url") or document.get("text")
    if not isinstance(text, str) or not text.strip():
        error = {"pointer": "/url" if "url" in document else "/text", "detail": "expected text"}
        raise Problem(422, "Invalid request", errors=(error,))
    return Brought(text.strip().encode(), person_named(document.get("recipient")))


def person_named(value: Any) -> Person | None:
    """Whom `value` names, written TYPE:VALUE or as an e-mail address; None if nobody. Raises `Problem` 422."""
    if value is None or value == "":
        return None
    person = person_of(value) if isinstance(value, str) else Fault("recipient", f"expected text, found {value!r:.80}")
    if isinstance(person, Fault):
        raise Problem(422, "Invalid request", errors=({"pointer": "/recipient", "detail": person.more},))
    return person


def _nothing_sent() -> Problem:
    detail = "Expected a badge as the body, a form with file, text or url, or JSON with url or text."
    return Problem(422, "Nothing to verify", detail)

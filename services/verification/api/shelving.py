"""Signed documents that everybody may see: kept in memory, and as files for the web server in front."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from libs.common.web.documents import OPEN_TO_ALL, SIGNED, Document, respond
from libs.common.web.public_files import file_etag
from services.verification.api.parts import CREDENTIAL_TYPES, JWT_TYPES, Parts, parts_of
from services.verification.api.visible import cached, seen_document
from services.verification.model import SignedDocument, View

FOLDER = "badges"


class Reading(NamedTuple):
    """A badge as it was read for an answer, by whom, and after how many decisions about what is kept at hand."""

    badge_id: str
    signed: SignedDocument
    view: View
    decided: int


async def read_signed(request: Request, badge_id: str) -> Reading:
    """The badge, if the caller may see the whole of it; else the one 404."""
    decided = parts_of(request).shelf.dropped
    return Reading(badge_id, *await seen_document(request, badge_id), decided)


def respond_signed(request: Request, read: Reading, content: bytes, media_type: str) -> Response:
    """The answer with `content`, a form of the badge as it was signed; it is kept at hand if everybody may see it."""
    parts, signed, view = parts_of(request), read.signed, read.view
    headers = {**OPEN_TO_ALL, "Vary": "Accept"}
    document = Document(content, media_type, cached(SIGNED, view), signed.issued_at, headers)
    files = parts.files if media_type in CREDENTIAL_TYPES else None
    if files is not None:
        # One tag, whoever answers. The digest would tell the same: what was signed never changes.
        document = replace(document, tag=file_etag(document))
    # Who may see it may have been decided anew since it was read.
    if is_shelved(signed, view) and parts.shelf.dropped == read.decided:
        parts.shelf.put(_key(read.badge_id, media_type), document)
        if files is not None:
            files.put(_file(read.badge_id), document)
    return respond(request, document)


def unshelve(parts: Parts, badge_id: UUID) -> None:
    """Have what is at hand of this badge forgotten: who may see it was decided anew."""
    for media_type in (*CREDENTIAL_TYPES, *JWT_TYPES):
        parts.shelf.drop(_key(str(badge_id), media_type))
    if parts.files is not None:
        parts.files.drop(_file(str(badge_id)))


def is_shelved(signed: SignedDocument, view: View) -> bool:
    """Whether memory may answer for this document without asking who sees it: for what has no end in sight only."""
    return view.by == "public" and (signed.share is None or signed.share.until is None)


def _key(badge_id: str, media_type: str) -> str:
    return f"{badge_id} {media_type}"


def _file(badge_id: str) -> str:
    return f"{FOLDER}/{badge_id}.json"

"""Signed documents that everybody may see: kept in memory, and as files for the web server in front."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from libs.common.web.documents import OPEN_TO_ALL, SIGNED, Document, respond
from libs.common.web.public_files import file_etag
from services.verification.api.parts import CREDENTIAL_TYPES, JWT_TYPES, Parts, parts_of
from services.verification.api.visible import cached
from services.verification.model import SignedDocument, View

FOLDER = "badges"


def respond_signed(
    request: Request, badge_id: str, seen: tuple[SignedDocument, View], content: bytes, media_type: str
) -> Response:
    """The answer with `content`, a form of the badge that `seen` is, as it was signed; it is kept at hand if everybody
    may see it."""
    parts, (signed, view) = parts_of(request), seen
    headers = {**OPEN_TO_ALL, "Vary": "Accept"}
    document = Document(content, media_type, cached(SIGNED, view), signed.issued_at, headers)
    is_json = media_type in CREDENTIAL_TYPES
    if is_json and parts.files is not None:
        # One tag, whoever answers. The digest would tell the same: what was signed never changes.
        document = Document(
            content, media_type, document.cache_control, signed.issued_at, headers, tag=file_etag(document)
        )
    if is_shelved(signed, view):
        parts.shelf.put(_key(badge_id, media_type), document)
        if is_json and parts.files is not None:
            parts.files.put(_file(badge_id), document)
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

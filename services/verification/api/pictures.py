"""Uploaded pictures: served by the digest of their bytes, and put where art is drawn otherwise (M1.41)."""

from __future__ import annotations

import base64
import re
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.web.badge_art import xml_text
from libs.common.web.documents import OPEN_TO_ALL, PERMANENT, Document, respond
from libs.common.web.refusals import not_found
from services.verification.api.parts import PATHS, database_of
from services.verification.model import KeptPicture, NamedPicture
from services.verification.store import pictures as picture_store

router = APIRouter(tags=["catalogue"])
READ = ["GET", "HEAD"]
SVG = "image/svg+xml"
_NAME = re.compile(r"([0-9a-f]{64})\.(png|svg)")
_SIDE = 400
# By itself a picture runs nothing and loads nothing. It may have styles; in one that frames another, that is data.
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
PICTURE_POLICY = {**OPEN_TO_ALL, "Content-Security-Policy": _POLICY}
FRAME_POLICY = {**OPEN_TO_ALL, "Content-Security-Policy": f"{_POLICY}; img-src data:"}


@router.api_route("/pictures/{name}", methods=READ)
async def uploaded_picture(request: Request, name: str) -> Response:
    """An uploaded picture, `<SHA-256 of its bytes>.png` or `.svg`: its address says what it is, so it never changes."""
    match = _NAME.fullmatch(name)
    kept = None if match is None else await picture_store.picture(database_of(request).pool, f"sha256:{match[1]}")
    if match is None or kept is None or (match[2] == "svg") != (kept.media_type == SVG):
        raise not_found()
    document = Document(kept.content, kept.media_type, PERMANENT, kept.told_at, PICTURE_POLICY, ranged=True)
    return respond(request, document)


async def kept_picture(request: Request, named: NamedPicture | None) -> KeptPicture | None:
    """The bytes of the picture that is named, if one is."""
    return None if named is None else await picture_store.picture(database_of(request).pool, named.digest)


def address_of(named: NamedPicture) -> str:
    """The path of the picture."""
    return PATHS.picture(named.digest, named.media_type)


def image_of(named: NamedPicture, language: str | None = None) -> str:
    """The picture as HTML; its caption is in `language` (a tag), where that is known."""
    spoken = "" if language is None else f' lang="{escape(language)}"'
    return (
        f'<img src="{address_of(named)}" alt="{escape(named.caption)}"{spoken} width="{_SIDE}" height="{_SIDE}"'
        ' decoding="async">'
    )


def framed(png: bytes, caption: str) -> str:
    """A PNG in an SVG of the size of drawn art, so that it can stand wherever that stands."""
    content = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" role="img"'
        f' aria-label="{xml_text(caption)}"><title>{xml_text(caption)}</title>'
        f'<image width="{_SIDE}" height="{_SIDE}" href="data:image/png;base64,{content}"/></svg>'
    )


def captioned(svg: bytes, caption: str) -> bytes:
    """An uploaded SVG with its caption, for those who cannot see it."""
    return svg.replace(b"<svg ", f'<svg aria-label="{xml_text(caption)}" '.encode(), 1)

"""The badge as a file: baked pictures, certificate, card and QR code (M1.3, M4.7, OB 3.0 section 5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.credentials.baking import NotBakeable, bake_png, bake_svg
from libs.common.problems import RETRY_AFTER_SECONDS, Problem
from libs.common.rendering import Busy, Undrawable
from libs.common.web.card import SIZE
from libs.common.web.documents import OPEN_TO_ALL, STATUS, Document, respond
from libs.common.web.language import Language
from libs.common.web.qr import qr_png, qr_svg
from libs.common.web.refusals import not_found
from services.verification.api.certificate import card_of, certificate_words, language_of
from services.verification.api.described import Described, art_of_badge, described, named_picture
from services.verification.api.parts import PATHS, PICTURE_HEADERS, parts_of
from services.verification.api.pictures import FRAME_POLICY, captioned, framed, kept_picture
from services.verification.api.visible import LINK, Seen, cached, seen_badge
from services.verification.model import View

router = APIRouter(tags=["badges"])
READ = ["GET", "HEAD"]
PNG, SVG, PDF = "image/png", "image/svg+xml", "application/pdf"
_BADGE = PATHS.badge("{badge_id}")
_ART_FIELD, _ART_WIDTH = (400, 400), 600


@router.api_route(_BADGE + ".png", methods=READ)
async def baked_png(request: Request, badge_id: str) -> Response:
    """The badge's picture with the signed credential baked into it, as PNG."""
    found = await described(request, await seen_badge(request, badge_id, whole=True))
    return await png_face(request, found)


@router.api_route(_BADGE + ".svg", methods=READ)
async def baked_svg(request: Request, badge_id: str) -> Response:
    """The badge's picture with the signed credential baked into it, as SVG."""
    found = await described(request, await seen_badge(request, badge_id, whole=True))
    return await svg_face(request, found)


@router.api_route(_BADGE + ".pdf", methods=READ)
async def certificate(request: Request, badge_id: str) -> Response:
    """A certificate to print, with a QR code and the signed credential attached (PDF/A-3, PDF/UA-1).

    Where the learner hides a part of what is signed, nothing is attached.
    """
    return await pdf_face(request, await described(request, await seen_badge(request, badge_id)))


@router.api_route(_BADGE + "/card.png", methods=READ)
async def card(request: Request, badge_id: str) -> Response:
    """The picture that social media show beside a link to the badge: 1200 by 630 pixels."""
    found = await described(request, await seen_badge(request, badge_id))
    language = language_of(request, found)
    svg = card_of(found, language, await _art(request, found, language))
    return _picture(request, found, await _png(request, svg, SIZE[0], SIZE), PNG)


@router.api_route(_BADGE + "/qr.svg", methods=READ)
async def qr_code_svg(request: Request, badge_id: str) -> Response:
    """The badge's address as a QR code; with `of=credential` that of its signed credential, for wallets."""
    seen = await seen_badge(request, badge_id)
    document = qr_svg(_scanned(request, seen)).encode()
    return respond(request, Document(document, SVG, cached(STATUS, seen.view), headers=PICTURE_HEADERS))


@router.api_route(_BADGE + "/qr.png", methods=READ)
async def qr_code_png(request: Request, badge_id: str) -> Response:
    """The same as a PNG."""
    seen = await seen_badge(request, badge_id)
    document = qr_png(_scanned(request, seen))
    return respond(request, Document(document, PNG, cached(STATUS, seen.view), headers=PICTURE_HEADERS))


async def png_face(request: Request, found: Described) -> Response:
    """The answer with the baked PNG."""
    kept = await kept_picture(request, named_picture(found))
    if kept is None:
        drawn = await _png(request, art_of_badge(found, _own_language(request, found)), _ART_WIDTH, _ART_FIELD)
    else:
        drawn = kept.png
    return _picture(request, found, bake_png(drawn, found.badge.signed.content), PNG)


async def svg_face(request: Request, found: Described) -> Response:
    """The answer with the baked SVG; the one 404 for a credential that XML cannot carry."""
    named = named_picture(found)
    kept = await kept_picture(request, named)
    if named is None or kept is None or kept.media_type != SVG:
        picture = (await _art(request, found, _own_language(request, found))).encode()
    else:
        picture = captioned(kept.content, named.caption)
    try:
        baked = bake_svg(picture, found.badge.signed.content)
    except NotBakeable:
        raise not_found() from None
    return _file(request, found, baked, SVG, PICTURE_HEADERS if named is None else FRAME_POLICY)


async def pdf_face(request: Request, found: Described) -> Response:
    """The answer with the certificate."""
    language, badge = language_of(request, found), found.badge
    credential = {"credential": badge.signed.content.decode()} if found.whole else {}
    try:
        file = await parts_of(request).renderer.certificate(
            certificate_words(request, found, language),
            badge=await _art(request, found, language),
            qr=qr_svg(_scanned(request, Seen(badge, found.view))),
            told_at=int(badge.valid_from.timestamp()),
            **credential,
        )
    except Busy:
        raise _busy() from None
    except Undrawable:
        raise not_found() from None
    headers = {**OPEN_TO_ALL, "Content-Disposition": 'inline; filename="certificate.pdf"'}
    return _file(request, found, file, PDF, headers)


async def _art(request: Request, found: Described, language: Language) -> str:
    """The picture of the badge as SVG: the uploaded one in a frame, or drawn art."""
    named = named_picture(found)
    kept = await kept_picture(request, named)
    return art_of_badge(found, language) if named is None or kept is None else framed(kept.png, named.caption)


def _own_language(request: Request, found: Described) -> Language:
    return parts_of(request).pages.languages.of(found.told.language)


async def _png(request: Request, svg: str, width: int, field: tuple[int, int]) -> bytes:
    try:
        return await parts_of(request).renderer.png(svg, width, field)
    except Busy:
        raise _busy() from None
    except Undrawable:
        raise not_found() from None


def _busy() -> Problem:
    retry = (("Retry-After", str(RETRY_AFTER_SECONDS)),)
    return Problem(503, "Busy", "Too much is being drawn just now; try again.", headers=retry)


def _picture(request: Request, found: Described, content: bytes, media_type: str) -> Response:
    return _file(request, found, content, media_type, PICTURE_HEADERS)


def _file(
    request: Request, found: Described, content: bytes, media_type: str, headers: Mapping[str, str]
) -> Response:  # fmt: skip
    address = parts_of(request).addresses.badge(found.badge.badge_id)
    document = Document(
        content, media_type, cached(STATUS, found.view), found.badge.changed_at,
        {**headers, "Link": f'<{address}>; rel="canonical"'}, ranged=True,
    )  # fmt: skip
    return respond(request, document)


def _scanned(request: Request, seen: Seen) -> str:
    """The address in a QR code: by the same link by which the caller came."""
    address = parts_of(request).addresses.badge(seen.badge.badge_id)
    if request.query_params.get("of") == "credential":
        address += ".json"
    return f"{address}?{LINK}={request.query_params[LINK]}" if _by_link(request, seen.view) else address


def _by_link(request: Request, view: View) -> bool:
    return view.by == "link" and LINK in request.query_params

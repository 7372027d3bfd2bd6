"""The badge on other sites: a small page to put in a frame, and the oEmbed door that says how (M1.3)."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.common.problems import Problem
from libs.common.web.card import SIZE
from libs.common.web.documents import OPEN_TO_ALL, STATUS
from libs.common.web.pages import CONTENT_SECURITY_POLICY
from libs.common.web.refusals import not_found
from services.verification.api.described import Described, described, words_of
from services.verification.api.parts import PATHS, json_document, parts_of
from services.verification.api.verifications import path_of_own
from services.verification.api.visible import cached, seen_badge

router = APIRouter(tags=["badges"])
READ = ["GET", "HEAD"]
_WIDTH, _HEIGHT = 480, 200
_LEAST = 200
# The one page that other sites may frame: it has no form, no session and no script.
_FRAMED = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")


@router.api_route(PATHS.badge("{badge_id}") + "/embed", methods=READ)
async def embed(request: Request, badge_id: str) -> Response:
    """The badge and its verdict, small enough for a frame on another site."""
    found = await described(request, await seen_badge(request, badge_id))
    return parts_of(request).pages.respond(
        request,
        "embed.html",
        cache_control=cached(STATUS, found.view),
        last_modified=found.badge.changed_at,
        headers={**OPEN_TO_ALL, "Content-Security-Policy": _FRAMED},
        claims=found.told,
        verdict=found.verdict,
        address=parts_of(request).addresses.badge(found.badge.badge_id),
        art=words_of(request, found)["art"],
    )


@router.api_route("/oembed", methods=READ, responses={501: {"description": "oEmbed 1.0: not in that format"}})
async def oembed(
    request: Request,
    url: str = "",
    form: Annotated[str, Query(alias="format")] = "json",
    maxwidth: int = _WIDTH,
    maxheight: int = _HEIGHT,
) -> Response:
    """How to show the badge at `url` on another site (oEmbed 1.0): for badges that everybody may see."""
    if form != "json":
        raise Problem(501, "Not implemented", f"Expected format=json, found {form!r:.40}.")
    path = path_of_own(url, parts_of(request).addresses.base_url) or ""
    folder, _, badge_id = path.rpartition("/")
    if folder != PATHS.badge("").rstrip("/"):
        raise not_found()
    found = await described(request, await seen_badge(request, badge_id))
    if found.view.by != "public":
        raise not_found()
    size = (max(_LEAST, min(_WIDTH, maxwidth)), max(_LEAST // 2, min(_HEIGHT, maxheight)))
    return json_document(
        request, _described_for_oembed(request, found, size, maxwidth), last_modified=found.badge.changed_at,
        media_type="application/json",
    )  # fmt: skip


def embed_code(address: str, title: str, size: tuple[int, int] = (_WIDTH, _HEIGHT)) -> str:
    """The HTML that shows the badge at `address` on another site."""
    return (
        f'<iframe src="{escape(address)}/embed" title="{escape(title)}" width="{size[0]}" height="{size[1]}"'
        ' loading="lazy" frameborder="0"></iframe>'
    )


def _described_for_oembed(
    request: Request, found: Described, size: tuple[int, int], widest: int
) -> dict[str, Any]:  # fmt: skip
    addresses, claims = parts_of(request).addresses, found.told
    address = addresses.badge(found.badge.badge_id)
    content: dict[str, Any] = {
        "version": "1.0",
        "type": "rich",
        "title": claims.name,
        "author_name": claims.issuer_name,
        "author_url": addresses.issuer(found.badge.issuer_id),
        "provider_name": "Cairn",
        "provider_url": addresses.base_url,
        "cache_age": 30,
        "html": embed_code(address, claims.name, size),
        "width": size[0],
        "height": size[1],
    }
    if widest >= SIZE[0] or widest == _WIDTH:
        content |= {
            "thumbnail_url": f"{address}/card.png", "thumbnail_width": SIZE[0], "thumbnail_height": SIZE[1],
        }  # fmt: skip
    return content

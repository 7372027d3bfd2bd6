"""What is done with the pictures of strangers within the sandbox. Each job without arguments loads what it needs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from libs.common.pictures.raster import SIDES, clean_raster, kind_of, square_png
from libs.common.pictures.refusal import NotTaken
from libs.common.pictures.vector import clean_svg
from libs.common.rendering.jobs import picture

Result = dict[str, Any]
SVG = "image/svg+xml"
MOST_SVG_BYTES = 200 * 1024
_FIELD = (400, 400)


def clean(content: str = "", media_type: str = SVG) -> Result:
    """A picture as it is published, or why it is not, under `refused`.

    `content` is base64, `media_type` what its sender calls it. The result is PNG or SVG under `content` (base64) with
    its `media_type`; for SVG, what it looks like as PNG is under `drawn`.
    """
    if not content:
        picture()
        Image.init()
        return {}
    given = base64.b64decode(content)
    try:
        found = kind_of(given)
        if found != media_type:
            raise NotTaken(f"expected {media_type}, as the Content-Type says, found {found}")
        if media_type != SVG:
            return {"media_type": "image/png", "content": _base64(clean_raster(given, media_type))}
        svg = clean_svg(given)
        if len(svg.encode()) > MOST_SVG_BYTES:
            raise NotTaken(f"expected an SVG of at most {MOST_SVG_BYTES} bytes once it is written plainly, found more")
        return {"media_type": SVG, "content": _base64(svg.encode()), "drawn": _base64(_drawn(svg))}
    except NotTaken as refusal:
        return {"refused": str(refusal)}


def _drawn(svg: str) -> bytes:
    """What the picture looks like: nobody else need draw it again, and what cannot be drawn is not taken."""
    result = picture(svg, SIDES[0], _FIELD)
    if "file" not in result:
        raise NotTaken(f"expected an SVG that can be drawn, found: {result['detail'][:200]}")
    with Image.open(io.BytesIO(base64.b64decode(result["file"])), formats=["PNG"]) as image:
        return square_png(image.convert("RGBA"))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


JOBS: dict[str, Callable[..., Result]] = {"clean": clean}

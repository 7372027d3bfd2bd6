"""A PNG, JPEG or WebP picture of a stranger, decoded under limits and encoded anew as a square PNG.

Only the pixels go on: no text, no profile, no place where it was taken, nothing behind the end of the file.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from libs.common.pictures.refusal import NotTaken

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
LEAST_SIDE, MOST_SIDE = 90, 3000  # pixels; below the least nobody recognises a badge
MOST_BYTES = 384 * 1024
# The largest side, and what is tried where the picture is too rich to fit into `MOST_BYTES`.
SIDES = (600, 480, 360, 240)
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def kind_of(content: bytes) -> str:
    """The media type that the first bytes speak for; `image/svg+xml` for what looks like XML, else a plain word."""
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    start = content[:200].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    return "image/svg+xml" if start.startswith(b"<") else "neither picture nor XML" if content else "nothing"


def clean_raster(content: bytes, media_type: str) -> bytes:
    """The picture as a square PNG; `media_type` is a key of `FORMATS`. Raises `NotTaken`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the check below is stricter
            with Image.open(io.BytesIO(content), formats=[FORMATS[media_type]]) as image:
                width, height = image.size
                if not (min(width, height) >= LEAST_SIDE and max(width, height) <= MOST_SIDE):
                    sides = f"{LEAST_SIDE} to {MOST_SIDE} pixels a side"
                    raise NotTaken(f"expected {sides}, found {width} by {height}")
                return square_png(_upright(image))
    except Image.DecompressionBombError:
        raise NotTaken(f"expected at most {MOST_SIDE} pixels a side, found far more") from None
    except (OSError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError) as fault:
        raise NotTaken(f"expected a whole {FORMATS[media_type]}, found: {str(fault)[:120]}") from None
    except ValueError as fault:
        if isinstance(fault, NotTaken):
            raise
        raise NotTaken(f"expected a whole {FORMATS[media_type]}, found: {str(fault)[:120]}") from None


def square_png(image: Image.Image) -> bytes:
    """`image` (RGBA) as a square PNG of at most `MOST_BYTES`, the picture in its middle. Raises `NotTaken`."""
    if image.getchannel("A").getbbox() is None:
        raise NotTaken("expected something to see, found an empty picture")
    for side in SIDES:
        content = _encoded(image, min(side, max(image.size)))
        if len(content) <= MOST_BYTES:
            return content
    raise NotTaken(f"expected a picture of at most {MOST_BYTES} bytes as PNG, found more")


def _upright(image: Image.Image) -> Image.Image:
    """The first picture of the file in its right position, in RGBA."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):  # 16 bits of grey: the upper eight are what a screen shows
        turned = turned.convert("I").point(lambda grey: grey / 256)  # pyright: ignore[reportUnknownMemberType]
        turned = turned.convert("L")
    return turned.convert("RGBA")


def _encoded(image: Image.Image, side: int) -> bytes:
    fitted = ImageOps.contain(image, (side, side), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (side, side))
    square.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
    if square.getchannel("A").getextrema() == (255, 255):
        square = square.convert("RGB")
    file = io.BytesIO()
    square.save(file, "PNG", optimize=True)
    return file.getvalue()

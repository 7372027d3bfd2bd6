"""What is drawn within the sandbox. Each job without arguments loads the typefaces, and draws nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

Result = dict[str, Any]
_FOLDER = Path(__file__).parent
# The typeface comes along, so that a picture looks the same wherever it is drawn; the host's are for other scripts.
_TYPEFACES = Path(str(files("font_hanken_grotesk"))) / "files"
# PDF/A-3 may carry attachments and lasts; PDF/UA-1 is for those who have it read to them.
_STANDARDS: list[Any] = ["a-3a", "ua-1"]
_LETTER_LACKS = "could not be displayed"
_POINTS_PER_INCH = 72


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(font_paths=typst.Fonts(font_paths=[_TYPEFACES]))


@cache
def _source(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


def picture(svg: str = "", width: int = 1, field: tuple[int, int] = (1, 1)) -> Result:
    """`svg`, whose view box has the size `field`, as a PNG of `width` pixels under `file` (base64)."""
    if not svg:
        _compiler()
        return {}
    inputs = {"svg": svg, "width": str(field[0]), "height": str(field[1])}
    resolution = _POINTS_PER_INCH * width / field[0]
    return _drawn(_source("picture.typ"), inputs, format="png", ppi=resolution)


def certificate(
    said: str = "", badge: str = "", qr: str = "", credential: str | None = None, told_at: int = 0
) -> Result:
    """A certificate as PDF under `file` (base64).

    `said` is the JSON that certificate.typ reads, `badge` and `qr` are SVG, `credential` is attached where it is
    given, `told_at` (seconds since 1970) is the date of the document. Where no typeface of the host has a letter, the
    result has `lacking` too, and the file keeps no standard: both forbid letters that cannot be read.
    """
    if not said:
        _compiler()
        return {}
    inputs = {"said": said, "badge": badge, "qr": qr}
    if credential is not None:
        inputs["credential"] = credential
    draw = partial(_drawn, _source("certificate.typ"), inputs, format="pdf", timestamp=told_at)
    drawn = draw(pdf_standards=_STANDARDS)
    if _LETTER_LACKS in drawn.get("detail", ""):
        drawn = {**draw(), "lacking": True}
    return drawn


def _drawn(source: bytes, inputs: dict[str, str], **options: Any) -> Result:
    try:
        file = _compiler().compile(source, sys_inputs=inputs, **options)
    except typst.TypstError as fault:
        return {"detail": str(fault)[:500]}
    assert isinstance(file, bytes)
    return {"file": base64.b64encode(file).decode()}


JOBS: dict[str, Callable[..., Result]] = {"picture": picture, "certificate": certificate}

"""An address as a QR code, for telephones and paper."""

from __future__ import annotations

import io

import segno

_QUIET_MODULES = 4  # ISO/IEC 18004: readers need this much white around the code
_MODULE_PIXELS = 10


def qr_svg(text: str) -> str:
    """The QR code of `text` as SVG, black on white."""
    file = io.BytesIO()
    _code(text).save(file, kind="svg", border=_QUIET_MODULES, xmldecl=False, light="#fff", omitsize=True)
    return file.getvalue().decode()


def qr_png(text: str) -> bytes:
    """The QR code of `text` as PNG, black on white."""
    file = io.BytesIO()
    _code(text).save(file, kind="png", border=_QUIET_MODULES, scale=_MODULE_PIXELS, light="#fff")
    return file.getvalue()


def _code(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="m", boost_error=False)

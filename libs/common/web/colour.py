"""Colours of pictures by hue: OKLCH to sRGB, so that one lightness looks equally light in every hue."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

# Far enough apart to tell by eye: purple, blue, teal, green, olive, orange, red, plum.
HUES = (285, 250, 215, 160, 135, 60, 20, 335)


def hue_of(name: str) -> int:
    """The hue (degrees) that belongs to `name`, a stack's or an achievement's id: always the same one."""
    return HUES[hashlib.sha256(name.encode()).digest()[0] % len(HUES)]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one badge, as `#rrggbb`. White text reads on `light` to `dark`, `ink` and `mark` on `disc`."""

    light: str
    middle: str
    dark: str
    edge: str
    disc: str
    rim: str
    mark: str
    ink: str


def palette(hue: int) -> Palette:
    """The colours of a badge of this hue (degrees)."""
    return Palette(
        light=oklch(0.585, 0.15, hue),
        middle=oklch(0.47, 0.15, hue),
        dark=oklch(0.25, 0.085, hue),
        edge=oklch(0.285, 0.085, hue),
        disc=oklch(0.97, 0.014, hue),
        rim=oklch(0.74, 0.06, hue),
        mark=oklch(0.485, 0.15, hue),
        ink=oklch(0.24, 0.07, hue),
    )


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """`#rrggbb` of an OKLCH colour; where sRGB has no such colour, the most colourful one that it has."""
    while True:
        channels = _linear(lightness, chroma, math.radians(hue))
        if chroma <= 0 or all(-1e-4 <= channel <= 1.0001 for channel in channels):
            return "#" + "".join(f"{round(255 * _encoded(channel)):02x}" for channel in channels)
        chroma -= 0.005


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    # Björn Ottosson's OKLab matrices (CSS Color 4, section 10).
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _encoded(channel: float) -> float:
    channel = min(max(channel, 0.0), 1.0)
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055

"""The picture that social media show beside a link to a badge: 1200 by 630 (Open Graph)."""

from __future__ import annotations

import re

from libs.common.web.badge_art import TYPEFACES, width_of, xml_text
from libs.common.web.colour import palette

SIZE = (1200, 630)
_LEFT, _ROOM = 610, 530
_TITLE_SIZES = ((60, 2), (50, 3), (40, 4))  # font size, most lines
_BELOW_SIZES = (25, 22, 19)
_TONES = {"good": "#0b6343", "caution": "#824900", "bad": "#a3212f"}


def card_svg(art: str, *, hue: int, earned: str, title: str, below: str, sign: str, tone: str) -> str:
    """The card as SVG: the badge's picture `art` beside its words.

    `earned` stands above the `title`, `below` under it, `sign` on a field in the colour of `tone` (good, caution,
    bad). All are any text, escaped here.
    """
    colours = palette(hue)
    size, lines = _fitted(title)
    leading = size * 1.12
    middle = 300.0
    first = middle - leading * (len(lines) - 1) / 2
    spans = "".join(
        f'<tspan x="{_LEFT}" y="{first + leading * number:.0f}">{xml_text(line)}</tspan>'
        for number, line in enumerate(lines)
    )
    last = first + leading * (len(lines) - 1)
    small = next((size for size in _BELOW_SIZES if width_of(below, size) <= _ROOM), _BELOW_SIZES[-1])
    pill = min(_ROOM, 60 + width_of(sign, 22) + 40)
    inner = re.sub(r"^<svg ", '<svg x="78" y="90" width="452" height="450" ', art, count=1)
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE[0]} {SIZE[1]}" font-family="{TYPEFACES}">',
            '<defs><linearGradient id="ground" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#f8f7fd"/>'
            f'<stop offset="1" stop-color="{colours.disc}"/></linearGradient></defs>',
            f'<rect width="{SIZE[0]}" height="{SIZE[1]}" fill="url(#ground)"/>{inner}',
            f'<text x="{_LEFT}" y="{first - size - 10:.0f}" font-size="28" fill="#4a4d5c">{_cut(earned, 28)}</text>',
            f'<text font-size="{size}" font-weight="700" fill="{colours.ink}">{spans}</text>',
            f'<text x="{_LEFT}" y="{last + 66:.0f}" font-size="{small}" font-weight="600"'
            f' fill="{colours.middle}">{_cut(below, small)}</text>',
            f'<rect x="{_LEFT}" y="{last + 110:.0f}" width="{pill:.0f}" height="56" rx="28" fill="{_TONES[tone]}"/>',
            f'<path transform="translate({_LEFT + 24} {last + 126:.0f})" d="{_mark(tone)}" fill="none" stroke="#fff"'
            ' stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>',
            f'<text x="{_LEFT + 60}" y="{last + 146:.0f}" font-size="22" font-weight="600" fill="#fff">'
            f"{xml_text(sign)}</text></svg>",
        )
    )


def _mark(tone: str) -> str:
    return "M2 13l6 6 13-14" if tone == "good" else "M12 3v12M12 21v.2"


def _fitted(title: str) -> tuple[int, list[str]]:
    size, lines = _TITLE_SIZES[0][0], [title]
    for size, most in _TITLE_SIZES:
        lines = _wrapped(title.split() or [""], size)
        if len(lines) <= most and all(width_of(line, size) <= _ROOM for line in lines):
            return size, lines
    most = _TITLE_SIZES[-1][1]
    shown = [_shortened(line, size) for line in lines[:most]]
    return size, [*shown[:-1], shown[-1] + ("…" if len(lines) > most and not shown[-1].endswith("…") else "")]


def _wrapped(words: list[str], size: int) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        if width_of(f"{lines[-1]} {word}", size) <= _ROOM:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _shortened(text: str, size: int) -> str:
    if width_of(text, size) <= _ROOM:
        return text
    while text and width_of(text + "…", size) > _ROOM:
        text = text[:-1]
    return text.rstrip() + "…"


def _cut(text: str, size: int) -> str:
    return xml_text(_shortened(text, size))

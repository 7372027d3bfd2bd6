"""Badge pictures drawn from words: shape by kind, hue by stack or achievement, level pips, title (M1.41).

Every achievement has a good-looking badge without an artist. The picture is one SVG with a title and a
description for those who cannot see it, no script, no style, and nothing fetched from elsewhere.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from html import escape

from libs.common.web.colour import palette
from libs.common.web.shapes import mark, outline

LEVELS = 4
_CENTRE_X = 200.0
# The second is the one that `rendering` brings along: a list without it would be drawn with serifs on a bare host.
TYPEFACES = "Inter, 'Hanken Grotesk', 'Helvetica Neue', Arial, 'Segoe UI', 'Noto Sans', system-ui, sans-serif"
_TITLE_SIZES = ((29, 2), (26, 2), (25, 3), (22, 3), (19, 4), (16, 5))  # font size, most lines
_DISC_RADIUS = 127
_MOST_ON_ARC = 40


def badge_svg(
    title: str,
    issuer: str,
    kind: str,
    level: int | None,
    hue: int,
    *,
    kind_label: str | None = None,
    level_label: str = "level {level} of {levels}",
    language: str = "en",
) -> str:
    """The picture of a badge as SVG text.

    `title` and `issuer` are any text, escaped here; `kind` an achievement kind (`micro-credential`, `stack`, …);
    `level` 1 to 4 or None; `hue` degrees (see `colour.hue_of`). `kind_label` is the kind in the reader's
    `language`, and `level_label` how the description says the level.
    """
    label = kind_label or kind
    described = f"{label} · {issuer}"
    if level is not None:
        described += " · " + level_label.format(level=level, levels=LEVELS)
    colours = palette(hue)
    # Pictures share a page, so their inner ids must not meet.
    name = "b" + hashlib.sha256(f"{title}|{described}|{hue}".encode()).hexdigest()[:10]
    path = outline(kind)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img" lang="{xml_text(language)}"'
        f' aria-labelledby="{name}-t {name}-d" font-family="{TYPEFACES}" text-anchor="middle">',
        f'<title id="{name}-t">{xml_text(title)}</title><desc id="{name}-d">{xml_text(described)}</desc>',
        f'<defs><linearGradient id="{name}-g" x1="0.15" y1="0" x2="0.85" y2="1">'
        f'<stop offset="0" stop-color="{colours.light}"/><stop offset="0.5" stop-color="{colours.middle}"/>'
        f'<stop offset="1" stop-color="{colours.dark}"/></linearGradient>'
        f'<path id="{name}-u" d="M54 200A146 146 0 0 1 346 200"/>'
        f'<path id="{name}-l" d="M47 200A153 153 0 0 0 353 200"/></defs>',
        f'<path d="{path}" fill="url(#{name}-g)" stroke="{colours.edge}" stroke-width="7" stroke-linejoin="round"/>',
        f'<circle cx="200" cy="200" r="{_DISC_RADIUS}" fill="{colours.disc}" stroke="{colours.rim}"/>',
        f'<circle cx="200" cy="200" r="120" fill="none" stroke="{colours.rim}" stroke-dasharray="2 4"/>',
        f'<path d="{mark(kind)}" transform="translate(168 97)" fill="none" stroke="{colours.mark}"'
        ' stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/>',
        _title_lines(title, colours.ink, 240 if level is not None else 248),
        "" if level is None else _pips(level, colours.mark),
        _on_arc(issuer, f"{name}-u", 16, 2.2),
        _on_arc(label, f"{name}-l", 13, 2.2),
        "</svg>",
    ]
    return "".join(parts)


def xml_text(text: str) -> str:
    """Text as XML may hold it: escaped, without the characters that XML 1.0 forbids."""
    allowed = (
        sign for sign in text if sign >= " " and not 0xD800 <= ord(sign) <= 0xDFFF and sign not in "\ufffe\uffff"
    )
    return escape("".join(allowed), quote=True)


def _pips(level: int, colour: str) -> str:
    first = _CENTRE_X - (LEVELS - 1) * 9.25
    return "".join(
        f'<circle cx="{first + 18.5 * index:g}" cy="303" r="5.4" stroke="{colour}" stroke-width="1.8"'
        f' fill="{colour if index < level else "none"}"/>'
        for index in range(LEVELS)
    )


def _on_arc(text: str, arc: str, size: float, spacing: float) -> str:
    shown = " ".join(text.upper().split())
    if len(shown) > _MOST_ON_ARC:
        shown = shown[: _MOST_ON_ARC - 1].rstrip() + "…"
    if _joins_letters(shown):
        spacing = 0
    # About 370 units of arc lie on the ring before the text would run down its sides.
    size = min(size, size * 370 / max(1.0, width_of(shown, size) + spacing * len(shown)))
    return (
        f'<text fill="#fff" font-size="{size:.1f}" font-weight="600" letter-spacing="{spacing * size / 16:.1f}">'
        f'<textPath href="#{arc}" startOffset="50%">{xml_text(shown)}</textPath></text>'
    )


def _joins_letters(text: str) -> bool:
    # Space between letters would tear Arabic and its kin apart.
    return any(unicodedata.bidirectional(sign) == "AL" for sign in text)


def _title_lines(title: str, colour: str, middle: float) -> str:
    size, lines = fit(title, middle)
    leading = size * 1.12
    first = middle - leading * (len(lines) - 1) / 2 + size * 0.35
    spans = "".join(
        f'<tspan x="200" y="{first + leading * index:.1f}">{xml_text(line)}</tspan>' for index, line in enumerate(lines)
    )
    return f'<text fill="{colour}" font-size="{size}" font-weight="700">{spans}</text>'


def fit(title: str, middle: float = 240) -> tuple[int, list[str]]:
    """The largest font size, and the lines, with which `title` fits into the disc around height `middle`."""
    words = title.split() or [""]
    size, lines = _TITLE_SIZES[0][0], [""]
    for size, most in _TITLE_SIZES:
        room = _rooms(size, most, middle)
        lines = _wrap(words, size, room)
        if len(lines) <= most and all(width_of(line, size) <= room for line in lines):
            return size, lines
    most = _TITLE_SIZES[-1][1]
    room = _rooms(size, most, middle)
    broken = _wrap([piece for word in words for piece in _break(word, size, room)], size, room)
    if len(broken) > most:
        broken = [*broken[: most - 1], broken[most - 1][:-1].rstrip() + "…"]
    return size, broken


def _rooms(size: float, lines: int, middle: float) -> float:
    """How wide a line may be: the chord of the disc at the lowest of `lines` lines."""
    below = middle - 200 + size * 1.12 * (lines - 1) / 2
    reach = _DISC_RADIUS - 10
    return 2 * math.sqrt(max(reach**2 - min(below, reach - 20) ** 2, 0))


def _wrap(words: list[str], size: float, room: float) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        if width_of(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _break(word: str, size: float, room: float) -> list[str]:
    if width_of(word, size) <= room:
        return [word]
    most = max(1, int(len(word) * room / width_of(word, size)) - 1)
    return [word[start : start + most] for start in range(0, len(word), most)]


def width_of(text: str, size: float) -> float:
    """About how wide `text` is in a bold sans-serif face of this size; rather too wide than too narrow."""
    return size * sum(_width(sign) for sign in text)


def _width(sign: str) -> float:
    if unicodedata.combining(sign):
        return 0.0
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.02
    if sign in "iljtfrI.,:;'|!()[] ’":
        return 0.36
    if sign in "mwMW@%—":
        return 0.9
    return 0.7 if sign.isupper() else 0.59

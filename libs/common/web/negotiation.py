"""Which of several forms of a resource a caller wants (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

_LONGEST_ACCEPT = 1_000


def preferred(accept: str | None, offers: Sequence[str]) -> str | None:
    """The media type out of `offers` that `accept` (an Accept header) likes best, or None if it likes none.

    `offers` are full media types in the server's order, which decides between equals; no header means the first.
    """
    return _preferred((accept or "*/*")[:_LONGEST_ACCEPT], tuple(offers))


@lru_cache(maxsize=1024)
def _preferred(accept: str, offers: tuple[str, ...]) -> str | None:
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    best, best_quality = None, 0.0
    for offer in offers:
        quality = _quality(offer, ranges)
        if quality > best_quality:
            best, best_quality = offer, quality
    return best


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return name, quality


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    # The most specific range that matches decides, whatever its quality.
    for wanted in (offer, offer.partition("/")[0] + "/*", "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0

"""Which form of a resource a caller gets (RFC 9110, section 12.5.1)."""

import pytest

from libs.common.web.negotiation import preferred

OFFERS = ("text/html", "application/vc+ld+json", "application/ld+json", "application/json")
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "text/html"),
        ("", "text/html"),
        ("*/*", "text/html"),
        (CHROME, "text/html"),
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/vc+ld+json", "application/vc+ld+json"),
        ("application/*", "application/vc+ld+json"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("application/json;q=0.5, text/html", "text/html"),
        ("APPLICATION/JSON", "application/json"),
        ("application/json;charset=utf-8", "application/json"),
        ("text/html;q=0, */*", "application/vc+ld+json"),
        ("text/html;q=0", None),
        ("image/png", None),
        ("nonsense", None),
        ("application/json;q=nan-sense", None),
        (";;;,,,", None),
    ],
)
def test_the_best_offer_wins(accept: str | None, expected: str | None) -> None:
    assert preferred(accept, OFFERS) == expected


def test_an_endless_header_is_cut_short() -> None:
    assert preferred("image/png," * 100_000 + "text/html", OFFERS) is None

"""Badge pictures: well-formed whatever the words, safe to show, told apart by shape, hue and pips (M1.41)."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.web.badge_art import badge_svg, fit, width_of
from libs.common.web.colour import HUES, hue_of, oklch, palette
from libs.common.web.shapes import outline

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("micro-credential", "stack", "pathway", "milestone", "attendance", "commemorative")


@given(
    title=st.text(max_size=300),
    issuer=st.text(max_size=300),
    kind=st.sampled_from((*KINDS, "unheard-of")),
    level=st.none() | st.integers(1, 4),
    hue=st.sampled_from(HUES),
)
def test_any_words_make_a_well_formed_picture(title: str, issuer: str, kind: str, level: int | None, hue: int) -> None:
    root = ElementTree.fromstring(badge_svg(title, issuer, kind, level, hue))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    names = {element.get("id") for element in root.iter()}
    assert set((root.get("aria-labelledby") or "").split()) <= names


def test_words_cannot_become_markup() -> None:
    picture = badge_svg('<script>alert("x")</script>', "A & B </text>", "stack", None, 20, language='en"><b>')
    root = ElementTree.fromstring(picture)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {
        "svg",
        "title",
        "desc",
        "defs",
        "linearGradient",
        "stop",
        "path",
        "circle",
        "text",
        "tspan",
        "textPath",
    }
    assert root.findtext(f"{SVG}title") == '<script>alert("x")</script>'


def test_nothing_in_it_needs_a_weaker_policy() -> None:
    picture = badge_svg("Coaching", "Prairie", "stack", 3, 285)
    assert "style" not in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_pips_show_the_level() -> None:
    def filled(level: int | None) -> int:
        root = ElementTree.fromstring(badge_svg("A", "B", "stack", level, 20))
        pips = [circle for circle in root.iter(f"{SVG}circle") if circle.get("r") == "5.4"]
        assert len(pips) == (0 if level is None else 4)
        return sum(pip.get("fill") != "none" for pip in pips)

    assert [filled(level) for level in (None, 1, 2, 3, 4)] == [0, 1, 2, 3, 4]


def test_kinds_differ_in_shape() -> None:
    assert len({outline(kind) for kind in KINDS}) == len(KINDS)


def test_the_description_says_what_the_picture_shows() -> None:
    root = ElementTree.fromstring(badge_svg("Coaching", "Prairie", "stack", 3, 20, kind_label="Stack"))
    assert root.findtext(f"{SVG}title") == "Coaching"
    assert root.findtext(f"{SVG}desc") == "Stack · Prairie · level 3 of 4"


def test_the_same_words_make_the_same_picture() -> None:
    assert badge_svg("A", "B", "stack", 1, 20) == badge_svg("A", "B", "stack", 1, 20)


@pytest.mark.parametrize(
    "title",
    [
        "Coaching and Mentoring",
        "Data Visualisation for Decision Makers",
        "x" * 60,
        "Of " * 40,
        "数据可视化与决策分析基础",
    ],
)
def test_titles_fit_into_the_disc(title: str) -> None:
    size, lines = fit(title)
    assert len(lines) <= 5
    assert all(width_of(line, size) <= 240 for line in lines)


def test_short_titles_are_large() -> None:
    assert fit("Breadth")[0] > fit("Data Visualisation for Decision Makers")[0]


def test_a_name_keeps_its_hue() -> None:
    assert hue_of("coaching") == hue_of("coaching")
    assert {hue_of(f"achievement-{number}") for number in range(100)} == set(HUES)


def test_colours_are_those_of_css() -> None:
    # CSS Color 4: the primaries in OKLCH.
    assert oklch(0.6279, 0.2577, 29.23) in ("#ff0000", "#fe0000", "#ff0100", "#ff0001")
    assert oklch(1, 0, 0) == "#ffffff"
    assert oklch(0, 0, 0) == "#000000"


@pytest.mark.parametrize("hue", HUES)
def test_words_read_on_every_hue(hue: int) -> None:
    colours = palette(hue)
    # WCAG 2.2, 1.4.3: 4.5 for text; the ring's lightest part carries only bold capitals.
    assert contrast(colours.ink, colours.disc) >= 7
    assert contrast(colours.mark, colours.disc) >= 4.5
    assert contrast("#ffffff", colours.middle) >= 4.5
    assert contrast("#ffffff", colours.light) >= 3.9


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)

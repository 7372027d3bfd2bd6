"""Baked pictures, read back by openbadgeslib and by a plain XML parser (OB 3.0 section 5.3; OB 2.0 baking)."""

from __future__ import annotations

import zlib
from xml.etree import ElementTree

import pytest
from openbadgeslib.baking import extract_png, extract_svg

from libs.common.credentials.baking import OPEN_BADGES_2, NotBakeable, bake_png, bake_svg
from libs.common.credentials.issue import Template
from tests.libs.common.credentials.samples import CLAIM, FULL_CLAIM, FULL_TERMS, ISSUER, SIGNER, published


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]))
    + chunk(b"IDAT", zlib.compress(b"\0\0"))
    + chunk(b"IEND", b"")
)
SVG = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- a picture of <svg> -->
<svg xmlns="http://www.w3.org/2000/svg" aria-label="a > b"
     viewBox="0 0 1 1"><path d="M0 0"/></svg>
"""
EMPTY_SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
BADGE = Template(ISSUER, FULL_TERMS).issue(CLAIM, SIGNER).credential
NASTY = BADGE.replace(b"Module", "]]> Module ☃ ]]]]>".encode())


@pytest.mark.parametrize("credential", [BADGE, NASTY], ids=["plain", "nasty"])
def test_png(credential: bytes) -> None:
    baked = bake_png(PNG, credential)
    assert extract_png(baked, keyword=b"openbadgecredential") == credential.decode()
    assert baked.count(b"openbadgecredential") == 1


def test_baking_again_replaces_the_credential() -> None:
    baked = bake_png(bake_png(PNG, b"{}"), BADGE)
    assert baked == bake_png(PNG, BADGE)


def test_both_standards_fit_in_one_picture() -> None:
    twin = Template(ISSUER, FULL_TERMS).issue(FULL_CLAIM, SIGNER).open_badge_2
    baked = bake_png(bake_png(PNG, BADGE), twin, OPEN_BADGES_2)
    assert extract_png(baked, keyword=b"openbadges") == twin.decode()
    assert extract_png(baked, keyword=b"openbadgecredential") == BADGE.decode()
    baked = bake_svg(EMPTY_SVG, twin, OPEN_BADGES_2, verify=CLAIM.assertion_url)
    assert extract_svg(baked, element="openbadges:assertion") == CLAIM.assertion_url


@pytest.mark.parametrize("credential", [BADGE, NASTY], ids=["plain", "nasty"])
@pytest.mark.parametrize("picture", [SVG, EMPTY_SVG], ids=["picture", "empty"])
def test_svg(picture: bytes, credential: bytes) -> None:
    baked = bake_svg(picture, credential)
    assert extract_svg(baked, element="openbadges:credential", text_fallback=True) == credential.decode()
    root = ElementTree.fromstring(baked)
    assert root[0].tag == "{https://purl.imsglobal.org/ob/v3p0}credential"
    assert root[0].text == credential.decode()
    assert len(root) == 1 + len(ElementTree.fromstring(picture))


@pytest.mark.parametrize(
    ("why", "picture"),
    [
        ("nothing", b""),
        ("no PNG", SVG),
        ("cut off", PNG[:-5]),
        ("damaged", PNG.replace(b"IDAT", b"IDAU")),
        ("a size beyond the end", PNG[:8] + b"\xff\xff\xff\xff" + PNG[12:]),
    ],
)
def test_what_is_no_whole_png_is_refused(why: str, picture: bytes) -> None:
    with pytest.raises(NotBakeable):
        bake_png(picture, BADGE)


@pytest.mark.parametrize(
    ("why", "picture"),
    [
        ("nothing", b""),
        ("no XML", PNG),
        ("another root", b"<html/>"),
        ("not closed", b"<svg>"),
        ("entities", b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg>&a;</svg>'),
        ("baked already", bake_svg(SVG, BADGE)),
        (
            "baked under another prefix",
            b'<svg><o:credential xmlns:o="https://purl.imsglobal.org/ob/v3p0">x</o:credential></svg>',
        ),
        ("our prefix for something else", b'<svg xmlns:openbadges="urn:x"/>'),
    ],
)
def test_what_is_no_fresh_svg_is_refused(why: str, picture: bytes) -> None:
    with pytest.raises(NotBakeable):
        bake_svg(picture, BADGE)


@pytest.mark.parametrize("picture", [SVG, EMPTY_SVG], ids=["picture", "empty"])
def test_a_picture_that_only_names_the_namespace_takes_a_badge(picture: bytes) -> None:
    """As text, in a caption or a comment it is no credential."""
    name = b"https://purl.imsglobal.org/ob/v3p0 openbadges"
    said = b'<svg aria-label="%b" xmlns="http://www.w3.org/2000/svg"><!-- %b --><text>%b</text></svg>' % ((name,) * 3)
    for shown in (said, picture.replace(b"<svg ", b'<svg id="%b" ' % name)):
        assert ElementTree.fromstring(bake_svg(shown, BADGE))[0].text == BADGE.decode()


def test_a_png_whose_text_names_the_keyword_takes_a_badge() -> None:
    text = chunk(b"iTXt", b"Comment\0\0\0\0\0openbadgecredential\0 https://purl.imsglobal.org/ob/v3p0")
    picture = PNG[:33] + text + PNG[33:]
    baked = bake_png(picture, BADGE)
    assert extract_png(baked, keyword=b"openbadgecredential") == BADGE.decode()
    assert text in baked


def test_what_xml_cannot_carry_is_refused() -> None:
    with pytest.raises(NotBakeable, match="XML"):
        bake_svg(SVG, BADGE.replace(b"Module", "\uffff".encode()))


def test_a_picture_of_another_maker_takes_our_badge() -> None:
    picture = published("fixtures/ob3/creds/ok-baked.png").read_bytes()
    assert extract_png(bake_png(picture, BADGE), keyword=b"openbadgecredential") == BADGE.decode()

"""An uploaded SVG is written anew from what is known; what runs, loads, links or grows is refused with a reason."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from libs.common.credentials.baking import bake_svg
from libs.common.pictures.refusal import NotTaken
from libs.common.pictures.styles import references_in
from libs.common.pictures.vector import clean_svg
from libs.common.pictures.vocabulary import ATTRIBUTES, ELEMENTS, SVG
from tests.libs.common.pictures.hostile import GOOD, HOSTILE_SVG, svg

DRAWN = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<!-- made by a drawing tool --><?xml-stylesheet href="https://tool.example/a.css"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:tool="urn:tool" width="80mm"
  viewBox="10 20 200 100" tool:version="1" xml:space="preserve" data-name="Layer 1">
  <title>A disc &amp; a ring</title><metadata><rdf xmlns="urn:rdf"><made by="x"/></rdf></metadata>
  <tool:view zoom="2"><tool:grid/></tool:view>
  <defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient>
    <linearGradient id="b" xlink:href="#a" x1="0"/>
    <style>/* one */ .c, #d > g { fill: url("#b"); -tool-x: 1 }</style></defs>
  <g class="c" style="stroke:red;tool-mode:soft;stroke-width:2" transform="rotate(4)" tool:label="one">
    <use xlink:href="#d" clip-path="url(#e)"/></g>
  <path id="d" d="M0 0L1 1Z" aria-label="x"/><clipPath id="e"><rect width="5" height="5"/></clipPath>
  <text x="1" y="2" font-family="Inter, 'Noto Sans'">Grüße <tspan dy="1">日本</tspan>!</text>
</svg>"""


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


@pytest.mark.parametrize("name", HOSTILE_SVG)
def test_it_is_refused_with_what_was_found(name: str) -> None:
    content, word = HOSTILE_SVG[name]
    with pytest.raises(NotTaken) as refused:
        clean_svg(content)
    assert word in str(refused.value)
    assert ("expected" in str(refused.value), "found" in str(refused.value)) == (True, True)


def test_what_a_drawing_tool_writes_is_taken_without_its_marks() -> None:
    cleaned = clean_svg(DRAWN.encode())
    root = parsed(cleaned)
    assert root.attrib == {"viewBox": "10 -30 200 200", "role": "img"}
    names = [element.tag.removeprefix(f"{{{SVG}}}") for element in root]
    assert names == ["title", "defs", "g", "path", "clipPath", "text"]
    assert "tool" not in cleaned
    assert "rdf" not in cleaned
    assert root[1][2].text == '.c, #d > g{fill:url("#b")}'
    assert root[2].attrib == {"class": "c", "style": "stroke:red;stroke-width:2", "transform": "rotate(4)"}
    assert root[2][0].attrib == {"href": "#d", "clip-path": "url(#e)"}
    assert "".join(root[5].itertext()) == "Grüße 日本!"


def test_old_encodings_are_read_and_written_as_utf_8() -> None:
    for encoding in ("utf-16", "iso-8859-1"):
        text = f'<?xml version="1.0" encoding="{encoding}"?>' + svg("<title>Grüße</title>").decode()
        assert "<title>Grüße</title>" in clean_svg(text.encode(encoding))


def test_what_is_taken_is_taken_again_unchanged() -> None:
    for picture in (GOOD, DRAWN):
        once = clean_svg(picture.encode())
        assert clean_svg(once.encode()) == once


def test_a_badge_can_be_baked_into_it() -> None:
    baked = bake_svg(clean_svg(DRAWN.encode()).encode(), b'{"a": "b"}')
    assert parsed(baked.decode())[0].text == '{"a": "b"}'


PIECES = [
    "<g>", "</g>", "<use href='#a'/>", "<rect fill='url(#a)' id='a'/>", "<style>", "</style>", "rect{fill:red}",
    "<script>", "</script>", "onload='x'", "<![CDATA[", "]]>", "<!--", "-->", "javascript:", "url(https://x)", "\\72l",
    "<text>", "</text>", "&lt;", "&#x3c;script&#x3e;", "&amp;lt;", "\"", "'", " ", "@import", "/*", "*/",
    "<a href='x'>",
    "xmlns='urn:x'", "<x:y xmlns:x='urn:x'>", "</x:y>", "<title>", "</title>", "é", "<metadata>", "</metadata>", "%00",
]  # fmt: skip
fragments = some.lists(some.one_of(some.sampled_from(PIECES), some.text(max_size=6)), max_size=14).map("".join)
values = some.lists(
    some.one_of(some.sampled_from(["url(", "#a", ")", "https://x", "\\", "/*", "*/", ";", ":", "fill", "'", "rgb("]),
                some.text(max_size=4)), max_size=8,
).map("".join)  # fmt: skip


def require_clean(text: str) -> None:
    for element in parsed(text).iter():
        assert element.tag.removeprefix(f"{{{SVG}}}") in ELEMENTS
        for name, value in element.attrib.items():
            assert name in ATTRIBUTES | {"id", "class", "style", "href", "role"}
            assert not name.startswith("on")
            assert name != "href" or value.startswith("#")
            assert all(address.startswith("#") for address in re.findall(r"url\(\s*['\"]?(.)", value, re.IGNORECASE))
        if element.tag.endswith("}style"):
            assert not re.search(r"@|\\|<|/\*|url\(\s*['\"]?[^#'\"\s]", element.text or "", re.IGNORECASE)


@given(fragments)
@example("<style>a{fill:url( '#a' )}</style>")
def test_whatever_comes_only_what_is_known_goes_on(fragment: str) -> None:
    try:
        cleaned = clean_svg(svg(fragment))
    except (NotTaken, UnicodeEncodeError):
        return
    require_clean(cleaned)
    assert clean_svg(cleaned.encode()) == cleaned


@given(some.sampled_from(sorted(ATTRIBUTES | {"style", "href", "id", "class", "onclick", "src"})), values)
def test_whatever_an_attribute_says_it_refers_to_this_picture_alone(name: str, value: str) -> None:
    escaped = "".join(f"&#{ord(sign)};" for sign in value if sign >= " " and not 0xD800 <= ord(sign) <= 0xDFFF)
    try:
        cleaned = clean_svg(svg(f'<g id="a"/><use {name}="{escaped}"/>'))
    except NotTaken:
        return
    require_clean(cleaned)


@given(some.text(alphabet="url(#ab) '\";,\t", max_size=20))
def test_a_value_names_each_id_once_for_each_url(value: str) -> None:
    try:
        names = references_in(value, "a test")
    except NotTaken:
        return
    assert len(names) == len(re.findall(r"url\s*\(", value))

"""Bake a signed credential into a picture, PNG or SVG (OB 3.0, section 5.3; OB 2.0 baking).

The bytes of the credential go in as they are. Reading baked pictures of others is left to `openbadgeslib`.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

_NOT_XML = ("\ufffe".encode(), "\uffff".encode())
# As readers expect it, whatever XML would allow.
_PREFIX = "openbadges"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a standard keeps the credential: keyword of the PNG text, namespace and element of the SVG."""

    keyword: bytes
    namespace: str
    element: str


OPEN_BADGES_3 = Place(b"openbadgecredential", "https://purl.imsglobal.org/ob/v3p0", "credential")
OPEN_BADGES_2 = Place(b"openbadges", "http://openbadges.org", "assertion")


class NotBakeable(ValueError):
    """A picture that cannot take a credential; the message says what was expected."""


def bake_png(picture: bytes, credential: bytes, place: Place = OPEN_BADGES_3) -> bytes:
    """`picture` with `credential` in one uncompressed iTXt chunk; one that was there before is replaced.

    Raises `NotBakeable` if `picture` is no whole PNG.
    """
    baked = [_PNG_SIGNATURE]
    for kind, content in _chunks(picture):
        if kind == b"iTXt" and content.startswith(place.keyword + b"\0"):
            continue
        baked.append(_chunk(kind, content))
        if kind == b"IHDR":
            # PNG, 11.3.3.4: keyword, no compression, method 0, no language tag, no translated keyword.
            baked.append(_chunk(b"iTXt", place.keyword + b"\0\0\0\0\0" + credential))
    return b"".join(baked)


def bake_svg(picture: bytes, credential: bytes, place: Place = OPEN_BADGES_3, verify: str | None = None) -> bytes:
    """`picture` with `credential` as the first element within `<svg>`.

    `verify` is the address of a hosted Open Badges 2.0 assertion, which readers of that standard look for.
    Raises `NotBakeable` if `picture` is no SVG in UTF-8 or has a credential already, or if XML cannot carry it.
    """
    if any(character in credential for character in _NOT_XML):
        raise NotBakeable("expected a credential without U+FFFE and U+FFFF, which XML cannot carry")
    start, end = _root_tag(picture, place)
    tag = picture[start:end]
    closing = b"/>" if tag.endswith(b"/>") else b">"
    opened = tag[: -len(closing)] + f' xmlns:{_PREFIX}="{place.namespace}">'.encode()
    element = (
        f"<{_PREFIX}:{place.element}{'' if verify is None else f' verify={quoteattr(verify)}'}><![CDATA[".encode()
        + credential.replace(b"]]>", b"]]]]><![CDATA[>")  # a CDATA section cannot hold its own end
        + f"]]></{_PREFIX}:{place.element}>".encode()
    )
    return picture[:start] + opened + element + (b"</svg>" if closing == b"/>" else b"") + picture[end:]


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not picture.startswith(_PNG_SIGNATURE):
        raise NotBakeable("expected a PNG")
    position = len(_PNG_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        size = int.from_bytes(picture[position : position + 4])
        kind = picture[position + 4 : position + 8]
        content = picture[position + 8 : position + 8 + size]
        checksum = picture[position + 8 + size : position + 12 + size]
        if len(checksum) < 4 or zlib.crc32(kind + content) != int.from_bytes(checksum):
            raise NotBakeable(f"expected a whole PNG, found a damaged chunk at byte {position}")
        yield kind, content
        position += 12 + size


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def _root_tag(picture: bytes, place: Place) -> tuple[int, int]:
    """Where the tag of the root element begins and ends; nothing in the picture may be of the namespace of `place`."""
    begins: list[tuple[int, str]] = []
    parser = expat.ParserCreate("utf-8", " ")

    def on_start(name: str, attributes: dict[str, str]) -> None:
        del attributes
        if not begins:
            begins.append((parser.CurrentByteIndex, name.rpartition(" ")[2]))

    def on_namespace(prefix: str | None, namespace: str) -> None:
        # Text may well name it: only what is declared can be a credential, or take our prefix away.
        if namespace == place.namespace or prefix == _PREFIX:
            raise NotBakeable("expected an SVG without a credential")

    def on_entity(*_: object) -> None:
        raise NotBakeable("expected an SVG without declared entities")

    parser.StartElementHandler = on_start
    parser.StartNamespaceDeclHandler = on_namespace
    parser.EntityDeclHandler = on_entity
    try:
        parser.Parse(picture, True)
    except expat.ExpatError as error:
        raise NotBakeable(f"expected an SVG: {error}") from None
    begin, name = begins[0]
    if name != "svg":
        raise NotBakeable(f"expected the element svg, found {name}")
    quote = b""
    for position in range(begin, len(picture)):
        letter = picture[position : position + 1]
        if quote:
            quote = b"" if letter == quote else quote
        elif letter in b"\"'":
            quote = letter
        elif letter == b">":
            return begin, position + 1
    raise NotBakeable("expected the tag of svg to end")

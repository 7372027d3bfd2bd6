"""What lies in the bytes that somebody brings: a credential, a token, an address, or nothing (OB 3.0, section 5.3)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from xml.parsers import expat

from libs.common.checking.strict import Fault
from libs.common.credentials.canonical import MAX_BYTES, RECORD_BOUNDS, RECORD_TYPE

# The keywords of PNG texts, and the namespaces of SVG elements, under which standards keep badges.
_KEYWORDS = frozenset({b"openbadgecredential", b"openbadges", b"clrcredential"})
_NAMESPACES = frozenset(
    {"https://purl.imsglobal.org/ob/v3p0", "http://openbadges.org", "https://purl.imsglobal.org/clr/v2p0"}
)
_ELEMENTS = frozenset({"credential", "assertion"})
_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 20_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Carried:
    """What was found: JSON, a compact JWS, or the URL of a badge; `content` is without surrounding white space."""

    kind: Literal["json", "jws", "url"]
    content: bytes


def read(content: bytes) -> Carried | Fault | None:
    """The badge in `content`, or None when there is none in it; a `Fault` when what is there cannot be taken."""
    if content.startswith(_PNG):
        return _one(_png_texts(content))
    text = content.removeprefix(_BYTE_ORDER_MARK).strip()
    if text.startswith(b"<"):
        return _one(_svg_texts(text)) if b"<svg" in text[:4096] or b":svg" in text[:4096] else None
    return _text(text)


def _text(text: bytes) -> Carried | Fault | None:
    is_json = text.startswith(b"{")
    most = RECORD_BOUNDS.bytes if is_json and RECORD_TYPE.encode() in text else MAX_BYTES
    if len(text) > most:
        return Fault("too-large", f"expected at most {most} bytes, found {len(text)}")
    if is_json:
        return Carried("json", text)
    if text.startswith((b"https://", b"http://")) and b" " not in text and b"\n" not in text:
        return Carried("url", text)
    if text.count(b".") == 2 and all(text.split(b".")[:2]) and not set(text) - _JWS_LETTERS:
        return Carried("jws", text)
    return None


_JWS_LETTERS = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=")


def _one(found: list[bytes] | Fault) -> Carried | Fault | None:
    """The one badge of a picture. Readers differ in which of two they take, so two are none (SR-12)."""
    if isinstance(found, Fault):
        return found
    if len(found) > 1:
        return Fault("two-badges", f"expected one badge, found {len(found)}")
    if not found:
        return None
    carried = _text(found[0].strip())
    return carried or Fault("malformed", "expected a credential, a token or an address in the picture")


def _png_texts(picture: bytes) -> list[bytes] | Fault:
    found: list[bytes] = []
    for kind, content in _chunks(picture):
        keyword, separator, rest = content.partition(b"\0")
        if kind not in (b"iTXt", b"tEXt", b"zTXt") or not separator or keyword not in _KEYWORDS:
            continue
        text = _chunk_text(kind, rest)
        if isinstance(text, Fault):
            return text
        found.append(text)
    return found


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(_PNG)
    for _ in range(_MAX_CHUNKS):
        size = int.from_bytes(picture[position : position + 4])
        kind = picture[position + 4 : position + 8]
        if len(kind) < 4 or position + 12 + size > len(picture):
            return
        yield kind, picture[position + 8 : position + 8 + size]
        position += 12 + size
        if kind == b"IEND":
            return


def _chunk_text(kind: bytes, rest: bytes) -> bytes | Fault:
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _inflate(rest[1:])
    # PNG, 11.3.3.4: compression flag, method, language tag, translated keyword, text.
    compressed, after = rest[:1] == b"\1", rest[2:]
    _, first, after = after.partition(b"\0")
    _, second, text = after.partition(b"\0")
    if len(rest) < 2 or not first or not second:
        return Fault("malformed", "expected a whole iTXt chunk")
    return _inflate(text) if compressed else text


def _inflate(content: bytes) -> bytes | Fault:
    inflator = zlib.decompressobj()
    try:
        text = inflator.decompress(content, MAX_BYTES + 1)
    except zlib.error as error:
        return Fault("malformed", f"expected compressed text: {error}")
    if len(text) > MAX_BYTES or inflator.unconsumed_tail:
        return Fault("bomb", f"expected at most {MAX_BYTES} bytes unpacked")
    return text if inflator.eof else Fault("malformed", "expected the whole of a compressed text")


class _Entities(Exception):
    """The picture declares entities."""


class _SvgReader:
    """Collects the texts of badge elements; nothing is resolved or fetched."""

    def __init__(self) -> None:
        self.found: list[bytes] = []
        self._pieces: list[str] | None = None
        self._depth = 0
        self._in_attribute = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if self._pieces is not None:
            self._depth += 1
        elif namespace in _NAMESPACES and local in _ELEMENTS:
            # OB 3.0, section 5.3.2.1: a token or an address stands in `verify`, else JSON within the element.
            verify = attributes.get("verify", "").strip()
            self._pieces, self._depth, self._in_attribute = [verify], 0, bool(verify)

    def text(self, text: str) -> None:
        if self._pieces is not None and self._depth == 0 and not self._in_attribute:
            self._pieces.append(text)

    def end(self, _: str) -> None:
        if self._pieces is None:
            return
        if self._depth:
            self._depth -= 1
            return
        self.found.append("".join(self._pieces).encode())
        self._pieces = None


def _svg_texts(picture: bytes) -> list[bytes] | Fault:
    reader = _SvgReader()
    parser = expat.ParserCreate(namespace_separator=" ")

    def on_entity(*_: object) -> None:
        raise _Entities

    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = on_entity
    try:
        parser.Parse(picture, True)
    except _Entities:
        return Fault("entities", "expected an SVG without declared entities")
    except (expat.ExpatError, ValueError) as error:
        return Fault("malformed", f"expected an SVG: {error}")
    return [text for text in reader.found if text.strip()]

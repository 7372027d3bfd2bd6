"""An uploaded PNG, JPEG or WebP is decoded under limits and encoded anew: pixels go on, and nothing else."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image, PngImagePlugin

from libs.common.pictures.raster import MOST_BYTES, clean_raster, kind_of
from libs.common.pictures.refusal import NotTaken

GREEN = (11, 99, 67, 255)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def disc(width: int = 200, height: int = 200) -> Image.Image:
    image = Image.new("RGBA", (width, height))
    image.paste(GREEN, (width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    return image


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content), formats=["PNG"])
    image.load()
    return image


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is this large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(20_000, 20_000), (12_000, 12_000), (3_001, 100), (2**31 - 1, 2**31 - 1)])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    with pytest.raises(NotTaken, match=r"pixels a side|whole PNG"):
        clean_raster(claiming(*size), "image/png")


def test_a_bomb_in_the_text_of_a_picture_is_refused_or_left_behind() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "a" * 50_000_000, zip=True)
    with pytest.raises(NotTaken, match="whole PNG"):
        clean_raster(encoded(disc(), pnginfo=told), "image/png")


def test_a_page_behind_the_end_of_a_picture_is_left_behind() -> None:
    polyglot = encoded(disc()) + b"<html><script>alert(1)</script></html>"
    cleaned = clean_raster(polyglot, "image/png")
    assert b"script" not in cleaned
    assert cleaned.endswith(b"IEND\xaeB`\x82")
    assert cleaned == clean_raster(encoded(disc()), "image/png")


def test_a_page_in_the_chunks_of_a_picture_is_left_behind() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "<script>alert(1)</script>")
    told.add_itxt("openbadgecredential", '{"forged": true}')
    cleaned = clean_raster(encoded(disc(), pnginfo=told, dpi=(300, 300), icc_profile=b"<script>"), "image/png")
    assert opened(cleaned).info == {}
    assert b"script" not in cleaned


def test_where_a_photo_was_taken_is_left_behind_and_it_stands_upright() -> None:
    photo = Image.new("RGB", (100, 200), "white")
    photo.paste((200, 0, 0), (0, 0, 100, 100))
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    exif[0x010F] = "A camera"
    cleaned = clean_raster(encoded(photo, "JPEG", exif=exif.tobytes()), "image/jpeg")
    image = opened(cleaned)
    assert (image.size, b"camera" in cleaned, image.getexif()) == ((200, 200), False, {})
    red = image.convert("RGB").getpixel((100, 150))
    assert isinstance(red, tuple)
    assert red[0] > 150 > 100 > red[1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode: str) -> None:
    image = Image.new("RGB", (120, 100), "white").convert("L" if mode == "I;16" else mode)
    image = image.convert("I").convert("I;16") if mode == "I;16" else image
    assert opened(clean_raster(encoded(image), "image/png")).size == (120, 120)


@pytest.mark.parametrize(("form", "media_type"), [("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_other_kinds_become_png(form: str, media_type: str) -> None:
    cleaned = clean_raster(encoded(disc(900, 700).convert("RGB"), form), media_type)
    assert opened(cleaned).size == (600, 600)
    assert kind_of(cleaned) == "image/png"


def test_what_is_too_rich_becomes_smaller_until_it_fits() -> None:
    noise = Image.frombytes("RGBA", (700, 700), random.Random(1).randbytes(700 * 700 * 4))
    cleaned = clean_raster(encoded(noise, compress_level=1), "image/png")
    assert len(cleaned) <= MOST_BYTES
    assert opened(cleaned).size[0] in (240, 360)


REFUSED = {
    "truncated": (encoded(disc())[:200], "image/png"),
    "a damaged chunk": (encoded(disc()).replace(b"IDAT", b"IDAX"), "image/png"),
    "another kind": (encoded(disc().convert("RGB"), "JPEG"), "image/png"),
    "nothing to see": (encoded(Image.new("RGBA", (200, 200))), "image/png"),
    "too small": (encoded(disc(89, 200)), "image/png"),
    "an end without a picture": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "a truncated photo": (encoded(disc().convert("RGB"), "JPEG")[:300], "image/jpeg"),
    "a truncated WebP": (encoded(disc().convert("RGB"), "WEBP")[:60], "image/webp"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_what_was_found(name: str) -> None:
    with pytest.raises(NotTaken, match=r"expected .*found"):
        clean_raster(*REFUSED[name])


@given(some.integers(0, 10_000), some.integers(0, 255), some.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_a_damaged_picture_is_refused_or_becomes_a_whole_one(place: int, byte: int, form: str) -> None:
    content = bytearray(encoded(disc(100, 100).convert("RGB"), form))
    content[place % len(content)] = byte
    try:
        cleaned = clean_raster(bytes(content), f"image/{form.lower()}")
    except NotTaken:
        return
    assert opened(cleaned).size[0] == opened(cleaned).size[1]


def test_what_bytes_speak_for() -> None:
    assert kind_of(b"\xef\xbb\xbf \n<?xml") == kind_of("<svg".encode("utf-16")) == "image/svg+xml"
    assert [kind_of(b"<!DOCTYPE html>"), kind_of(b"MZ"), kind_of(b""), kind_of(b"GIF89a")] == [
        "HTML", "neither picture nor XML", "nothing", "image/gif",
    ]  # fmt: skip

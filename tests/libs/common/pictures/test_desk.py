"""Pictures are looked at in a process of its own, which a picture that takes too much does not outlive."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from libs.common.contracts import PictureUploaded
from libs.common.messaging.publisher import LARGEST_BATCH_BYTES
from libs.common.pictures import LARGEST_BYTES, CleanPicture, NotTaken, PictureDesk
from libs.common.pictures.jobs import MOST_SVG_BYTES
from libs.common.pictures.raster import MOST_BYTES
from tests.libs.common.pictures.hostile import GOOD, HOSTILE_SVG, svg

SVG = "image/svg+xml"


@pytest.fixture
async def desk() -> AsyncIterator[PictureDesk]:
    """A desk whose process ends with the test."""
    made = PictureDesk()
    yield made
    made.close()


def noise(side: int) -> bytes:
    file = io.BytesIO()
    image = Image.frombytes("RGB", (side, side), random.Random(2).randbytes(side * side * 3))
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


async def test_an_svg_comes_with_what_it_looks_like(desk: PictureDesk) -> None:
    picture = await desk.clean(GOOD.encode(), SVG)
    assert (picture.media_type, picture.content[:5]) == (SVG, b"<svg ")
    assert picture.drawn is not None
    with Image.open(io.BytesIO(picture.drawn)) as drawn:
        assert drawn.size == (600, 600)
        assert drawn.convert("RGBA").getpixel((300, 300)) == (11, 99, 67, 255)
    again = await desk.clean(GOOD.encode(), SVG)
    assert again == picture


async def test_a_picture_that_takes_too_much_is_refused_and_the_next_is_served(desk: PictureDesk) -> None:
    for hostile in (svg("<style>" + "/*" * 150_000 + "</style>"), svg("<style>" + "a" * 200_000 + "</style>")):
        with pytest.raises(NotTaken, match=r"takes too much|whole rules"):
            await desk.clean(hostile, SVG)
        assert (await desk.clean(GOOD.encode(), SVG)).media_type == SVG


@pytest.mark.parametrize("name", ["script", "entity bomb", "use of use of use", "nested without end", "cut off"])
async def test_hostile_pictures_are_refused_there(desk: PictureDesk, name: str) -> None:
    content, word = HOSTILE_SVG[name]
    with pytest.raises(NotTaken) as refused:
        await desk.clean(content, SVG)
    assert word in str(refused.value)


async def test_what_it_is_called_must_be_what_it_is(desk: PictureDesk) -> None:
    for content, media_type, found in (
        (GOOD.encode(), "image/png", SVG),
        (noise(100), SVG, "image/png"),
        (b"<!DOCTYPE html><svg/>", SVG, "HTML"),
        (b"GIF89a", "image/jpeg", "image/gif"),
    ):
        with pytest.raises(NotTaken, match=f"expected {media_type[:8]}.*as the Content-Type says, found {found[:8]}"):
            await desk.clean(content, media_type)


async def test_an_empty_drawing_is_refused(desk: PictureDesk) -> None:
    with pytest.raises(NotTaken, match="something to see"):
        await desk.clean(svg('<rect x="1000" width="5" height="5"/>'), SVG)


async def test_a_drawing_of_very_many_words_is_refused(desk: PictureDesk) -> None:
    with pytest.raises(NotTaken, match="bytes once it is written"):
        await desk.clean(svg(f'<path d="{"M0 0L9 9" * 40_000}"/>'), SVG)


async def test_the_largest_picture_fits_into_one_message(desk: PictureDesk) -> None:
    given = noise(400)
    assert len(given) <= LARGEST_BYTES
    picture = await desk.clean(given, "image/png")
    assert len(picture.content) <= MOST_BYTES
    largest = CleanPicture(SVG, bytes(MOST_SVG_BYTES), bytes(MOST_BYTES))
    told = PictureUploaded(
        digest=largest.digest, media_type=SVG, content=base64.b64encode(largest.content).decode(),
        drawn=base64.b64encode(largest.drawn or b"").decode(),
    )  # fmt: skip
    assert len(told.model_dump_json()) + 2_000 < LARGEST_BATCH_BYTES

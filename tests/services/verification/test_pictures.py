"""An uploaded picture is served by its digest and stands wherever art is drawn otherwise; earlier badges stay."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from xml.etree import ElementTree

import orjson
import pytest
from openbadgeslib.baking import extract_png
from PIL import Image
from pypdf import PdfReader
from pypdf.errors import PdfReadError
from pypdf.generic import IndirectObject

from libs.common.contracts import AchievementPublished, IssuerPublished, PictureUploaded
from libs.common.contracts.enrollment import Picture
from libs.common.credentials.baking import OPEN_BADGES_3
from libs.common.pictures import CleanPicture, jobs
from services.verification.handlers.pictures import NotThatPicture
from services.verification.store.pictures import SQL
from tests.libs.common.pictures.hostile import GOOD
from tests.services.verification import support
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    Service,
    badge_issued,
    event,
    key_published,
)

GREEN = (11, 99, 67)
CAPTION = 'A disc, "green" & <round>.'
KINDS = ("image/svg+xml", "image/png")


def png_file() -> bytes:
    file = io.BytesIO()
    image = Image.new("RGBA", (200, 200))
    image.paste((*GREEN, 255), (40, 40, 160, 160))
    image.save(file, "PNG")
    return file.getvalue()


def made_safe(given: bytes, media_type: str) -> CleanPicture:
    """A picture as enrollment makes it safe."""
    made = jobs.clean(base64.b64encode(given).decode(), media_type)
    drawn = base64.b64decode(made["drawn"]) if "drawn" in made else None
    return CleanPicture(media_type, base64.b64decode(made["content"]), drawn)


@pytest.fixture(scope="module", params=KINDS)
def clean(request: pytest.FixtureRequest) -> CleanPicture:
    """An SVG and a PNG that are safe."""
    return made_safe(GOOD.encode() if request.param == KINDS[0] else png_file(), request.param)


def uploaded(clean: CleanPicture) -> PictureUploaded:
    return PictureUploaded(
        digest=clean.digest,
        media_type="image/png" if clean.drawn is None else "image/svg+xml",
        content=base64.b64encode(clean.content).decode(),
        drawn=None if clean.drawn is None else base64.b64encode(clean.drawn).decode(),
    )


def named(clean: CleanPicture) -> Picture:
    return Picture.model_validate({"digest": clean.digest, "media_type": clean.media_type, "caption": CAPTION})


def address(clean: CleanPicture) -> str:
    return ADDRESSES.picture(clean.digest, clean.media_type)


def path(clean: CleanPicture) -> str:
    return address(clean).removeprefix(support.PUBLIC_URL)


def third(clean: CleanPicture) -> AchievementPublished:
    return ACHIEVEMENT.model_copy(update={"version": 3, "picture": named(clean)})


def with_logo(clean: CleanPicture) -> IssuerPublished:
    return ISSUER.model_copy(update={"picture": named(clean)})


@pytest.fixture
async def served(service: Service, clean: CleanPicture) -> Service:
    """Verification with a badge of a version without a picture, and of the next, which has one."""
    await service.hear_all(
        uploaded(clean), ISSUER, ACHIEVEMENT, third(clean), key_published(), badge_issued(),
        badge_issued(achievement=third(clean)),
    )  # fmt: skip
    return service


def page_of(achievement: AchievementPublished) -> str:
    return f"/badges/{badge_issued(achievement=achievement).badge_id}"


def is_green(png: bytes, place: tuple[float, float] = (0.5, 0.5)) -> bool:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        found = image.convert("RGB").getpixel((int(image.width * place[0]), int(image.height * place[1])))
    return found == GREEN


async def test_it_is_served_for_ever_by_the_digest_of_its_bytes(served: Service, clean: CleanPicture) -> None:
    answer = await served.get(path(clean))
    assert answer.content == clean.content
    assert answer.headers["content-type"] == clean.media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    assert (await served.get(path(clean), if_none_match=answer.headers["etag"])).status_code == 304
    assert (await served.get(path(clean), range="bytes=0-4")).content == clean.content[:5]
    head = await served.client.head(path(clean))
    assert (head.status_code, head.content) == (200, b"")


async def test_any_other_name_is_the_one_404(served: Service, clean: CleanPicture) -> None:
    name, other = path(clean), ".png" if clean.drawn else ".svg"
    wrong = [name[:-4] + other, name[:-4], name.upper(), f"/pictures/{'0' * 64}.png", "/pictures/x", "/pictures/x.svg"]
    assert {(await served.get(one)).status_code for one in wrong} == {404}


async def test_documents_name_it(served: Service, clean: CleanPicture) -> None:
    badge_class = (await served.get(ADDRESSES.badge_class("coaching", "3"))).json()
    assert badge_class["image"] == {"id": address(clean), "caption": CAPTION}
    earlier = (await served.get(ADDRESSES.badge_class("coaching", "2"))).json()
    assert earlier["image"] == ADDRESSES.achievement_image("coaching", "2")
    old_way = await served.get(ADDRESSES.achievement_image("coaching", "3"))
    assert (old_way.status_code, old_way.headers["location"]) == (302, path(clean))
    art = await served.get(ADDRESSES.achievement_image("coaching", "2"))
    assert (art.status_code, art.headers["content-security-policy"]) == (200, "default-src 'none'; sandbox")


async def test_the_issuer_names_its_own(served: Service, clean: CleanPicture) -> None:
    assert "image" not in (await served.get(ADDRESSES.issuer_open_badge_2("prairie"))).json()
    await served.hear(event(with_logo(clean), minutes=5))
    profile = (await served.get(ADDRESSES.issuer_open_badge_2("prairie"))).json()
    assert profile["image"] == {"id": address(clean), "caption": CAPTION}
    page = (await served.get("/issuers/prairie", "text/html")).text
    assert f'<div class="logo"><img src="{path(clean)}" alt="A disc, &quot;green&quot; &amp; &lt;round&gt;."' in page
    await served.hear(event(ISSUER, minutes=6))
    assert "image" not in (await served.get(ADDRESSES.issuer_open_badge_2("prairie"))).json()


async def test_every_page_shows_it_with_its_words(served: Service, clean: CleanPicture) -> None:
    shown = f'<img src="{path(clean)}" alt="A disc, &quot;green&quot; &amp; &lt;round&gt;." lang="en"'
    own = {"authorization": f"Bearer {served.mint.token(learner_id='learner-1')}"}
    badge = page_of(third(clean))
    for place in (badge, f"{badge}/embed", "/achievements/coaching/versions/3", "/issuers/prairie"):
        page = await served.get(place, "text/html")
        assert (page.status_code, page.text.count(shown)) == (200, 1)
        assert "img-src 'self'" in page.headers["content-security-policy"]
        assert clean.content.decode("latin-1") not in page.text
    wall = (await served.get("/learners/learner-1/badges", "text/html", **own)).text
    assert wall.count(shown) == 1
    for place in (page_of(ACHIEVEMENT), "/achievements/coaching/versions/2"):
        assert shown not in (await served.get(place, "text/html")).text


async def test_files_show_it_and_carry_the_signed_badge(served: Service, clean: CleanPicture) -> None:
    page, signed = page_of(third(clean)), badge_issued(achievement=third(clean)).credential
    png = (await served.get(f"{page}.png")).content
    assert is_green(png)
    assert extract_png(png, keyword=OPEN_BADGES_3.keyword) == signed
    answer = await served.get(f"{page}.svg")
    root = ElementTree.fromstring(answer.text)
    assert (root[0].text, root.get("aria-label"), root.get("role")) == (signed, CAPTION, "img")
    assert "img-src data:" in answer.headers["content-security-policy"]
    assert ("<circle" in answer.text, "data:image/png" in answer.text) == (bool(clean.drawn), not clean.drawn)
    assert is_green((await served.get(f"{page}/card.png")).content, (0.25, 0.5))


async def test_a_certificate_shows_it_and_says_what_it_shows(served: Service, clean: CleanPicture) -> None:
    answer = await served.get(f"{page_of(third(clean))}.pdf")
    assert answer.status_code == 200
    reader = PdfReader(io.BytesIO(answer.content))
    sizes = {image.image.size for image in reader.pages[0].images if image.image is not None}
    assert sizes & {(600, 600), (200, 200)}
    assert any(CAPTION in alt for alt in _alternatives(reader))
    assert [one.name for one in reader.attachment_list] == ["credential.json"]


def _alternatives(reader: PdfReader) -> list[str]:
    return [
        str(found["/Alt"])
        for number in range(len(reader.xref[0]) + 400)
        if isinstance(found := _thing(reader, number), dict) and "/Alt" in found
    ]


def _thing(reader: PdfReader, number: int) -> object:
    try:
        return IndirectObject(number, 0, reader).get_object()
    except (PdfReadError, KeyError):
        return None


async def test_art_is_drawn_until_the_picture_is_there(service: Service, clean: CleanPicture) -> None:
    badge = badge_issued(achievement=third(clean))
    await service.hear_all(ISSUER, third(clean), key_published(), badge)
    page = page_of(third(clean))
    assert path(clean) not in (await service.get(page, "text/html")).text
    assert not is_green((await service.get(f"{page}.png")).content)
    assert (await service.get(ADDRESSES.achievement_image("coaching", "3"))).status_code == 200
    await service.hear_all(uploaded(clean))
    assert path(clean) in (await service.get(page, "text/html")).text
    assert is_green((await service.get(f"{page}.png")).content)


async def test_other_bytes_than_those_of_the_digest_are_refused(service: Service, clean: CleanPicture) -> None:
    forged = uploaded(clean).model_copy(update={"content": base64.b64encode(b"<script/>").decode()})
    with pytest.raises(NotThatPicture, match="expected bytes of this digest"):
        await service.hear_all(forged)
    await service.hear_all(uploaded(clean))
    await service.hear(event(uploaded(clean), minutes=9))
    assert await service.database.pool.fetchval("select count(*) from picture") == 1


async def test_the_state_is_the_same_in_any_order(service: Service, clean: CleanPicture) -> None:
    events = [event(uploaded(clean)), event(ISSUER), event(with_logo(clean), minutes=2), event(third(clean))]
    await service.hear_together(list(reversed(events)))
    found = await service.get("/issuers/prairie", "text/html")
    assert found.text.count(path(clean)) == 2
    assert set(SQL) == {"keep_pictures", "picture"}
    assert (
        orjson.loads(await service.database.pool.fetchval("select picture::text from achievement"))["caption"]
        == CAPTION
    )


async def test_what_a_page_says_is_escaped(served: Service, clean: CleanPicture) -> None:
    page = (await served.get(page_of(third(clean)), "text/html")).text
    assert not re.search(r"<round>", page)

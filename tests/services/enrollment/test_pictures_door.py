"""Uploading a picture: who may publish may; it is made safe, told once before what names it, or refused with why."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import AsyncIterator

import httpx
import pytest
from PIL import Image

from libs.common.contracts import AchievementPublished, IssuerPublished, PictureUploaded
from libs.common.contracts.enrollment import meaning_digest
from libs.common.pictures import LARGEST_BYTES
from libs.common.postgres.database import Database
from services.enrollment import api
from services.enrollment.settings import EnrollmentSettings
from tests.doors import open_doors
from tests.libs.common.pictures.hostile import GOOD, HOSTILE_SVG
from tests.services.enrollment.support import ISSUER_BODY, body, pointers, publish, told
from tests.tokens import ISSUER, TokenMint

PLACE = "/achievements/reading/picture"
CAPTION = "A heap of three stones."
SVG = {"Content-Type": "image/svg+xml"}


@pytest.fixture
async def doors(dsn: str, mint: TokenMint) -> AsyncIterator[httpx.AsyncClient]:
    """Doors with the limits of every deployment, to which each version needs a rehearsal that means something new."""
    settings = EnrollmentSettings(
        database_dsn=dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=ISSUER,
    )
    app = api.create(settings)
    async with open_doors(app) as client:
        client.headers.update(mint.headers("catalogue.write", subject="designer"))
        yield client
    app.state.pictures.close()


async def upload(
    doors: httpx.AsyncClient, content: bytes | str = GOOD, place: str = PLACE, caption: str | None = CAPTION,
    **headers: str,
) -> httpx.Response:  # fmt: skip
    sent = {**SVG, **{name.replace("_", "-"): value for name, value in headers.items()}}
    query = {} if caption is None else {"caption": caption}
    return await doors.put(place, content=content, headers=sent, params=query)


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (120, 100), "#0b6343").save(file, "PNG")
    return file.getvalue()


async def test_a_picture_is_told_once_and_before_the_version_that_names_it(
    doors: httpx.AsyncClient, database: Database
) -> None:
    await publish(doors, "reading", body())
    answer = await upload(doors)
    assert (answer.status_code, answer.headers["location"]) == (201, "/achievements/reading")
    version = AchievementPublished.model_validate(answer.json())
    picture = version.picture
    assert picture is not None
    assert (version.version, picture.media_type, picture.caption) == (2, "image/svg+xml", CAPTION)
    events = await told(database)
    assert [row["type"] for row in events[2:]] == [PictureUploaded.TYPE, AchievementPublished.TYPE]
    uploaded = PictureUploaded.model_validate_json(events[2]["value"])
    content = base64.b64decode(uploaded.content)
    assert events[2]["key"].decode() == f"picture:{hashlib.sha256(content).hexdigest()}"
    assert uploaded.digest == picture.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert base64.b64decode(uploaded.drawn or "").startswith(b"\x89PNG")
    # The same again changes and tells nothing; for another achievement the same picture is not told again.
    assert (await upload(doors)).status_code == 200
    await publish(doors, "writing", body(name="Writing"))
    assert (await upload(doors, place="/achievements/writing/picture")).status_code == 201
    assert [row["type"] for row in await told(database)].count(PictureUploaded.TYPE) == 1
    assert await database.pool.fetchval("select uploaded_by from picture") == "designer"


async def test_a_picture_changes_nothing_of_what_is_recorded(doors: httpx.AsyncClient) -> None:
    first = await publish(doors, "reading", body(on_new_version="re-evaluate"))
    answer = await upload(doors)  # without a rehearsal, which a new meaning would need
    assert answer.status_code == 201
    versions = [AchievementPublished.model_validate(one.json()) for one in (first, answer)]
    assert meaning_digest(versions[0]) == meaning_digest(versions[1])


async def test_a_version_keeps_the_picture_that_it_names_and_goes_back_to_art_without(
    doors: httpx.AsyncClient,
) -> None:
    await publish(doors, "reading", body())
    picture = (await upload(doors)).json()["picture"]
    named = body(name="Reading II", picture={"digest": picture["digest"], "caption": "Three stones."})
    kept = (await publish(doors, "reading", named)).json()
    assert (kept["version"], kept["picture"]) == (3, {**picture, "caption": "Three stones."})
    assert (await publish(doors, "reading", kept)).status_code == 200
    without = (await publish(doors, "reading", body(name="Reading III"))).json()
    assert (without["version"], "picture" in without) == (4, False)


async def test_an_issuer_has_a_picture(doors: httpx.AsyncClient, database: Database) -> None:
    await doors.put("/issuers/school", json=ISSUER_BODY)
    answer = await upload(doors, png(), "/issuers/school/picture", Content_Type="image/png")
    assert answer.status_code == 201
    issuer = IssuerPublished.model_validate(answer.json())
    assert issuer.picture is not None
    assert issuer.picture.media_type == "image/png"
    assert [row["type"] for row in await told(database)][1:] == [PictureUploaded.TYPE, IssuerPublished.TYPE]
    assert (await doors.get("/issuers/school")).json() == answer.json()


async def test_photos_become_png(doors: httpx.AsyncClient) -> None:
    await publish(doors, "reading", body())
    for form in ("jpeg", "webp"):
        file = io.BytesIO()
        Image.new("RGB", (300, 200), "white").save(file, form)
        answer = await upload(doors, file.getvalue(), Content_Type=f"image/{form}")
        assert answer.json()["picture"]["media_type"] == "image/png"


async def test_every_hostile_picture_is_refused_with_what_was_found(
    doors: httpx.AsyncClient, database: Database
) -> None:
    await publish(doors, "reading", body())
    for content, word in HOSTILE_SVG.values():
        _require_refused(await upload(doors, content), word)
    assert await database.pool.fetchval("select count(*) from picture") == 0


def _require_refused(answer: httpx.Response, word: str) -> None:
    problem = answer.json()
    # What does not look like XML at all is told by its first bytes.
    assert (answer.status_code, problem["title"]) == (422, "Picture is not taken")
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in problem["detail"] or "as the Content-Type says" in problem["detail"]


async def test_refusals_say_what_was_expected_and_found(doors: httpx.AsyncClient, database: Database) -> None:
    await publish(doors, "reading", body())
    before = len(await told(database))
    for caption in (None, "", "   ", "x" * 301):
        answer = await upload(doors, caption=caption)
        assert (answer.status_code, pointers(answer)) == (422, ["/caption"])
    for media_type in ("image/gif", "text/html", "application/json"):
        answer = await upload(doors, Content_Type=media_type)
        assert (answer.status_code, answer.headers["accept"].split(", ")[0]) == (415, "image/png")
        assert f"found '{media_type}'" in answer.json()["detail"]
    answer = await upload(doors, png())
    assert answer.json()["detail"] == "Expected image/svg+xml, as the Content-Type says, found image/png."
    answer = await upload(doors, b"")
    assert (answer.status_code, answer.json()["detail"]) == (422, "Expected image/svg+xml, found nothing.")
    answer = await upload(doors, GOOD + " " * LARGEST_BYTES)
    assert (answer.status_code, answer.json()["title"]) == (413, "Picture too large")
    assert str(len(GOOD) + LARGEST_BYTES) in answer.json()["detail"]
    assert (await upload(doors, place="/achievements/nothing/picture")).status_code == 404
    assert (await upload(doors, place="/issuers/nobody/picture")).status_code == 404
    assert len(await told(database)) == before
    assert await database.pool.fetchval("select count(*) from picture") == 0


async def test_a_publication_names_only_what_was_uploaded(doors: httpx.AsyncClient) -> None:
    await doors.put("/issuers/school", json=ISSUER_BODY)
    unknown = f"sha256:{'0' * 64}"
    for picture, place in (
        ({"digest": unknown, "caption": "x"}, "/picture/digest"),
        ({"digest": "sha256:0", "caption": "x"}, "/picture/digest"),
        ({"caption": "x"}, "/picture/digest"),
        ("a picture", "/picture"),
    ):
        answer = await doors.put("/achievements/reading", json=body(picture=picture))
        assert (answer.status_code, pointers(answer)) == (422, [place])
        answer = await doors.put("/issuers/other", json={**ISSUER_BODY, "picture": picture})
        assert (answer.status_code, pointers(answer)) == (422, [place])
    await publish(doors, "reading", body())
    digest = (await upload(doors)).json()["picture"]["digest"]
    for caption, place in ((None, "/picture/caption"), (" ", "/picture/caption")):
        answer = await doors.put("/achievements/reading", json=body(picture={"digest": digest, "caption": caption}))
        assert (answer.status_code, pointers(answer)) == (422, [place])


async def test_only_who_may_publish_may_upload(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    await publish(doors, "reading", body())
    for headers, status in ((mint.headers("learners.write"), 403), ({"Authorization": ""}, 401)):
        assert (await upload(doors, **headers)).status_code == status

"""Every face of a badge carries the signed badge, which independent readers take out again (M1.3, M4.6, M4.7)."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree

import pytest
import zxingcpp
from openbadgeslib.baking import extract_png
from PIL import Image
from pypdf import PdfReader

from libs.common.credentials.baking import OPEN_BADGES_3
from services.verification.rules.codes import code_of
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    revoked,
)

BADGE = badge_issued(shown_name="Ada Lovelace")
PAGE = f"/badges/{BADGE.badge_id}"
FACES = {
    f"{PAGE}.png": "image/png",
    f"{PAGE}.svg": "image/svg+xml",
    f"{PAGE}.pdf": "application/pdf",
    f"{PAGE}/card.png": "image/png",
    f"{PAGE}/qr.svg": "image/svg+xml",
    f"{PAGE}/qr.png": "image/png",
}


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with a badge that names its learner."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
    return service


def own(service: Service) -> dict[str, str]:
    return {"authorization": f"Bearer {service.mint.token(learner_id='learner-1')}"}


async def decide(service: Service, **decision: Any) -> None:
    answer = await service.client.put(f"{PAGE}/sharing", headers=own(service), json=decision)
    assert answer.status_code == 200


def text_of(document: bytes) -> str:
    # Without spaces: readers of text take wide letter-spacing for them.
    return "".join(PdfReader(io.BytesIO(document)).pages[0].extract_text().split())


def squeezed(words: str) -> str:
    return "".join(words.split())


async def test_independent_readers_find_the_signed_badge_in_every_file(served: Service) -> None:
    signed = BADGE.credential.encode()
    png = (await served.get(f"{PAGE}.png")).content
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size == (600, 600)
        assert picture.text["openbadgecredential"].encode() == signed  # pyright: ignore
    assert extract_png(png, keyword=OPEN_BADGES_3.keyword) == BADGE.credential
    svg = (await served.get(f"{PAGE}.svg")).content
    assert svg.count(signed) == 1
    root = ElementTree.fromstring(svg)
    assert (root[0].text or "").encode() == signed
    reader = PdfReader(io.BytesIO((await served.get(f"{PAGE}.pdf")).content))
    assert [(one.name, one.content) for one in reader.attachment_list] == [("credential.json", signed)]


@pytest.mark.parametrize("suffix", [".json", ".png", ".svg", ".pdf", "/qr.png"])
async def test_each_file_verifies(served: Service, suffix: str) -> None:
    content = (await served.get(PAGE + suffix)).content
    verdict = (await served.client.post("/verifications", content=content)).json()
    assert verdict["answer"] == "genuine"
    assert verdict["shown"]["name"] == "Coaching and Mentoring"


async def test_faces_are_served_rightly(served: Service) -> None:
    for path, media_type in FACES.items():
        answer = await served.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"].startswith("public, max-age=30")
        if media_type != "application/pdf":
            assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        etag = answer.headers["etag"]
        held = await served.get(path, if_none_match=etag)
        assert (held.status_code, held.content) == (304, b"")
        head = await served.client.head(path)
        assert (head.headers["content-length"], head.headers["etag"], head.content) == (
            str(len(answer.content)), etag, b"",
        )  # fmt: skip


async def test_drawings_are_the_same_each_time(served: Service) -> None:
    before = {path: (await served.get(path)).content for path in FACES}
    served.app.state.parts.renderer._known.clear()
    assert {path: (await served.get(path)).content for path in FACES} == before


async def test_a_part_of_a_file_can_be_fetched(served: Service) -> None:
    whole = await served.get(f"{PAGE}.pdf")
    size, etag = len(whole.content), whole.headers["etag"]
    assert whole.headers["accept-ranges"] == "bytes"
    for wanted, begin, end in (("0-9", 0, 10), ("10-", 10, size), ("-5", size - 5, size), (f"5-{size * 2}", 5, size)):
        part = await served.get(f"{PAGE}.pdf", range=f"bytes={wanted}")
        assert part.status_code == 206
        assert part.content == whole.content[begin:end]
        assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
    beyond = await served.get(f"{PAGE}.pdf", range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    for odd in ("bytes=0-1,4-5", "bytes=-", "bytes=9-2", "lines=1-2"):
        assert (await served.get(f"{PAGE}.pdf", range=odd)).status_code == 200
    assert (await served.get(f"{PAGE}.pdf", range="bytes=0-9", if_range='"other"')).status_code == 200
    assert (await served.get(f"{PAGE}.pdf", range="bytes=0-9", if_range=etag)).status_code == 206


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("image/png", "image/png"),
        ("image/svg+xml", "image/svg+xml"),
        ("application/pdf", "application/pdf"),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image/png"),
        ("application/json,image/png;q=0.5", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
async def test_a_badge_has_the_form_that_is_asked_for(served: Service, accept: str, media_type: str) -> None:
    for _ in range(2):  # the second time from memory, where that is so
        answer = await served.get(PAGE, accept)
        assert answer.headers["content-type"] == media_type
        assert "Accept" in answer.headers["vary"]


async def test_the_certificate_says_it_in_words_too(served: Service) -> None:
    document = (await served.get(f"{PAGE}.pdf")).content
    reader = PdfReader(io.BytesIO(document))
    text = text_of(document)
    assert len(reader.pages) == 1
    for words in (
        "CERTIFICATE OF ACHIEVEMENT", "This certifies that Ada Lovelace", "Coaching and Mentoring",
        "Prairie Polytechnic", "5 January 2026", "3 of 4 · Proficient", "14 hours", code_of(BADGE.badge_id),
    ):  # fmt: skip
        assert squeezed(words) in text
    catalogue: Any = reader.trailer["/Root"]
    # PDF/UA-1: tagged, with a language and a title, and a text beside each picture.
    assert catalogue["/MarkInfo"]["/Marked"]
    assert str(catalogue["/Lang"]).startswith("en")
    assert "pdfuaid" in catalogue["/Metadata"].get_data().decode()
    assert reader.metadata is not None
    assert reader.metadata.title == "Coaching and Mentoring – Ada Lovelace"
    french = text_of((await served.get(f"{PAGE}.pdf?lang=fr")).content)
    assert squeezed("CERTIFICAT DE RÉUSSITE") in french
    assert squeezed("5 janvier 2026") in french


async def test_a_withdrawn_badge_says_so_on_paper_and_on_the_card(served: Service) -> None:
    before = (await served.get(f"{PAGE}/card.png")).content
    await served.hear(event(revoked(BADGE), minutes=1))
    assert squeezed("Withdrawn by the issuer on 5 January 2026") in text_of((await served.get(f"{PAGE}.pdf")).content)
    assert (await served.get(f"{PAGE}/card.png")).content != before


async def test_codes_lead_back(served: Service) -> None:
    for path, address in (
        (f"{PAGE}/qr.png", ADDRESSES.badge(BADGE.badge_id)),
        (f"{PAGE}/qr.png?of=credential", ADDRESSES.badge(BADGE.badge_id) + ".json"),
    ):
        with Image.open(io.BytesIO((await served.get(path)).content)) as picture:
            assert [code.text for code in zxingcpp.read_barcodes(picture)] == [address]


async def test_what_is_hidden_is_on_no_face(served: Service) -> None:
    await decide(served, audience="public", shows_name=False)
    for path in (f"{PAGE}.png", f"{PAGE}.svg"):
        assert (await served.get(path)).status_code == 404
    document = (await served.get(f"{PAGE}.pdf")).content
    assert squeezed("The holder of this badge") in text_of(document)
    assert b"Lovelace" not in document
    assert list(PdfReader(io.BytesIO(document)).attachment_list) == []
    await decide(served, audience="private")
    for path in FACES:
        assert (await served.get(path)).status_code == 404
        assert (await served.client.get(path, headers=own(served))).headers["cache-control"] == "private, no-store"


async def test_a_changed_badge_has_no_picture(served: Service) -> None:
    await served.database.pool.execute(
        "update badge set credential = convert_to(replace(convert_from(credential, 'utf8'), 'Coaching', 'Cheating'),"
        " 'utf8') where badge_id = $1", BADGE.badge_id,
    )  # fmt: skip
    for path in list(FACES)[:4]:
        assert (await served.get(path)).status_code == 404


@pytest.mark.parametrize(
    "words",
    [
        "<script>&\"'</script>",
        "#panic() $x$ *bold* @ref `raw` \\u{1}",
        "طب وجراحة",
        "漢字の資格",
        "a" * 300,
        "\x0b\ufffd",
    ],
)
async def test_any_words_make_one_sheet(service: Service, words: str) -> None:
    achievement = ACHIEVEMENT.model_copy(
        update={"name": words, "description": words * 9, "criteria": words * 9, "tags": (words,) * 9}
    )
    badge = badge_issued(achievement=achievement, shown_name=words, valid_until=at(9_999_999))
    await service.hear_all(ISSUER, achievement, key_published(), badge)
    path = f"/badges/{badge.badge_id}"
    document = await service.get(f"{path}.pdf")
    assert document.status_code == 200
    assert len(PdfReader(io.BytesIO(document.content)).pages) == 1
    for suffix in (".png", ".svg", "/card.png"):
        assert (await service.get(path + suffix)).status_code == 200
    assert re.search(rb"<script", (await service.get(f"{path}.svg")).content.partition(b"]]>")[2]) is None

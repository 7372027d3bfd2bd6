"""A badge names the picture of its version, with its caption, or else the art that is drawn (M1.41, OB 3.0 Image)."""

from __future__ import annotations

from libs.common.contracts.enrollment import Picture
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.documents import open_badge_3
from libs.common.credentials.open_badges_2 import badge_class
from services.awarding.rules.badge import profile_of, terms_of
from tests.libs.common.credentials.samples import CLAIM
from tests.services.awarding.support import ISSUER, achievement, done

ADDRESSES = Addresses("https://badges.example")
HEX = "ab" * 32
PICTURE = Picture(digest=f"sha256:{HEX}", media_type="image/png", caption="A heap of stones.")
LOGO = Picture(digest=f"sha256:{HEX}", media_type="image/svg+xml", caption="A lighthouse.")


def test_a_badge_names_the_uploaded_picture() -> None:
    published = achievement("reading", done("a"), picture=PICTURE)
    issuer = profile_of(ADDRESSES, ISSUER.model_copy(update={"picture": LOGO}))
    terms = terms_of(ADDRESSES, published)
    document = open_badge_3(issuer, terms, CLAIM)
    place = f"https://badges.example/pictures/{HEX}"
    assert document["credentialSubject"]["achievement"]["image"] == {
        "id": f"{place}.png", "type": "Image", "caption": "A heap of stones.",
    }  # fmt: skip
    assert document["issuer"]["image"] == {"id": f"{place}.svg", "type": "Image", "caption": "A lighthouse."}
    assert badge_class(issuer, terms)["image"] == {"id": f"{place}.png", "caption": "A heap of stones."}


def test_a_badge_without_one_names_its_art_as_before() -> None:
    document = open_badge_3(
        profile_of(ADDRESSES, ISSUER), terms_of(ADDRESSES, achievement("reading", done("a"))), CLAIM
    )
    assert document["credentialSubject"]["achievement"]["image"] == {
        "id": "https://badges.example/achievements/reading/versions/1/image.svg", "type": "Image",
    }  # fmt: skip
    assert "image" not in document["issuer"]

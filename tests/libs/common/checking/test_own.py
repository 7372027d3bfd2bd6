"""Our own badges hold before the same check as everybody's, in each of their forms; changed ones do not (B6)."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from PIL import Image
from pypdf import PdfWriter

from libs.common.credentials import open_badges_2
from libs.common.credentials.baking import OPEN_BADGES_2, bake_png, bake_svg
from libs.common.credentials.jwt import JwtSigner, vc_jwt
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from tests.libs.common.checking.world import PICTURE, PNG, World, reasons
from tests.services.verification.support import ADDRESSES, KEY, OTHER_KEY, at, badge_issued, profile, terms

DID = ADDRESSES.issuer_did("prairie")
BADGE = badge_issued(valid_until=at(10_000_000))
CREDENTIAL = BADGE.credential.encode()


def publish_keys(world: World, *keys: PublishedKey) -> None:
    world.put(f"{ADDRESSES.issuer('prairie')}/did.json", did_document(DID, keys))


@pytest.fixture
def ours(world: World) -> World:
    """The web with everything that our issuer publishes."""
    publish_keys(world, PublishedKey(LocalSigner(KEY, DID).public_key))
    world.put(ADDRESSES.assertion(BADGE.badge_id), BADGE.open_badge_2.encode())
    world.put(ADDRESSES.badge_class("coaching", "2"), open_badges_2.badge_class(profile(), terms()))
    world.put(ADDRESSES.issuer_open_badge_2("prairie"), open_badges_2.issuer_profile(profile()))
    world.put(ADDRESSES.achievement_image("coaching", "2"), PICTURE)
    return world


@pytest.mark.parametrize(
    "content",
    [
        CREDENTIAL,
        bake_png(PNG, CREDENTIAL),
        bake_svg(PICTURE, CREDENTIAL),
        BADGE.open_badge_2.encode(),
        ADDRESSES.assertion(BADGE.badge_id).encode(),
        bake_svg(PICTURE, BADGE.open_badge_2.encode(), OPEN_BADGES_2, ADDRESSES.assertion(BADGE.badge_id)),
    ],
    ids=["json", "png", "svg", "open-badges-2", "address", "open-badges-2-svg"],
)
async def test_each_form_is_genuine(ours: World, content: bytes) -> None:
    judgement = await ours.judge(content)
    assert judgement.answer == "genuine", reasons(judgement)
    assert judgement.sentence == "Genuine, but we do not know this issuer"
    assert judgement.shown is not None
    assert judgement.shown.name == "Coaching and Mentoring"


async def test_trust_is_apart_from_authenticity(ours: World) -> None:
    judgement = await ours.judge(CREDENTIAL, trusted=frozenset({DID}))
    assert (judgement.authentic, judgement.current, judgement.trusted) == ("pass", "pass", "pass")
    assert judgement.sentence == "Genuine and current"
    assert judgement.tone == "good"


async def test_the_token_twin_is_genuine(ours: World) -> None:
    key = derive_private_key(12345, SECP256R1())
    signer = JwtSigner(key, ADDRESSES.issuer_key("prairie", "es256-1"))
    document = json.loads(CREDENTIAL)
    del document["proof"]
    begins = int(BADGE.valid_from.timestamp())
    assert BADGE.valid_until is not None
    token = vc_jwt(document, begins, int(BADGE.valid_until.timestamp()), signer)
    assert (await ours.judge(token.encode())).answer == "cannot-tell"  # its key is not published yet
    ours.put(signer.key_url, signer.public_jwk())
    judgement = await ours.judge(token.encode())
    assert judgement.answer == "genuine", reasons(judgement)


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        (("name",), "Something else"),
        (("validUntil",), "2099-01-01T00:00:00Z"),
        (("credentialSubject", "id"), "urn:uuid:00000000-0000-4000-8000-000000000000"),
        (("credentialSubject", "achievement", "name"), "Something better"),
    ],
)
async def test_a_changed_badge_is_not_genuine(ours: World, path: tuple[str, ...], changed: str) -> None:
    document: dict[str, Any] = json.loads(CREDENTIAL)
    node = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = changed
    judgement = await ours.judge(json.dumps(document).encode())
    assert judgement.answer == "not-genuine"
    assert reasons(judgement)["proof"] == ("fail", "signature")
    assert judgement.shown is None  # what nobody signed is not shown (SR-10)


async def test_a_changed_hosted_assertion_is_not_genuine(ours: World) -> None:
    document = json.loads(BADGE.open_badge_2) | {"issuedOn": "2020-01-01T00:00:00Z"}
    assert reasons(await ours.judge(json.dumps(document).encode()))["proof"] == ("fail", "differs")


async def test_without_the_issuers_site_nobody_can_tell(world: World) -> None:
    judgement = await world.judge(CREDENTIAL)  # badges.example is nowhere
    assert judgement.answer == "cannot-tell"
    assert judgement.sentence == "We cannot tell"
    assert reasons(judgement)["key"] == ("unknown", "key-unreachable")
    assert "fail" not in {finding.outcome for finding in judgement.findings}


async def test_a_strangers_key_makes_no_badge_of_ours(ours: World) -> None:
    forged = badge_issued(private_key=OTHER_KEY)
    assert reasons(await ours.judge(forged.credential.encode()))["key"] == ("fail", "unknown-key")


async def test_the_dates_count(ours: World) -> None:
    assert (await ours.judge(CREDENTIAL, now=at(10_000_001))).sentence == "Genuine, but expired"
    assert (await ours.judge(CREDENTIAL, now=at(-10))).sentence == "Genuine, but not in force yet"


async def test_a_key_counts_until_it_was_withdrawn(world: World) -> None:
    key = LocalSigner(KEY, DID).public_key
    publish_keys(world, PublishedKey(key, revoked_at=BADGE.valid_from + timedelta(seconds=1)))
    # Whoever stole it can date a forgery as early as they like: only the log of issuance tells (B8).
    judgement = await world.judge(CREDENTIAL)
    assert judgement.answer == "cannot-tell"
    assert reasons(judgement)["key"] == ("unknown", "key-revoked-later")
    publish_keys(world, PublishedKey(key, revoked_at=BADGE.valid_from))
    assert reasons(await world.judge(CREDENTIAL))["key"] == ("fail", "key-revoked")
    # Rotation breaks nothing: a key that was only replaced says nothing of its end.
    publish_keys(world, PublishedKey(key, valid_until=BADGE.valid_from + timedelta(seconds=1)))
    assert (await world.judge(CREDENTIAL)).answer == "genuine"


async def test_a_pdf_and_a_qr_code_lead_to_the_badge(ours: World) -> None:
    writer, document, picture = PdfWriter(), io.BytesIO(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.add_attachment("notes.txt", b"nothing")
    writer.add_attachment("badge.json", CREDENTIAL)
    writer.write(document)
    code = zxingcpp.create_barcode(ADDRESSES.assertion(BADGE.badge_id), zxingcpp.BarcodeFormat.QRCode)
    Image.fromarray(code.to_image(scale=4)).save(picture, "JPEG")
    for content in (document.getvalue(), picture.getvalue()):
        judgement = await ours.judge(content)
        assert judgement.answer == "genuine", reasons(judgement)


async def test_nobody_is_trusted_for_what_they_did_not_sign(ours: World) -> None:
    forged = json.dumps({**json.loads(CREDENTIAL), "name": "Better"}).encode()
    assert (await ours.judge(forged, trusted=frozenset({DID}))).trusted == "unknown"

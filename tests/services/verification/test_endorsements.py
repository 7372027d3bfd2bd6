"""Endorsements are served as they were signed, and listed where what they endorse is shown (OB 3.0, OB 2.0)."""

from __future__ import annotations

from uuid import UUID

from libs.common.contracts.awarding import EndorsementSigned
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    PUBLIC_URL,
    START,
    Service,
    badge_issued,
    key_published,
)
from tests.services.verification.test_erasure import erase

NAME = UUID("0b8de0b9-6a52-4a57-a1f0-87d2f6c90f11")


def endorsed(**of: object) -> EndorsementSigned:
    """An endorsement as awarding tells it."""
    return EndorsementSigned.model_validate(
        {
            "endorsement_id": NAME, "issuer_id": "prairie", "comment": "Exactly what we need.", "endorsed_at": START,
            "credential": '{"signed":1}', "open_badge_2": '{"type":"Endorsement"}', **of,
        }
    )  # fmt: skip


async def test_an_endorsed_achievement_says_so(service: Service) -> None:
    await service.hear_all(ISSUER, ACHIEVEMENT, endorsed(achievement_id="coaching", version=2))
    served = await service.get(f"/endorsements/{NAME}")
    assert (served.status_code, served.content) == (200, b'{"signed":1}')
    assert (await service.get(f"/ob2/endorsements/{NAME}")).json() == {"type": "Endorsement"}
    badge_class = (await service.get("/ob2/badge-classes/coaching/versions/2")).json()
    assert badge_class["endorsement"][0].endswith(f"/ob2/endorsements/{NAME}")
    page = await service.get("/achievements/coaching/versions/2", "text/html")
    assert "Exactly what we need." in page.text


async def test_an_endorsement_of_a_badge_is_seen_by_who_sees_the_badge(service: Service) -> None:
    badge = badge_issued()
    await service.hear_all(ISSUER, ACHIEVEMENT, endorsed(badge_id=badge.badge_id))
    assert (await service.get(f"/endorsements/{NAME}")).status_code == 404
    assert (await service.get("/endorsements/unknown")).status_code == 404
    await service.hear_all(badge)
    expected = (await service.get(f"/badges/{badge.badge_id}.json")).status_code
    assert (await service.get(f"/endorsements/{NAME}")).status_code == expected


async def test_a_badge_says_who_endorsed_it(service: Service) -> None:
    """On its page, and as Open Badges 2.0 (`endorsement` of an Assertion)."""
    badge = badge_issued()
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), badge)
    plain = await service.get(f"/ob2/assertions/{badge.badge_id}")
    assert plain.content == badge.open_badge_2.encode()
    await service.hear_all(endorsed(badge_id=badge.badge_id))
    told = await service.get(f"/ob2/assertions/{badge.badge_id}")
    assert told.json() == {**plain.json(), "endorsement": [f"{PUBLIC_URL}/ob2/endorsements/{NAME}"]}
    assert told.headers["etag"] != plain.headers["etag"]
    page = await service.get(f"/badges/{badge.badge_id}", "text/html")
    assert "Exactly what we need." in page.text
    assert f'href="/endorsements/{NAME}"' in page.text


async def test_an_endorsement_of_a_badge_that_is_not_shared_is_kept_by_no_cache(service: Service) -> None:
    badge = badge_issued()
    await service.hear_all(ISSUER, ACHIEVEMENT, badge, endorsed(badge_id=badge.badge_id))
    headers = {"authorization": f"Bearer {service.mint.token(learner_id='learner-1')}"}
    path = f"/badges/{badge.badge_id}/sharing"
    assert (await service.client.put(path, headers=headers, json={"audience": "private"})).status_code == 200
    for face in (f"/endorsements/{NAME}", f"/ob2/endorsements/{NAME}"):
        assert (await service.client.get(face)).status_code == 404
        own = await service.client.get(face, headers=headers)
        assert (own.status_code, own.headers["Cache-Control"]) == (200, "private, no-store")


async def test_what_was_said_of_an_erased_learners_badge_goes_with_it(service: Service) -> None:
    badge = badge_issued()
    await service.hear_all(ISSUER, ACHIEVEMENT, badge, endorsed(badge_id=badge.badge_id))
    await erase(service)
    assert await service.database.pool.fetchval("select count(*) from endorsement") == 0

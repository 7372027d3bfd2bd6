"""The refresh service of a badge answers the newest one of the same learner and achievement (B5, OB 3.0)."""

from __future__ import annotations

import pytest

from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    PUBLIC_URL,
    Service,
    badge_issued,
    key_published,
    revoked,
)

NEWER = ACHIEVEMENT.model_copy(update={"version": ACHIEVEMENT.version + 1, "on_new_version": "upgrade"})
FIRST, SECOND = badge_issued(), badge_issued(achievement=NEWER, minutes=5)
OTHER = badge_issued("learner-2", achievement=NEWER)
REFRESH = ADDRESSES.badge_refresh(FIRST.badge_id).removeprefix(PUBLIC_URL)


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with an earlier badge of a learner, and a later one of another."""
    await service.hear_all(ISSUER, ACHIEVEMENT, NEWER, key_published(), FIRST, OTHER)
    return service


async def test_the_newest_badge_is_answered_as_it_was_signed(served: Service) -> None:
    same = await served.get(REFRESH, "application/vc+ld+json")
    assert (same.status_code, same.content) == (200, FIRST.credential.encode())
    await served.hear_all(SECOND)
    newer = await served.get(REFRESH, "application/vc+ld+json")
    assert (newer.status_code, newer.content) == (200, SECOND.credential.encode())
    assert newer.headers["content-type"] == "application/vc+ld+json"
    assert newer.headers["content-location"] == f"/badges/{SECOND.badge_id}"
    assert "max-age" in newer.headers["cache-control"]
    assert "immutable" not in newer.headers["cache-control"]
    assert (await served.get(REFRESH)).content == SECOND.credential.encode()
    page = await served.get(REFRESH, "text/html")
    assert (page.status_code, page.headers["location"]) == (302, f"/badges/{SECOND.badge_id}")
    assert (await served.get(REFRESH, "image/png")).status_code == 406
    assert (await served.client.head(REFRESH)).status_code == 200


async def test_a_newer_badge_that_was_revoked_takes_no_place(served: Service) -> None:
    await served.hear_all(SECOND, revoked(SECOND))
    assert (await served.get(REFRESH)).content == FIRST.credential.encode()


async def test_what_may_not_be_seen_is_not_answered(served: Service) -> None:
    await served.hear_all(SECOND)
    own = {"authorization": f"Bearer {served.mint.token(learner_id='learner-1')}"}

    async def decide(badge_id: object, audience: str) -> None:
        path = f"/badges/{badge_id}/sharing"
        answer = await served.client.put(path, headers=own, json={"audience": audience})
        assert answer.status_code == 200

    await decide(SECOND.badge_id, "private")
    assert (await served.get(REFRESH)).content == FIRST.credential.encode()
    await decide(FIRST.badge_id, "private")
    assert (await served.get(REFRESH)).status_code == 404
    await decide(SECOND.badge_id, "public")
    mine = await served.client.get(REFRESH, headers=own)
    assert (mine.content, mine.headers["cache-control"]) == (SECOND.credential.encode(), "private, no-store")
    assert (await served.get("/badges/00000000-0000-4000-8000-000000000000/refresh")).status_code == 404
    assert (await served.get("/badges/nothing/refresh")).status_code == 404

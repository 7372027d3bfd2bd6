"""A learner's wall of badges, and the links that sign people in."""

import pytest

from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    Service,
    badge_issued,
    event,
    key_published,
    revoked,
)

WALL = "/learners/learner-1/badges"
STACK = ACHIEVEMENT.model_copy(update={"achievement_id": "stem", "kind": "stack", "name": "STEM foundations"})
MINE, STACKED, OTHERS = badge_issued(), badge_issued(achievement=STACK, minutes=5), badge_issued("learner-2")


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with two badges of learner-1 and one of learner-2, as a browser asks."""
    service.client.headers["accept"] = "text/html,*/*;q=0.8"
    await service.hear_all(ISSUER, ACHIEVEMENT, STACK, key_published(), MINE, STACKED, OTHERS)
    return service


async def test_the_wall_is_for_its_learner_and_for_readers_of_records(served: Service) -> None:
    own = {"authorization": f"Bearer {served.mint.token(learner_id='learner-1')}"}
    for headers in (own, served.mint.headers("records.read")):
        answer = await served.client.get(WALL, headers=headers)
        assert answer.status_code == 200
        assert "2 badges" in answer.text
        assert answer.headers["cache-control"] == "private, no-store"
    assert (await served.client.get("/learners/learner-2/badges", headers=own)).status_code == 403
    assert (await served.client.get(WALL, headers=served.mint.headers("events.write"))).status_code == 403
    answer = await served.client.get(WALL)
    assert answer.status_code == 401
    assert "records.read" in answer.headers["www-authenticate"]
    assert (await served.client.get(WALL, headers={"authorization": "Bearer nonsense"})).status_code == 401


async def test_the_wall_as_json(served: Service) -> None:
    await served.hear(event(revoked(MINE), minutes=9))
    answer = await served.client.get(
        WALL, headers={"accept": "application/json", **served.mint.headers("records.read")}
    )
    found = answer.json()
    assert found["learner_id"] == "learner-1"
    # Newest first.
    assert [(badge["badge_id"], badge["name"], badge["state"]) for badge in found["badges"]] == [
        (str(STACKED.badge_id), "STEM foundations", "current"),
        (str(MINE.badge_id), "Coaching and Mentoring", "revoked"),
    ]
    assert found["badges"][0]["id"].endswith(f"/badges/{STACKED.badge_id}")


async def test_each_picture_has_its_words(served: Service) -> None:
    page = (await served.client.get(WALL, headers=served.mint.headers("records.read"))).text
    assert page.count("<svg xmlns") == 2
    assert page.count('role="img"') == 2
    for badge in (MINE, STACKED):
        assert f'href="/badges/{badge.badge_id}"' in page
    assert ">STEM foundations</title>" in page


async def test_a_wall_without_badges(served: Service) -> None:
    answer = await served.client.get("/learners/nobody/badges", headers=served.mint.headers("records.read"))
    assert answer.status_code == 200
    assert "No badges yet" in answer.text


async def test_a_badge_whose_achievement_has_not_come_yet_is_shown(service: Service) -> None:
    await service.hear_all(MINE)
    service.client.headers["accept"] = "text/html"
    answer = await service.client.get(WALL, headers=service.mint.headers("records.read"))
    assert answer.status_code == 200
    assert "coaching" in answer.text


async def test_a_link_signs_a_person_in_and_leaves_a_clean_address(served: Service) -> None:
    token = served.mint.token(learner_id="learner-1")
    answer = await served.client.get(f"{WALL}?lang=fr&access={token}")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{WALL}?lang=fr"
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"].lower()
    assert "cairn_session=" in cookie
    for part in ("httponly", "samesite=lax", "path=/", "secure", "max-age="):
        assert part in cookie
    page = await served.client.get(answer.headers["location"])
    assert page.status_code == 200
    assert token not in page.text


async def test_a_bad_link_signs_nobody_in(served: Service) -> None:
    answer = await served.client.get(f"{WALL}?access=nonsense")
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers
    assert (await served.client.get(WALL)).status_code == 401


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example"])
async def test_a_link_never_leads_to_another_site(served: Service, path: str) -> None:
    answer = await served.client.get(f"https://badges.example{path}?access=x")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/")
    assert not answer.headers["location"].startswith(("//", "/\\"))

"""An erased learner's badges are as if they never were, in whatever order it is heard (B7, M1.3)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from libs.common.contracts import LearnerRegistered
from libs.common.contracts.envelope import Envelope
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import begin
from services.verification.handlers.learners import on_learner_registered
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    revoked,
)

HTML = "text/html"
BADGE, OTHER = badge_issued(), badge_issued("learner-2")
PAGE = f"/badges/{BADGE.badge_id}"


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with a badge of learner-1 and one of learner-2."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE, OTHER)
    return service


def tombstone(learner_id: str, minutes: float) -> Received[LearnerRegistered]:
    envelope = Envelope(id=str(uuid4()), source="/tests", type=LearnerRegistered.TYPE, time=at(minutes), key=learner_id)
    return Received(envelope, None, LearnerRegistered.TOPIC, 0, 0, uuid4())


async def erase(service: Service, minutes: float = 10) -> None:
    async with begin(service.database) as work:
        await on_learner_registered(work, [tombstone("learner-1", minutes)])


async def rows(service: Service) -> list[int]:
    return [
        await service.database.pool.fetchval(f"select count(*) from {table} where badge_id = $1", BADGE.badge_id)
        for table in ("badge", "badge_change", "badge_share", "share_link")
    ]


async def test_an_erased_learner_leaves_nothing(served: Service) -> None:
    await served.hear(event(revoked(BADGE), minutes=2))
    headers = {"authorization": f"Bearer {served.mint.token(learner_id='learner-1')}"}
    assert (await served.client.put(f"{PAGE}/sharing", headers=headers, json={"audience": "public"})).status_code == 200
    await served.client.post(f"{PAGE}/links", headers=headers, json={"purpose": "x"})
    assert await rows(served) == [1, 1, 1, 1]
    await erase(served)
    assert await rows(served) == [0, 0, 0, 0]
    assert (await served.get(PAGE, HTML)).status_code == 404
    assert (await served.get(f"/badges/{OTHER.badge_id}.json")).status_code == 200


async def test_an_erasure_and_a_badge_make_one_state_in_either_order(service: Service) -> None:
    await erase(service)
    await service.hear_all(BADGE)
    assert await rows(service) == [0, 0, 0, 0]
    # Who comes back earns anew; what was erased stays erased, whenever it is heard again.
    later = badge_issued(achievement=ACHIEVEMENT.model_copy(update={"achievement_id": "later"}))
    await service.hear(event(later, minutes=20))
    await erase(service, minutes=5)
    assert (await service.get(f"/badges/{later.badge_id}.json")).status_code == 200

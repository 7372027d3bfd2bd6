"""The state depends on the set of events, not on their order; what was signed is kept to the byte (B2, B4, B9)."""

import random
from itertools import permutations

import asyncpg
import pytest

from libs.common.contracts import IssuerPublished
from libs.common.messaging.work import begin
from services.verification import handlers, store
from services.verification.handlers import NotAsSigned
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    KEY,
    OTHER_KEY,
    TRACEPARENT,
    Event,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    reinstated,
    revoked,
    suspended,
)

TABLES = ("issuer", "achievement", "badge", "badge_change", "issuer_key")
BADGE = badge_issued()


async def state_of(service: Service) -> dict[str, list[asyncpg.Record]]:
    return {
        table: await service.database.pool.fetch(f"select * from {table} order by {table}::text") for table in TABLES
    }


async def cleared(service: Service) -> None:
    await service.database.pool.execute(f"truncate {', '.join(TABLES)}, badge_jwt")


def story() -> list[Event]:
    renamed = IssuerPublished.model_validate({**ISSUER.model_dump(mode="json"), "name": "Prairie University"})
    second = ACHIEVEMENT.model_copy(update={"version": 3, "level": 4})
    other = badge_issued("learner-2")
    return [
        event(ISSUER),
        event(renamed, minutes=9),
        event(ACHIEVEMENT),
        event(ACHIEVEMENT.model_copy(update={"hours": None}), minutes=3),
        event(second, minutes=4),
        event(key_published(KEY)),
        event(key_published(OTHER_KEY), minutes=1),
        event(key_published(OTHER_KEY, valid_until=at(30).isoformat()), minutes=2),
        event(BADGE),
        event(other),
        event(suspended(BADGE), minutes=5),
        event(reinstated(BADGE), minutes=6),
        event(suspended(BADGE, "Again."), minutes=7),
        event(suspended(BADGE, "At the same time."), minutes=7),
        event(revoked(other), minutes=8),
        event(reinstated(other), minutes=10),
    ]


async def test_any_order_gives_the_same_state(service: Service) -> None:
    await service.hear(*story())
    expected = await state_of(service)
    assert [len(rows) for rows in expected.values()] == [1, 2, 2, 3, 2]
    for seed in range(12):
        shuffled = story()
        random.Random(seed).shuffle(shuffled)
        await cleared(service)
        await service.hear(*shuffled)
        assert await state_of(service) == expected
        await cleared(service)
        await service.hear_together(shuffled)
        assert await state_of(service) == expected


async def test_every_order_of_what_becomes_of_a_badge(service: Service) -> None:
    told = [event(BADGE), event(suspended(BADGE), minutes=1), event(reinstated(BADGE), minutes=2),
            event(revoked(BADGE), minutes=3)]  # fmt: skip
    states: list[object] = []
    for order in permutations(told):
        await cleared(service)
        await service.hear(*order)
        states.append(await state_of(service))
    assert all(state == states[0] for state in states)


async def test_the_same_told_twice_changes_nothing(service: Service) -> None:
    await service.hear(*story())
    once = await state_of(service)
    await service.hear(*story())
    await service.hear_together(story() + story())
    assert await state_of(service) == once


async def test_signed_bytes_are_kept_to_the_byte(service: Service) -> None:
    await service.hear_all(BADGE)
    kept = await store.badge(service.database.pool, BADGE.badge_id)
    assert kept is not None
    assert kept.signed.content == BADGE.credential.encode()
    assert kept.open_badge_2 == BADGE.open_badge_2.encode()
    assert kept.signed.digest == BADGE.digest
    assert kept.signed.traceparent == TRACEPARENT
    assert kept.signed.issued_at == at(0)


async def test_bytes_that_do_not_have_their_digest_are_a_fault(service: Service) -> None:
    wrong = BADGE.model_copy(update={"credential": BADGE.credential.replace("Coaching", "Cheating")})
    with pytest.raises(NotAsSigned, match=f"expected bytes with the digest {BADGE.digest}"):
        await service.hear_all(wrong)
    assert await store.badge(service.database.pool, BADGE.badge_id) is None


async def test_other_bytes_under_a_kept_id_are_a_fault(service: Service) -> None:
    await service.hear_all(BADGE)
    other = badge_issued(private_key=OTHER_KEY)
    assert other.badge_id == BADGE.badge_id
    with pytest.raises(NotAsSigned, match="expected the bytes that are kept"):
        await service.hear_all(other)
    with pytest.raises(NotAsSigned, match="expected the bytes that are kept"):
        await service.hear_all(BADGE.model_copy(update={"open_badge_2": "{}"}))
    kept = await store.signed_document(service.database.pool, BADGE.badge_id)
    assert kept is not None
    assert kept.content == BADGE.credential.encode()


async def test_a_tombstone_changes_nothing(service: Service) -> None:
    told = event(ISSUER)
    gone = type(told)(told.event, None, told.topic, 0, 1, told.event_id)
    async with begin(service.database) as work:
        for handle in (
            handlers.on_issuer_published, handlers.on_achievement_published, handlers.on_key_published,
            handlers.on_badge_issued, handlers.on_badge_revoked, handlers.on_badge_suspended,
            handlers.on_badge_reinstated,
        ):  # fmt: skip
            await handle(work, [gone])
    assert all(not rows for rows in (await state_of(service)).values())

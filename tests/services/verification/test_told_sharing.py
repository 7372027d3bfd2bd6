"""What a learner decides about who sees a badge is told, and a fresh database hears it before the badge (M1.3, B7)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from libs.common.contracts import SharingDecided
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.topics import PRIVATE, READ_AS_HANDLED, TOPICS
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import begin
from services.verification.handlers.sharing import on_sharing_decided, record_share, tell_untold_shares
from services.verification.model import Share
from tests.libs.common.messaging.waiting import until
from tests.services.verification.support import Event, Service, at, event
from tests.services.verification.test_erasure import BADGE, OTHER, erase, served
from tests.services.verification.test_sharing import FACES, decide, own, statuses

__all__ = ["served"]
SHARES = "select audience, until, shows_name, shows_evidence, changed_at from badge_share order by badge_id"
EARLIER = (
    "insert into badge_share (badge_id, audience, shows_name, shows_evidence, changed_at)"
    " values ($1, $2, true, true, $3) on conflict (badge_id) do update"
    " set audience = excluded.audience, changed_at = excluded.changed_at"
)


def decided(minutes: float, audience: str = "private", badge: Any = BADGE, **changes: Any) -> Event:
    """A decision as it is heard."""
    told = SharingDecided.model_validate(
        {
            "badge_id": badge.badge_id, "learner_id": badge.learner_id, "audience": audience, "shows_name": True,
            "shows_evidence": True, "decided_at": at(minutes), **changes,
        }
    )  # fmt: skip
    return event(told, minutes=minutes)


def forgotten(minutes: float, badge_id: UUID = BADGE.badge_id) -> Event:
    """A tombstone as it is heard."""
    envelope = Envelope(
        id=str(uuid4()), source="/tests", type=SharingDecided.TYPE, time=at(minutes), key=str(badge_id)
    )  # fmt: skip
    return Received(envelope, None, SharingDecided.TOPIC, 0, 0, uuid4())


async def hear(service: Service, *events: Event) -> None:
    """Hear these of the topic as one batch."""
    async with begin(service.database) as work:
        await on_sharing_decided(work, events)


async def told(service: Service) -> list[tuple[UUID, datetime, dict[str, Any] | None]]:
    """The words on the topic so far: the badge, when, and what."""
    rows = await service.database.pool.fetch(
        "select key, time, value from outbox where topic = $1 order by id", SharingDecided.TOPIC
    )
    return [
        (UUID(row["key"].decode()), row["time"], None if row["value"] is None else orjson.loads(row["value"]))
        for row in rows
    ]


async def heard_again(service: Service) -> list[Event]:
    """What was told, as a fresh database hears it; what was kept is lost."""
    words = [
        event(SharingDecided.model_validate(value), minutes=(time - at(0)) / timedelta(minutes=1))
        if value is not None
        else forgotten((time - at(0)) / timedelta(minutes=1), key)
        for key, time, value in await told(service)
    ]
    await service.database.pool.execute("truncate badge, badge_jwt, badge_share, share_link, erased_learner, outbox")
    return words


async def audiences(service: Service) -> dict[UUID, str]:
    rows = await service.database.pool.fetch("select badge_id, audience from badge_share")
    return {row["badge_id"]: row["audience"] for row in rows}


async def test_every_decision_is_told_and_nothing_of_links(served: Service) -> None:
    await decide(served, audience="public", until=at(120).isoformat(), shows_name=False)
    assert (await served.client.post(f"{FACES[0]}/links", headers=own(served), json={"purpose": "x"})).is_success
    served.set_clock(at(61))
    await decide(served, audience="private")
    first, second = await told(served)
    assert first[:2] == (BADGE.badge_id, at(60))
    assert first[2] == {
        "badge_id": str(BADGE.badge_id), "learner_id": "learner-1", "audience": "public",
        "until": "2026-01-05T11:00:00Z", "shows_name": False, "shows_evidence": True,
        "decided_at": "2026-01-05T10:00:00Z",
    }  # fmt: skip
    assert second[2] is not None
    assert (second[2]["audience"], second[1]) == ("private", at(61))
    (topic,) = [one for one in TOPICS if one.name == SharingDecided.TOPIC]
    # Compacted topics are read first.
    assert topic.compacted
    assert topic.owner == "verification"
    assert topic.name in PRIVATE - READ_AS_HANDLED


async def test_a_decision_that_does_not_stand_is_not_told(served: Service) -> None:
    with pytest.raises(RuntimeError, match="on the way"):
        async with begin(served.database) as work:
            assert await record_share(work, BADGE.badge_id, Share("private", None, True, True, at(60)))
            await work.flush()
            raise RuntimeError("lost on the way")
    assert await told(served) == []
    assert await statuses(served) == {200, 302}


async def test_a_lost_database_shows_nothing_that_was_hidden(served: Service) -> None:
    await decide(served, audience="private")
    words = await heard_again(served)
    await hear(served, *words)
    assert await statuses(served) == {404}
    # From the first moment on which the badge is there; its learner sees it still.
    await served.hear_all(BADGE, OTHER)
    assert await statuses(served) == {404}
    assert (await served.client.get(f"{FACES[0]}.json", headers=own(served))).status_code == 200
    assert (await served.get(f"/badges/{OTHER.badge_id}.json")).status_code == 200
    assert await told(served) == []
    await decide(served, audience="public")
    assert await statuses(served) == {200, 302}


async def test_parts_and_ends_come_back_too(served: Service) -> None:
    await decide(served, audience="public", until=at(120).isoformat(), shows_evidence=False)
    kept = await served.database.pool.fetch(SHARES)
    words = await heard_again(served)
    await hear(served, *words)
    await served.hear_all(BADGE)
    assert await served.database.pool.fetch(SHARES) == kept
    assert (await served.get(FACES[0], "text/html")).status_code == 200
    assert (await served.get(FACES[1])).status_code == 404
    served.set_clock(at(120))
    assert await statuses(served) == {404}


async def test_the_latest_decision_wins_in_every_order(service: Service) -> None:
    words = [
        decided(1), decided(2, "public", until=at(90)), decided(3, shows_name=False), decided(4, "public"),
    ]  # fmt: skip
    for order in permutations(words):
        for size in (1, 2, 4):
            await service.database.pool.execute("truncate badge_share")
            for first in range(0, len(order), size):
                await hear(service, *order[first : first + size])
            (row,) = await service.database.pool.fetch(SHARES)
            assert tuple(row) == ("public", None, True, True, at(4))
    await hear(service, *words)
    assert await service.database.pool.fetch(SHARES) == [row]


async def test_what_was_decided_here_later_stays(served: Service) -> None:
    await decide(served, audience="private")
    await hear(served, decided(30, "public"))
    assert await statuses(served) == {404}
    # A process whose clock is behind decides later all the same, and everybody who hears both agrees.
    served.set_clock(at(50))
    await decide(served, audience="public")
    await decide(served, audience="private")
    words = await heard_again(served)
    assert [word.content.audience for word in words] == ["private", "public", "private"]
    for order in permutations(words):
        await served.database.pool.execute("truncate badge_share")
        await hear(served, *order)
        assert await audiences(served) == {BADGE.badge_id: "private"}


async def test_an_erasure_takes_what_was_told(served: Service) -> None:
    await decide(served, audience="private")
    # Enrollment erased her at the 10th minute; that was heard after she had decided at the 60th.
    await erase(served, minutes=10)
    assert await audiences(served) == {}
    (first, gone) = await told(served)
    assert gone == (BADGE.badge_id, at(60), None)
    assert first[0] == gone[0]
    # As the topic has it, in batches of any size.
    words = await heard_again(served)
    await hear(served, *words)
    assert await audiences(served) == {}
    await hear(served, words[0])
    assert await audiences(served) == {BADGE.badge_id: "private"}
    await hear(served, words[1])
    assert await audiences(served) == {}


@pytest.mark.parametrize("order", list(permutations(["decision", "badge", "erasure"])))
async def test_what_was_erased_is_not_revived_in_any_order(service: Service, order: Sequence[str]) -> None:
    """The tombstone of the topic was lost with the database: that of the learner does."""
    for one in order:
        if one == "decision":
            await hear(service, decided(5, "public"))
        elif one == "badge":
            await service.hear_all(BADGE)
        else:
            await erase(service, minutes=10)
    assert await audiences(service) == {}
    assert await service.database.pool.fetchval("select count(*) from badge") == 0
    # Whichever came first, the topic is told to forget it.
    assert [(key, value) for key, _, value in await told(service)] == [(BADGE.badge_id, None)]


async def test_a_tombstone_takes_nothing_that_was_decided_later(service: Service) -> None:
    words = [decided(5), forgotten(10), decided(20)]
    for size in (1, 2, 3):
        await service.database.pool.execute("truncate badge_share, outbox")
        for first in range(0, 3, size):
            await hear(service, *words[first : first + size])
        assert await audiences(service) == {BADGE.badge_id: "private"}
    # Told anew by who reads the topic again, it stands behind the decision, and would take it away with it.
    await hear(service, forgotten(10))
    assert await audiences(service) == {BADGE.badge_id: "private"}
    async with begin(service.database) as work:
        assert await tell_untold_shares(work, most=10) == 1
    ((key, time, value),) = await told(service)
    assert (key, time, value and value["audience"]) == (BADGE.badge_id, at(20), "private")


async def test_nothing_is_decided_about_what_is_gone(served: Service) -> None:
    """A request that had seen the badge comes after its erasure, or just before it."""
    share = Share("public", None, True, True, at(60))
    async with begin(served.database) as deciding:
        assert await record_share(deciding, BADGE.badge_id, share)
        erasing = asyncio.create_task(erase(served, minutes=30))

        async def waits() -> bool:
            return await served.database.pool.fetchval(
                "select exists (select from pg_locks where not granted and database ="
                " (select oid from pg_database where datname = current_database()))"
            )

        await until(waits)
    await erasing
    assert [value is None for _, _, value in await told(served)] == [False, True]
    assert await audiences(served) == {}
    async with begin(served.database) as work:
        assert not await record_share(work, BADGE.badge_id, share)
    assert len(await told(served)) == 2
    assert await audiences(served) == {}


async def test_what_was_decided_before_is_told_once(served: Service) -> None:
    """Rows of a version that told nothing: some at once, until all are told; and what such a version decides later."""
    pool = served.database.pool
    unknown = uuid4()
    for badge_id in (BADGE.badge_id, OTHER.badge_id, unknown):
        await pool.execute(EARLIER, badge_id, "private", at(30))
    counts: list[int] = []
    while not counts or counts[-1]:
        async with begin(served.database) as work:
            counts.append(await tell_untold_shares(work, most=1))
    assert counts == [1, 1, 0]
    found = {key: value for key, _, value in await told(served)}
    assert {(key, value and value["learner_id"]) for key, value in found.items()} == {
        (BADGE.badge_id, "learner-1"), (OTHER.badge_id, "learner-2"),
    }  # fmt: skip
    await pool.execute(EARLIER, BADGE.badge_id, "public", at(40))
    async with begin(served.database) as work:
        assert await tell_untold_shares(work, most=10) == 1
    words = await heard_again(served)
    await hear(served, *words)
    assert await audiences(served) == {BADGE.badge_id: "public", OTHER.badge_id: "private"}


async def test_an_erasure_takes_what_was_not_told_yet(served: Service) -> None:
    await served.database.pool.execute(EARLIER, BADGE.badge_id, "private", at(30))
    await erase(served, minutes=10)
    assert await audiences(served) == {}
    async with begin(served.database) as work:
        assert await tell_untold_shares(work, most=10) == 0

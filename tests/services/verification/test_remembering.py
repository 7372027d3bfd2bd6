"""A fresh database reads what verification told itself: pushed badges, and none of who was erased (B7, B12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from libs.common.contracts import LearnerRegistered
from libs.common.contracts.envelope import Envelope, headers_of
from libs.common.contracts.topics import LEARNERS, PUSHED_BADGES
from libs.common.contracts.verification import BadgePushed
from libs.common.messaging.hearing import Received
from libs.common.messaging.restoring import Plan, restore
from libs.common.messaging.work import begin
from services.verification.handlers.backpack import keep_pushed_badge
from services.verification.handlers.granting.desk import WRITE_CREDENTIALS
from services.verification.handlers.learners import on_learner_registered
from services.verification.rules.pushes import is_token, issued_at_of
from services.verification.settings import VerificationSettings
from services.verification.store.backpack import Held
from services.verification.store.restoring import is_restored
from services.verification.worker import FIRST, HEARS, REMEMBERS, read_plan
from tests.conftest import FreshTopic
from tests.services.verification.support import Service, at, event
from tests.services.verification.test_erasure import tombstone
from tests.services.verification.test_exchange import BADGES, PUSHED
from tests.services.verification.test_pushed_texts import token

PLAIN, OTHER, TOKEN = PUSHED.credential.encode(), BADGES[1].credential.encode(), token(id="urn:x:1").encode()
ROWS = (
    "select learner_id, credential_id, content, is_token, issued_at, kept_at, push_id, digest, told_at"
    " from pushed_badge order by learner_id, credential_id"
)
Sent = tuple[str, Received[Any]]


async def let_program_in(service: Service, learner_id: str) -> None:
    """A program may push for the learner."""
    await service.database.pool.execute(
        "insert into oauth_client values ('c', null, $1::jsonb, now()) on conflict do nothing",
        '{"client_name": "x", "redirect_uris": ["https://x/"]}',
    )
    await service.database.pool.execute(
        "insert into oauth_grant values (gen_random_uuid(), 'c', $1, $2, now())", learner_id, WRITE_CREDENTIALS
    )


async def push(service: Service, learner_id: str, credential_id: str, content: bytes, minutes: float) -> None:
    """A program pushes a badge that was found genuine."""
    await let_program_in(service, learner_id)
    held, issued_at = Held(content, is_token(content)), issued_at_of(content)
    assert issued_at is not None
    async with begin(service.database) as work:
        kept = keep_pushed_badge(work, learner_id, credential_id, held, issued_at=issued_at, at=at(minutes), most=99)
        assert await kept is not None


async def said(service: Service, *events: Received[Any]) -> None:
    """What is heard of learners."""
    async with begin(service.database) as work:
        await on_learner_registered(work, events)


def registered(learner_id: str, minutes: float) -> Received[Any]:
    """The learner is registered."""
    heard = event(LearnerRegistered(learner_id=learner_id, registered_at=at(minutes)), minutes=minutes)
    return heard._replace(event=heard.event._replace(key=learner_id))


async def told(service: Service) -> list[Sent]:
    """What was told of pushed badges, in order."""
    rows = await service.database.pool.fetch("select * from outbox where topic = $1 order by id", PUSHED_BADGES)
    return [(PUSHED_BADGES, _received(row, row["value"])) for row in rows]


def _received(row: Any, value: bytes | None) -> Received[Any]:
    key = row["key"].decode()
    envelope = Envelope(
        id=str(row["event_id"]), source="/cairn/verification", type=row["type"], time=row["time"], key=key
    )
    content = None if value is None else BadgePushed.model_validate_json(value)
    return Received(envelope, content, PUSHED_BADGES, 0, 0, row["event_id"])


async def forget(service: Service) -> None:
    """The database is lost."""
    for table in ("pushed_badge", "erased_learner", "restored", "consumed", "outbox", "inbox", "oauth_client"):
        await service.database.pool.execute(f"delete from {table}")


class Restored:
    """A fresh database that reads what was sent to Kafka."""

    def __init__(self, service: Service, bootstrap: str, learners: str, pushes: str) -> None:
        self.service = service
        settings: dict[str, Any] = {"database_dsn": SecretStr("unused"), "token_issuer": "x", "batch_records": 2}
        self.settings = VerificationSettings(**settings, kafka_bootstrap=bootstrap)
        self.topics = {LEARNERS: learners, PUSHED_BADGES: pushes}

    def plan(self) -> Plan:
        """The service's own, on topics of the test's own."""
        plan = read_plan(self.settings)
        assert plan.passes == (FIRST, HEARS, REMEMBERS)
        passes = [
            tuple(replace(row, topic=self.topics[row.topic]) for row in hears if row.topic in self.topics)
            for hears in plan.passes
        ]
        return replace(plan, passes=tuple(passes))

    async def send(self, sent: Sequence[Sent]) -> None:
        """Tell it on Kafka."""
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.kafka_bootstrap)
        await producer.start()
        try:
            for topic, heard in sent:
                value = None if heard.content is None else heard.content.model_dump_json(exclude_none=True).encode()
                await producer.send_and_wait(
                    self.topics[topic], value, heard.event.key.encode(), headers=headers_of(heard.event)
                )  # fmt: skip
        finally:
            await producer.stop()

    async def read(self) -> list[tuple[Any, ...]]:
        """Read all; the pushed badges afterwards."""
        await restore(self.plan(), self.service.database, self.settings, is_done=is_restored)
        return [tuple(row) for row in await self.service.database.pool.fetch(ROWS)]


@pytest.fixture
async def fresh(service: Service, kafka_bootstrap: str, fresh_topic: FreshTopic) -> Restored:
    """On two topics of the test's own."""
    learners, pushes = await fresh_topic(2, name="learners"), await fresh_topic(2, name="pushed")
    return Restored(service, kafka_bootstrap, learners, pushes)


async def kept(service: Service) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await service.database.pool.fetch(ROWS)]


async def test_what_was_pushed_is_there_again_to_the_byte(service: Service, fresh: Restored) -> None:
    await push(service, "learner-1", "urn:x:1", TOKEN, 1)
    await push(service, "learner-1", "urn:x:2", PLAIN, 2)
    await push(service, "learner-2", "urn:x:2", PLAIN, 3)
    await push(service, "learner-1", "urn:x:2", OTHER, 4)  # another in its place
    before, sent = await kept(service), await told(service)
    assert len(before) == 3
    assert len(sent) == 4
    await fresh.send(sent)
    await forget(service)
    assert await fresh.read() == before
    assert await told(service) == []
    # It is done once: what was sent since is not read again, for what is told is kept when it is told.
    await fresh.send([(topic, _changed(heard, pushed_at=at(9))) for topic, heard in sent[:1]])
    assert await fresh.read() == before
    # Pushed again, the same is not told again.
    await push(service, "learner-1", "urn:x:2", OTHER, 5)
    assert await told(service) == []


def _changed(heard: Received[Any], **told: Any) -> Received[Any]:
    content: Any = heard.content
    return heard._replace(content=content.model_copy(update=told))


async def test_what_was_erased_stays_so_in_whatever_order(service: Service, fresh: Restored) -> None:
    """By the tombstone of the push; by that of the learner alone, if the other was lost on the way (B7)."""
    for number in (1, 2, 3, 4):
        await push(service, f"learner-{number}", "urn:x:1", PLAIN, number)
    first = await told(service)
    await said(service, tombstone("learner-1", 10), tombstone("learner-2", 10), tombstone("learner-3", 10))
    erased = (await told(service))[4:]
    assert [heard.content for _, heard in erased] == [None, None, None]
    # Learner 2 came back, and had the same pushed anew; learner 3 did not, and a program pushed all the same.
    await said(service, registered("learner-2", 20))
    await push(service, "learner-2", "urn:x:1", PLAIN, 30)
    await push(service, "learner-3", "urn:x:1", PLAIN, 30)
    again = (await told(service))[7:]
    before = await kept(service)
    assert [row[0] for row in before] == ["learner-2", "learner-3", "learner-4"]
    learners = [tombstone(f"learner-{number}", 10) for number in (1, 2, 3)] + [registered("learner-2", 20)]
    # The tombstone of learner 3's push was lost with the database.
    pushes = [*first, *(one for one in erased if one[1].event.key != again[1][1].event.key), *again]
    await fresh.send([(LEARNERS, heard) for heard in learners] + pushes)
    await forget(service)
    assert await fresh.read() == [before[0], before[2]]
    ((_, late),) = await told(service)
    assert (late.content, late.event.key, late.event.time) == (None, again[1][1].event.key, at(10))


async def test_other_bytes_than_were_told_are_buried_and_what_is_pushed_meanwhile_stays(
    service: Service, fresh: Restored
) -> None:
    for number in (1, 2, 3):
        await push(service, f"learner-{number}", "urn:x:1", PLAIN, number)
    before, sent = await kept(service), await told(service)
    changed = _changed(sent[1][1], content="{}")
    await fresh.send([sent[0], (PUSHED_BADGES, changed), sent[2]])
    await forget(service)
    await push(service, "learner-3", "urn:x:1", OTHER, 40)  # before the worker has read anything
    [*_, newer] = await kept(service)
    assert await fresh.read() == [before[0], newer]
    letters = await service.database.pool.fetch("select stage, reason from dead_letter")
    assert [letter["stage"] for letter in letters] == ["handler"]
    assert "expected bytes with the digest" in letters[0]["reason"]


async def test_a_database_that_was_at_work_reads_nothing(service: Service, fresh: Restored) -> None:
    await push(service, "learner-1", "urn:x:1", PLAIN, 1)
    await fresh.send(await told(service))
    await forget(service)
    await service.database.pool.execute("insert into restored default values")
    assert await fresh.read() == []

"""What awarding's tests share: a small language for achievements and events, and a service without Kafka."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from libs.common.contracts import (
    AchievementPublished,
    ActivityCompleted,
    AssessmentScored,
    BadgeIssued,
    CompletionRetracted,
    Contract,
    EvidenceVerified,
    EvidenceWithdrawn,
    IssuerPublished,
    LearnerRegistered,
    ScoreVoided,
)
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.progress import Score
from libs.common.contracts.requirement import (
    ActivityRequired,
    All,
    AnyOf,
    AssessmentRequired,
    AtLeast,
    BadgeRequired,
    CreditsRequired,
    EvidenceRequired,
    Requirement,
    Step,
    Steps,
)
from libs.common.credentials.addresses import Addresses
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work, begin
from libs.common.postgres.database import Database
from libs.common.postgres.migrate import migrate
from libs.common.process import MESSAGING_MIGRATIONS
from libs.common.signing.file_key import LocalKey
from libs.common.signing.ring import Ring
from services.awarding import handlers
from services.awarding.handlers import Office
from services.awarding.rules.badge import Deployment

MIGRATIONS = [MESSAGING_MIGRATIONS, Path("services/awarding/sql/migrations").resolve()]
NAMESPACE = UUID("6a7c1de2-33f0-4c43-9f0a-5a30b2f1f0aa")
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TRACE = "00-{:032x}-{:016x}-01"
KEY = bytes(range(32))
ISSUER = IssuerPublished.model_validate({"issuer_id": "uni", "name": "A University", "url": "https://uni.example/"})

Event = Received[Any]


def at(minutes: float) -> datetime:
    """An instant some minutes after the tests' beginning."""
    return START + timedelta(minutes=minutes)


def day(days: float) -> float:
    """Days in minutes, for `at` and for events."""
    return days * 24 * 60


def all_of(*parts: Requirement) -> All:
    """Every part."""
    return All(of=parts)


def any_of(*parts: Requirement) -> AnyOf:
    """Any part."""
    return AnyOf(of=parts)


def n_of(n: int, *parts: Requirement) -> AtLeast:
    """At least n parts."""
    return AtLeast(n=n, of=parts)


def step(name: str, of: Requirement, *after: str, **more: Any) -> Step:
    """One step of a pathway."""
    return Step(step_id=name, label=f"Step {name}", of=of, after=after, **more)


def steps(*several: Step, at_least: int | None = None) -> Steps:
    """A pathway."""
    return Steps(steps=several, at_least=at_least)


def passed(name: str, at_least: str = "0.4", attempt: Any = "best") -> AssessmentRequired:
    """An assessment passed."""
    return AssessmentRequired(assessment_id=name, at_least=Decimal(at_least), attempt=attempt)


def done(name: str) -> ActivityRequired:
    """An activity completed."""
    return ActivityRequired(activity_id=name)


def verified(name: str) -> EvidenceRequired:
    """An evidence component verified."""
    return EvidenceRequired(component_id=name)


def badge(name: str) -> BadgeRequired:
    """A badge held."""
    return BadgeRequired(achievement_id=name)


def credits_from(at_least: str, *names: str) -> CreditsRequired:
    """So many credits out of the badges of these achievements."""
    return CreditsRequired(at_least=Decimal(at_least), achievement_ids=names)


def achievement(name: str, requirement: Requirement, *, version: int = 1, **more: Any) -> AchievementPublished:
    """A published achievement."""
    values: dict[str, Any] = {
        "kind": "micro-credential",
        "issuer_id": "uni",
        "name": name.upper(),
        "description": f"About {name}.",
        "criteria": f"Do what {name} asks.",
        "published_at": START,
    }
    return AchievementPublished(achievement_id=name, version=version, requirement=requirement, **(values | more))


def event_id(name: str) -> UUID:
    """The id of the event that a test calls `name`."""
    return uuid5(NAMESPACE_URL, name)


def heard(content: Contract | None, key: str, name: str, time: datetime, *, topic: str = "t") -> Event:
    """An event as a handler gets it."""
    identity = event_id(name)
    traceparent = TRACE.format(identity.int % (1 << 128) or 1, identity.int % (1 << 64) or 1)
    kind = content.TYPE if content is not None else LearnerRegistered.TYPE
    envelope = Envelope(str(identity), "/test", kind, time, key, traceparent=traceparent)
    return Received(envelope, content, topic, 0, 0, identity)


def scored(learner: str, name: str, percent: str, minutes: float, *, tag: str = "") -> Event:
    """A score out of 100."""
    score = Score(raw=Decimal(percent), max=Decimal(100))
    content = AssessmentScored(learner_id=learner, assessment_id=name, score=score)
    return heard(content, learner, f"score {learner} {name} {percent} {minutes} {tag}", at(minutes))


def completed(learner: str, name: str, minutes: float) -> Event:
    """An activity completed."""
    content = ActivityCompleted(learner_id=learner, activity_id=name)
    return heard(content, learner, f"done {learner} {name} {minutes}", at(minutes))


def evidence(learner: str, name: str, minutes: float) -> Event:
    """An evidence component verified."""
    content = EvidenceVerified(learner_id=learner, component_id=name, assessor="Dr Gray")
    return heard(content, learner, f"evidence {learner} {name} {minutes}", at(minutes))


def voided(event: Event, minutes: float) -> Event:
    """The score, verification or completion that `event` told does not count."""
    told = event.content
    name = f"void {event.event_id}"
    if isinstance(told, AssessmentScored):
        content: Contract = ScoreVoided(
            learner_id=told.learner_id, assessment_id=told.assessment_id, supersedes=event.event_id
        )
    elif isinstance(told, EvidenceVerified):
        content = EvidenceWithdrawn(
            learner_id=told.learner_id, component_id=told.component_id, supersedes=event.event_id
        )
    else:
        content = CompletionRetracted(
            learner_id=told.learner_id, activity_id=told.activity_id, supersedes=event.event_id
        )
    return heard(content, event.event.key, name, at(minutes))


def published(*contents: AchievementPublished | IssuerPublished) -> list[Event]:
    """Publications."""
    return [
        heard(content, content.achievement_id, f"publish {content.achievement_id} {content.version}", START)
        if isinstance(content, AchievementPublished)
        else heard(content, f"issuer:{content.issuer_id}", f"issuer {content.issuer_id}", START)
        for content in contents
    ]


def registered(*learners: str) -> list[Event]:
    """Learners who become known."""
    return [
        heard(LearnerRegistered(learner_id=name, registered_at=START), name, f"register {name}", START)
        for name in learners
    ]


def erased(learner: str) -> Event:
    """A learner who is erased."""
    return heard(None, learner, f"erase {learner}", START)


def said(issued: BadgeIssued) -> BadgeIssued:
    """What a badge says, without the place in the status list and what follows from it."""
    credential = orjson.loads(issued.credential)
    for name in ("credentialStatus", "proof"):
        credential.pop(name, None)
    return issued.model_copy(
        update={"credential": orjson.dumps(credential).decode(), "digest": "", "awarded_at": None, "status_index": None}
    )


HANDLERS: tuple[tuple[type[Contract], Callable[..., Awaitable[None]]], ...] = (
    (IssuerPublished, handlers.on_issuer_published),
    (AchievementPublished, handlers.on_achievement_published),
    (LearnerRegistered, handlers.on_learner_registered),
    (ActivityCompleted, handlers.on_activity_completed),
    (AssessmentScored, handlers.on_assessment_scored),
    (EvidenceVerified, handlers.on_evidence_verified),
    (CompletionRetracted, handlers.on_completion_retracted),
    (ScoreVoided, handlers.on_score_voided),
    (EvidenceWithdrawn, handlers.on_evidence_withdrawn),
)


def office(base_url: str = "http://localhost:8104", private_key: bytes = KEY) -> Office:
    """A worker's office with the tests' secrets."""
    deployment = Deployment(Addresses(base_url), b"a pepper for tests only")
    ring = Ring([(None, LocalKey(private_key))])
    return Office(deployment, namespace=NAMESPACE, ring=ring, keys_valid_from=datetime(2000, 1, 1, tzinfo=UTC))


@dataclass
class Service:
    """Awarding on a real database, fed by hand."""

    database: Database
    office: Office

    @classmethod
    async def start(cls, dsn: str) -> Service:
        """Migrate the database at `dsn` and open it."""
        await migrate(dsn, MIGRATIONS)
        return cls(await Database.connect(dsn, application_name="test", max_size=6), office())

    async def handle(self, work: Work, events: Sequence[Event]) -> None:
        """Handle the events of one batch, as a worker's table says."""
        for contract, handle in HANDLERS:
            chosen = [event for event in events if event.event.type == contract.TYPE]
            if chosen:
                await partial(handle, self.office)(work, chosen)

    async def hear(self, *events: Event) -> None:
        """One batch in one transaction."""
        async with begin(self.database) as work:
            await self.handle(work, events)

    async def hear_each(self, events: Iterable[Event]) -> None:
        """Each event in a batch of its own."""
        for event in events:
            await self.hear(event)

    async def recheck(self, most: int = 500) -> int:
        """Work off the backlog; answers how many learners were looked at."""
        return await self._worked_off(lambda work: handlers.recheck_waiting(self.office, work, most=most))

    async def expire(self, minutes: float, most: int = 500) -> int:
        """Expire what has ended some minutes after the beginning; answers how many ends there were."""
        return await self._worked_off(lambda work: handlers.expire_ended(self.office, work, now=at(minutes), most=most))

    async def _worked_off(self, step: Callable[[Work], Awaitable[int]]) -> int:
        total, done_now = 0, 1
        while done_now:
            async with begin(self.database) as work:
                done_now = await step(work)
            total += done_now
        return total

    async def badges(self) -> set[tuple[str, str]]:
        """The (learner, achievement) of every badge; none may be there twice."""
        rows = await self.database.pool.fetch("select learner_id, achievement_id from badge")
        found = [(row["learner_id"], row["achievement_id"]) for row in rows]
        assert len(found) == len(set(found))
        return set(found)

    async def told(self) -> list[BadgeIssued]:
        """The badges in the outbox, in the order in which they are told."""
        rows = await self.database.pool.fetch("select value from outbox where type = $1 order by id", BadgeIssued.TYPE)
        return [BadgeIssued.model_validate_json(row["value"]) for row in rows]

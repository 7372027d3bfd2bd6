"""What happens in progress: load, decide, save, tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.common.contracts import (
    AchievementPublished,
    BadgeExpired,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgeSuspended,
    Enrolled,
    IssuerPublished,
    LearnerRegistered,
    MilestoneReached,
    Withdrawn,
)
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from libs.common.telemetry import current_traceparent
from services.progress import rules, store
from services.progress.model import FORMS, Classified, LearningEvent, LearningFact

SOURCE = "/cairn/progress"


async def record_events(work: Work, events: Sequence[LearningEvent]) -> Classified:
    """Keep a batch of learning events, tell those whose learner is known, and say what became of each (M4.2).

    An event that was kept before is not told again. One with a kept id and another body changes nothing. The
    events of an unknown learner wait for `on_learner_registered`.
    """
    connection = work.connection
    known = await _known_learners(work, {event.learner_id for event in events})
    mapped = await store.mapped_objects(connection, {event.object_id for event in events})
    first = rules.first_of_each(events)
    kept = await store.keep_events(
        connection, [events[p] for p in first], [rules.is_unmapped(events[p], mapped) for p in first]
    )
    new = [position for position in first if events[position].event_id in kept]
    differing = set[int]()
    if len(new) < len(events):
        repeated = set(range(len(events))).difference(new)
        differing = await store.differing_events(connection, [(p, events[p]) for p in sorted(repeated)])
    outcome = rules.classify(events, new=new, differing=differing, known=known, mapped=mapped)
    if outcome.parked:
        await store.park_events(connection, [events[position] for position in outcome.parked])
    for position in outcome.told:
        _tell(work, events[position])
    return outcome


async def record_heard(work: Work, received: Sequence[Received[LearningFact]]) -> None:
    """Record learning events from the topic `learning-events`: the same rules as at the HTTP door.

    Raises `ValueError` for an event with a kept id and another body: delivery makes a dead letter of it.
    """
    traceparent = current_traceparent()
    events: list[LearningEvent] = []
    for one in received:
        if one.content is None:
            raise ValueError(f"data: expected the data of {one.event.type}, found nothing")
        events.append(rules.read_heard(one.event, one.content, sender=one.topic, traceparent=traceparent))
    outcome = await record_events(work, events)
    if outcome.conflicts:
        event = events[outcome.conflicts[0]]
        raise ValueError(f"id: expected a new id or the same body, found {event.source_id!r} kept with another body")


async def on_issuer_published(work: Work, received: Sequence[Received[IssuerPublished]]) -> None:
    """Nothing follows: progress names no issuers."""


async def on_achievement_published(work: Work, received: Sequence[Received[AchievementPublished]]) -> None:
    """Note which activities, assessments and evidence the catalogue mentions; events lose their mark."""
    mentioned = {
        found for one in received if one.content is not None for found in rules.objects_in(one.content.requirement)
    }
    await store.map_objects(work.connection, mentioned)


async def on_learner_registered(work: Work, received: Sequence[Received[LearnerRegistered]]) -> None:
    """Learners become known, and what waited for them is told; a tombstone erases all that is kept of one."""
    last = {one.event.key: one.content for one in received}
    # Also when registered again in this batch: what was kept before the erasure goes.
    erased = {one.event.key for one in received if one.content is None}
    present = [learner_id for learner_id, content in last.items() if content is not None]
    await store.take_learner_lock(work.connection)
    if erased:
        await store.forget_learners(work.connection, erased)
    appeared = await store.learn_learners(work.connection, present)
    if appeared:
        for event in await store.release_parked_events(work.connection, appeared):
            _tell(work, event)


async def on_enrolled(work: Work, received: Sequence[Received[Enrolled]]) -> None:
    """Note who is enrolled in which offer."""
    await _keep_enrollments(work, received, "enrolled")


async def on_withdrawn(work: Work, received: Sequence[Received[Withdrawn]]) -> None:
    """Note who withdrew from which offer."""
    await _keep_enrollments(work, received, "withdrawn")


async def on_badge_issued(work: Work, received: Sequence[Received[BadgeIssued]]) -> None:
    """Note a learner's new badges."""
    await _keep_badges(work, received, "issued")


async def on_badge_suspended(work: Work, received: Sequence[Received[BadgeSuspended]]) -> None:
    """Note which badges do not hold for now."""
    await _keep_badges(work, received, "suspended")


async def on_badge_reinstated(work: Work, received: Sequence[Received[BadgeReinstated]]) -> None:
    """Note which badges hold again."""
    await _keep_badges(work, received, "issued")


async def on_badge_revoked(work: Work, received: Sequence[Received[BadgeRevoked]]) -> None:
    """Note which badges do not hold any more."""
    await _keep_badges(work, received, "revoked")


async def on_badge_expired(work: Work, received: Sequence[Received[BadgeExpired]]) -> None:
    """Note which badges' time has run out: whether they were suspended or revoked besides is another matter."""
    rows = [
        (one.content.badge_id, one.content.learner_id, one.content.expired_at, one.event_id)
        for one in received
        if one.content is not None
    ]
    await store.keep_ends(work.connection, rules.newest_of_each(rows, key=lambda row: row[0], order=lambda row: row[2]))


async def on_milestone_reached(work: Work, received: Sequence[Received[MilestoneReached]]) -> None:
    """Note the milestones that learners reached."""
    contents = [one.content for one in received if one.content is not None]
    rows = [
        (one.learner_id, one.achievement_id, one.version, one.step_id, one.name, one.reached_at) for one in contents
    ]
    await store.keep_milestones(work.connection, rows)


async def pass_over(work: Work, received: Sequence[Received[Any]]) -> None:
    """Nothing follows: progress checks no signatures, and shows badges only."""


async def _known_learners(work: Work, learner_ids: set[str]) -> set[str]:
    known = await store.known_learners(work.connection, learner_ids)
    unknown = learner_ids - known
    if unknown:
        # One of them may become known by a transaction that commits just now, and would not see what this one
        # parks. So look again when none can.
        await store.share_learner_lock(work.connection)
        known |= await store.known_learners(work.connection, unknown)
    return known


async def _keep_enrollments(
    work: Work, received: Sequence[Received[Enrolled]] | Sequence[Received[Withdrawn]], status: str
) -> None:
    rows = [
        (one.content.learner_id, one.content.offer_id, status, one.event.time, one.event_id)
        for one in received
        if one.content is not None
    ]
    newest = rules.newest_of_each(rows, key=lambda row: row[:2], order=lambda row: row[3:])
    await store.keep_enrollments(work.connection, newest)


async def _keep_badges(
    work: Work,
    received: Sequence[Received[BadgeIssued]]
    | Sequence[Received[BadgeSuspended]]
    | Sequence[Received[BadgeReinstated]]
    | Sequence[Received[BadgeRevoked]],
    status: str,
) -> None:
    rows = [
        (
            one.content.badge_id,
            one.content.learner_id,
            one.content.achievement_id if isinstance(one.content, BadgeIssued) else None,
            status,
            one.event.time,
            one.event_id,
        )
        for one in received
        if one.content is not None
    ]
    newest = rules.newest_of_each(rows, key=lambda row: row[0], order=lambda row: row[4:])
    await store.keep_badges(work.connection, newest)


def _tell(work: Work, event: LearningEvent) -> None:
    work.tell(
        Outgoing(
            topic=FORMS[event.type].contract.TOPIC,
            key=event.learner_id,
            event_id=event.event_id,
            type=event.type,
            source=SOURCE,
            subject=event.object_id,
            time=event.occurred_at,
            value=event.body,
            traceparent=event.traceparent,
        )
    )

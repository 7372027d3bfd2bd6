"""Registering and erasing learners, and recording who is enrolled in what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from libs.common.contracts import Enrolled, LearnerRegistered, Withdrawn
from libs.common.messaging.work import Outgoing, Work
from services.enrollment import rules, store
from services.enrollment.model import SOURCE, Enrollment, Fault, Learner, Recorded, Refused


async def register_learners(work: Work, rows: Sequence[object], *, at: datetime) -> Recorded:
    """Keep a batch of learners (parsed JSON rows); tell those that are new or changed. `at` is now."""
    learners, refused = rules.read_learners(rows)
    changed = await store.register_learners(work.connection, learners, at=at) if learners else []
    for learner in changed:
        work.tell(_registered(learner, at))
    unchanged = len(rows) - len(refused) - len(changed)
    return Recorded(len(changed), unchanged, tuple(refused))


async def record_name_choice(work: Work, learner_id: str, *, shows_name: bool, at: datetime) -> Learner | None:
    """Keep and tell whether a learner wants their name in badges that are awarded from now on (M1.3, B7)."""
    for learner in await store.choose_names(work.connection, [(learner_id, shows_name)], at=at):
        work.tell(_registered(learner, at))
    return await store.learner(work.connection, learner_id)


async def erase_learner(work: Work, learner_id: str, *, at: datetime) -> bool:
    """Delete a learner and tell a tombstone, so that every service erases them; false when there was none."""
    if not await store.erase_learner(work.connection, learner_id):
        return False
    work.tell(_about_learner(learner_id, "erased", at, None))
    return True


async def record_enrollments(work: Work, rows: Sequence[object]) -> Recorded:
    """Keep a batch of enrolments and withdrawals (parsed JSON rows) and tell the new ones (M1.4).

    A row of an unknown learner is refused; its neighbours are not affected.
    """
    enrollments, positions, refused = rules.read_enrollments(rows)
    present = await store.present_learners(work.connection, {one.learner_id for one in enrollments})
    distinct: dict[UUID, Enrollment] = {}
    for position, enrollment in zip(positions, enrollments, strict=True):
        if enrollment.learner_id in present:
            distinct.setdefault(enrollment.event_id, enrollment)
        else:
            fault = Fault("/learner_id", f"expected a registered learner, found {enrollment.learner_id!r}")
            refused.append(Refused(position, enrollment.learner_id, (fault,)))
    new = await store.keep_enrollments(work.connection, list(distinct.values())) if distinct else set[UUID]()
    for enrollment in distinct.values():
        if enrollment.event_id in new:
            work.tell(_word_on(enrollment))
    refused.sort(key=lambda one: one.position)
    return Recorded(len(new), len(rows) - len(refused) - len(new), tuple(refused))


def _registered(learner: Learner, at: datetime) -> Outgoing:
    content = LearnerRegistered(
        learner_id=learner.learner_id, name=learner.name, email=learner.email, shows_name=learner.shows_name,
        registered_at=learner.registered_at,
    )  # fmt: skip
    value = content.model_dump_json(exclude_none=True).encode()
    return _about_learner(learner.learner_id, "registered", at, value)


def _about_learner(learner_id: str, what: str, at: datetime, value: bytes | None) -> Outgoing:
    return Outgoing(
        topic=LearnerRegistered.TOPIC,
        key=learner_id,
        event_id=uuid5(rules.NAMESPACE, f"{what}|{learner_id}|{at.isoformat()}"),
        type=LearnerRegistered.TYPE,
        source=SOURCE,
        subject=learner_id,
        time=at,
        value=value,
    )


def _word_on(enrollment: Enrollment) -> Outgoing:
    contract = Enrolled if enrollment.status == "enrolled" else Withdrawn
    content = contract(learner_id=enrollment.learner_id, offer_id=enrollment.offer_id)
    return Outgoing(
        topic=contract.TOPIC,
        key=enrollment.learner_id,
        event_id=enrollment.event_id,
        type=contract.TYPE,
        source=SOURCE,
        subject=enrollment.offer_id,
        time=enrollment.occurred_at,
        value=content.model_dump_json().encode(),
    )

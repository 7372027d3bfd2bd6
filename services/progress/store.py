"""The named queries of progress, one function each: rows to values and back, no decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.postgres.queries import load_queries
from services.progress.model import FORMS, Badge, Enrollment, KeptEvent, LearnerEvent, LearningEvent, Milestone

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

SQL = load_queries(Path(__file__).parent / "sql" / "progress.sql")


async def known_learners(connection: Connection, learner_ids: Collection[str]) -> set[str]:
    """Which of the learners are known."""
    rows = await connection.fetch(SQL["known_learners"], list(learner_ids))
    return {row["learner_id"] for row in rows}


async def mapped_objects(connection: Connection, object_ids: Collection[str]) -> set[tuple[str, str]]:
    """The (kind, object id) that published achievements mention, out of these object ids."""
    rows = await connection.fetch(SQL["mapped_objects"], list(object_ids))
    return {(row["kind"], row["object_id"]) for row in rows}


async def share_learner_lock(connection: Connection) -> None:
    """Keep learners from becoming known until this transaction ends, so that what it parks is not missed."""
    await connection.execute(SQL["share_learner_lock"])


async def take_learner_lock(connection: Connection) -> None:
    """Wait for those who park events, and keep others from parking until this transaction ends."""
    await connection.execute(SQL["take_learner_lock"])


async def keep_events(connection: Connection, events: Sequence[LearningEvent], unmapped: Sequence[bool]) -> set[UUID]:
    """Keep those of the events (each id once) that are not kept yet, in order; return their ids."""
    rows = await connection.fetch(
        SQL["keep_events"],
        [event.event_id for event in events],
        [event.type for event in events],
        [event.learner_id for event in events],
        [event.object_id for event in events],
        [event.occurred_at for event in events],
        [event.sender for event in events],
        [event.source for event in events],
        [event.source_id for event in events],
        [event.traceparent for event in events],
        unmapped,
        [event.body for event in events],
    )
    return {row["event_id"] for row in rows}


async def differing_events(connection: Connection, events: Sequence[tuple[int, LearningEvent]]) -> set[int]:
    """The positions of those events that are kept with another type, time or body."""
    rows = await connection.fetch(
        SQL["differing_events"],
        [position for position, _ in events],
        [event.event_id for _, event in events],
        [event.type for _, event in events],
        [event.occurred_at for _, event in events],
        [event.body for _, event in events],
    )
    return {row["position"] for row in rows}


async def park_events(connection: Connection, events: Sequence[LearningEvent]) -> None:
    """Let the (kept) events wait for their learners."""
    await connection.execute(
        SQL["park_events"], [event.event_id for event in events], [event.learner_id for event in events]
    )


async def release_parked_events(connection: Connection, learner_ids: Collection[str]) -> list[LearningEvent]:
    """The events that waited for these learners, in order of arrival. They do not wait any more."""
    rows = await connection.fetch(SQL["release_parked_events"], list(learner_ids))
    return [LearningEvent(**dict(row)) for row in rows]


async def learn_learners(connection: Connection, learner_ids: Collection[str]) -> set[str]:
    """Make the learners known; return those that were not."""
    rows = await connection.fetch(SQL["learn_learners"], list(learner_ids))
    return {row["learner_id"] for row in rows}


async def forget_learners(connection: Connection, learner_ids: Collection[str]) -> None:
    """Delete the learners and everything that is kept about them."""
    for name in ("forget_learners", "forget_events", "forget_enrollments", "forget_badges", "forget_milestones"):
        await connection.execute(SQL[name], list(learner_ids))


async def map_objects(connection: Connection, objects: Collection[tuple[str, str]]) -> None:
    """Note that published achievements mention these (kind, object id)."""
    await connection.execute(SQL["map_objects"], [kind for kind, _ in objects], [object_id for _, object_id in objects])


async def keep_enrollments(connection: Connection, enrollments: Sequence[tuple[str, str, str, datetime, UUID]]) -> None:
    """Keep (learner id, offer id, status, occurred at, event id), each learner and offer once, where newer."""
    await connection.execute(SQL["keep_enrollments"], *_columns(enrollments, 5))


async def keep_badges(
    connection: Connection, badges: Sequence[tuple[UUID, str, str | None, str, datetime, UUID]]
) -> None:
    """Keep (badge id, learner id, achievement id, status, status at, event id), each badge once, where newer."""
    await connection.execute(SQL["keep_badges"], *_columns(badges, 6))


async def keep_milestones(
    connection: Connection, milestones: Sequence[tuple[str, str, int, str, str, datetime]]
) -> None:
    """Keep (learner id, achievement id, version, step id, name, reached at); what is known stays as it is."""
    await connection.execute(SQL["keep_milestones"], *_columns(milestones, 6))


async def milestones_of_learner(connection: Connection, learner_id: str) -> list[Milestone]:
    """The learner's milestones, as awarding told them, in order of time."""
    return [Milestone(**dict(row)) for row in await connection.fetch(SQL["milestones_of_learner"], learner_id)]


async def keep_ends(connection: Connection, ends: Sequence[tuple[UUID, str, datetime, UUID]]) -> None:
    """Keep (badge id, learner id, expired at, event id), each badge once."""
    await connection.execute(SQL["keep_ends"], *_columns(ends, 4))


async def parked_events(connection: Connection, *, after: int, limit: int) -> list[KeptEvent]:
    """The events that wait for their learner, in order of arrival, from the one behind `after`."""
    return [KeptEvent(**dict(row)) for row in await connection.fetch(SQL["parked_events"], after, limit)]


async def unmapped_events(connection: Connection, *, after: int, limit: int) -> list[KeptEvent]:
    """The events whose object no published achievement mentions, in order of arrival."""
    types, kinds = list(FORMS), [form.kind for form in FORMS.values()]
    rows = await connection.fetch(SQL["unmapped_events"], after, limit, types, kinds)
    return [KeptEvent(**dict(row)) for row in rows]


async def events_of_learner(connection: Connection, learner_id: str, *, limit: int) -> list[LearnerEvent]:
    """The learner's events that came last, at most `limit`, newest arrival first."""
    rows = await connection.fetch(SQL["events_of_learner"], learner_id, limit)
    return [
        LearnerEvent(
            row["event_id"], row["type"], row["object_id"], row["occurred_at"], row["parked"],
            FORMS[row["type"]].contract.model_validate_json(row["body"]),
        )
        for row in rows
    ]  # fmt: skip


async def enrollments_of_learner(connection: Connection, learner_id: str) -> list[Enrollment]:
    """Where the learner stands in each offer."""
    return [Enrollment(**dict(row)) for row in await connection.fetch(SQL["enrollments_of_learner"], learner_id)]


async def badges_of_learner(connection: Connection, learner_id: str) -> list[Badge]:
    """The learner's badges, as awarding told them."""
    return [Badge(**dict(row)) for row in await connection.fetch(SQL["badges_of_learner"], learner_id)]


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[column] for row in rows] for column in range(width)]

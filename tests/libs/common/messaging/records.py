"""What the tests of delivery hear and handle: a tally of completed activities, which shows any loss or doubling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from libs.common.contracts.envelope import Envelope, headers_of
from libs.common.contracts.progress import ActivityCompleted
from libs.common.messaging.delivery import Received
from libs.common.messaging.replay import StoredRecord
from libs.common.messaging.work import Outgoing, Work

TOPIC = "activity-completed"
TOLD = "told"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# No key and no unique column: nothing here hides a doubled effect.
TALLY = """
create table tally (
    number bigint generated always as identity, event_id uuid, learner_id text, activity_id text,
    record_offset bigint
);
create table learner (id text primary key);
"""


def record(
    offset: int,
    activity_id: str = "a1",
    *,
    learner_id: str = "ada",
    event_id: str | None = None,
    topic: str = TOPIC,
    partition: int = 0,
    type_: str = ActivityCompleted.TYPE,
    value: bytes | None = b"made",
    headers: Sequence[tuple[str, bytes | None]] | None = None,
    more_headers: Sequence[tuple[str, bytes | None]] = (),
    key: bytes | None = b"made",
) -> StoredRecord:
    """One record; by default a completed activity of a learner, keyed by the learner."""
    envelope = Envelope(event_id or str(uuid4()), "/tests", type_, NOON, learner_id, None, TRACEPARENT)
    made = ActivityCompleted(learner_id=learner_id, activity_id=activity_id).model_dump_json().encode()
    return StoredRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=int(NOON.timestamp() * 1000),
        key=learner_id.encode() if key == b"made" else key,
        value=made if value == b"made" else value,
        headers=tuple(headers if headers is not None else [*headers_of(envelope), *more_headers]),
    )


def told_id(event_id: UUID) -> UUID:
    """The id of what is told of an event: derived, so that a replay tells the same."""
    return uuid5(NAMESPACE_URL, f"told {event_id}")


async def tally(work: Work, received: Sequence[Received[ActivityCompleted]]) -> None:
    """Note each event and tell of it; activities called `poison…` make the whole call fail."""
    for one in received:
        if one.content is not None and one.content.activity_id.startswith("poison"):
            raise ValueError(f"cannot handle {one.content.activity_id}")
    await work.connection.executemany(
        "insert into tally (event_id, learner_id, activity_id, record_offset) values ($1, $2, $3, $4)",
        [
            (
                one.event_id, one.event.key, one.content.activity_id if one.content else "tombstone", one.offset,
            )
            for one in received
        ],
    )  # fmt: skip
    for one in received:
        work.tell(
            Outgoing(
                TOLD, one.event.key, told_id(one.event_id), ActivityCompleted.TYPE, "/tests", None, NOON,
                str(one.event_id).encode(), one.event.traceparent,
            )
        )  # fmt: skip

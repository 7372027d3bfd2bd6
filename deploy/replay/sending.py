"""Sending a cohort through the public doors, in batches, several at a time."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

import httpx

from deploy.doors import Doors
from deploy.replay.cohort import Body, Cohort

CLOUDEVENTS_BATCH = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True)
class Disorder:
    """How a replay departs from the files' order: rows shuffled by `shuffle_seed`, a share of them sent twice."""

    shuffle_seed: int | None = None
    duplicates: float = 0.0

    def applied(self, rows: Iterable[Body]) -> Iterator[Body]:
        """The rows, each at least once; a row that comes twice does so later, among others."""
        draw = random.Random(0 if self.shuffle_seed is None else self.shuffle_seed)  # noqa: S311 - not a secret
        if self.shuffle_seed is not None:
            shuffled = list(rows)
            draw.shuffle(shuffled)
            rows = shuffled
        if not self.duplicates:
            yield from rows
            return
        again: list[Body] = []
        for row in rows:
            yield row
            if draw.random() < self.duplicates:
                again.append(row)
            if again and draw.random() < self.duplicates:
                yield again.pop(draw.randrange(len(again)))
        yield from again


@dataclass(slots=True)
class Sent:
    """What the doors said so far, in rows."""

    learners: int = 0
    enrollments: int = 0
    events: int = 0
    duplicates: int = 0
    parked: int = 0
    unmapped: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to send: rows in one request, requests in flight."""

    batch: int = 1000
    concurrency: int = 3


async def publish(doors: Doors, cohort: Cohort) -> None:
    """Publish the issuer and the achievements, in their order."""
    await doors.put("enrollment", f"/issuers/{cohort.issuer_id}", cohort.issuer)
    for achievement in cohort.achievements:
        await doors.put("enrollment", f"/achievements/{achievement.achievement_id}", achievement.body)


async def send_learners(doors: Doors, cohort: Cohort, pace: Pace, disorder: Disorder, sent: Sent) -> None:
    """Register the cohort's learners."""

    async def post(rows: list[Body]) -> None:
        answer = await doors.post("enrollment", "/learners", {"learners": rows})
        _note_refusals(sent, answer)
        sent.learners += len(rows)

    await _send_batches(disorder.applied(cohort.learners()), pace, post)


async def send_enrollments(doors: Doors, cohort: Cohort, pace: Pace, disorder: Disorder, sent: Sent) -> None:
    """Send the cohort's enrolments and withdrawals."""

    async def post(rows: list[Body]) -> None:
        answer = await doors.post("enrollment", "/enrollments", {"enrollments": rows})
        _note_refusals(sent, answer)
        sent.enrollments += len(rows)

    await _send_batches(disorder.applied(cohort.enrollments()), pace, post)


async def send_events(doors: Doors, cohort: Cohort, pace: Pace, disorder: Disorder, sent: Sent) -> None:
    """Send the cohort's learning events."""

    async def post(rows: list[Body]) -> None:
        answer = await doors.post("progress", "/events", rows, CLOUDEVENTS_BATCH)
        counts = answer.json()
        sent.duplicates += counts.get("duplicates", 0)
        sent.parked += counts.get("parked", 0)
        sent.unmapped += counts.get("unmapped", 0)
        _note_refusals(sent, answer)
        sent.events += len(rows)

    await _send_batches(disorder.applied(cohort.events()), pace, post)


def _note_refusals(sent: Sent, answer: httpx.Response) -> None:
    sent.refused += [str(refusal) for refusal in answer.json().get("refused", ())]


async def _send_batches(rows: Iterator[Body], pace: Pace, post: Callable[[list[Body]], Awaitable[None]]) -> None:
    """Each of `concurrency` senders takes the next batch when its last one is answered."""

    async def sender() -> None:
        while batch := list(itertools.islice(rows, pace.batch)):
            await post(batch)

    try:
        async with asyncio.TaskGroup() as senders:
            for _ in range(pace.concurrency):
                senders.create_task(sender())
    except ExceptionGroup as faults:
        # The senders meet the same fault at about the same time: the first one says it.
        raise faults.exceptions[0] from None

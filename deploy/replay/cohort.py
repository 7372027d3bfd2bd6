"""What can be replayed: a catalogue to publish, learners, enrolments, and what they did, all as door bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Achievement:
    """An achievement to publish: `body` is what `PUT /achievements/{achievement_id}` takes.

    `label` is its name in the table of results.
    """

    achievement_id: str
    label: str
    body: Body


@dataclass(frozen=True, slots=True)
class Cohort:
    """One replay. `issuer` is the body of `PUT /issuers/{issuer_id}`; `achievements` stand in publishing order.

    `learners`, `enrollments` and `events` each start a fresh walk over the rows: bodies of `POST /learners` and
    `POST /enrollments`, and CloudEvents as `POST /events` takes them. The `…_count` say how many there will be.
    """

    name: str
    issuer_id: str
    issuer: Body
    achievements: tuple[Achievement, ...]
    learners: Callable[[], Iterator[Body]]
    enrollments: Callable[[], Iterator[Body]]
    events: Callable[[], Iterator[Body]]
    learner_count: int
    enrollment_count: int
    event_count: int

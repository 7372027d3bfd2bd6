"""The topics: their names, owners and shapes. Partition counts of keyed topics are fixed for life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SERVICES: Final = ("enrollment", "progress", "awarding", "verification")


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic. `owner` is the only service that tells on it (`outside` for `learning-events`)."""

    name: str
    owner: str
    compacted: bool = False
    partitions: int = 6


CATALOGUE: Final = "catalogue"
LEARNERS: Final = "learners"
ENROLLED: Final = "enrolled"
LEARNING_EVENTS: Final = "learning-events"
ACTIVITY_COMPLETED: Final = "activity-completed"
ASSESSMENT_SCORED: Final = "assessment-scored"
BADGE_ISSUED: Final = "badge-issued"
REHEARSALS: Final = "rehearsals"
PUSHED_BADGES: Final = "pushed-badges"
SHARING: Final = "sharing"
# What may name a person, or says what one wants: kept out of reasons and dead letters, and erased by a tombstone (B7).
PRIVATE: Final = frozenset({LEARNERS, PUSHED_BADGES, SHARING})
# What a rebuild beside tables that serve reads only as far as these have handled it: a tombstone beyond has yet to take
# from the tables that go along what they keep of its learner.
READ_AS_HANDLED: Final = frozenset({LEARNERS, PUSHED_BADGES})


def dead_letters(service: str) -> str:
    """The name of the topic on which `service` tells the messages that it could not use."""
    return f"dead-letters.{service}"


TOPICS: Final[tuple[Topic, ...]] = (
    Topic(CATALOGUE, "enrollment", compacted=True, partitions=1),
    Topic(LEARNERS, "enrollment", compacted=True),
    Topic(ENROLLED, "enrollment"),
    Topic(LEARNING_EVENTS, "outside"),
    Topic(ACTIVITY_COMPLETED, "progress"),
    Topic(ASSESSMENT_SCORED, "progress"),
    Topic(BADGE_ISSUED, "awarding"),
    Topic(REHEARSALS, "awarding", partitions=1),
    Topic(PUSHED_BADGES, "verification", compacted=True),
    Topic(SHARING, "verification", compacted=True),
    *(Topic(dead_letters(service), service, partitions=1) for service in SERVICES),
)

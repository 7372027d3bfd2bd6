"""What becomes of the events of a batch: new or repeated, told or parked, mapped or not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from services.progress.model import FORMS, Classified, LearningEvent


def first_of_each(events: Sequence[LearningEvent]) -> list[int]:
    """The positions at which each event id stands for the first time."""
    first: dict[UUID, int] = {}
    for position, event in enumerate(events):
        first.setdefault(event.event_id, position)
    return list(first.values())


def is_unmapped(event: LearningEvent, mapped: Collection[tuple[str, str]]) -> bool:
    """Whether no published achievement mentions the event's object; `mapped` holds (kind, object id)."""
    return (FORMS[event.type].kind, event.object_id) not in mapped


def classify(
    events: Sequence[LearningEvent],
    *,
    new: Sequence[int],
    differing: Collection[int],
    known: Collection[str],
    mapped: Collection[tuple[str, str]],
) -> Classified:
    """Say what becomes of each event.

    `new` are the positions of the events that were not kept before, rising; `differing` those of events kept
    with another body; `known` the learners known, `mapped` the (kind, object id) that achievements mention.
    """
    is_new = set(new)
    return Classified(
        told=tuple(position for position in new if events[position].learner_id in known),
        parked=tuple(position for position in new if events[position].learner_id not in known),
        duplicates=tuple(p for p in range(len(events)) if p not in is_new and p not in differing)
        if len(new) < len(events)
        else (),
        conflicts=tuple(sorted(differing)),
        unmapped=sum(is_unmapped(events[position], mapped) for position in new),
    )

"""What a learner has done so far, from the set of the events, in whatever order they came."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from libs.common.contracts import (
    ActivityCompleted,
    AssessmentScored,
    CompletionRetracted,
    EvidenceVerified,
    EvidenceWithdrawn,
    ScoreVoided,
)
from libs.common.contracts.progress import Score
from services.progress.model import LearnerEvent

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def newest_of_each(told: Iterable[T], *, key: Callable[[T], K], order: Callable[[T], Any]) -> list[T]:
    """Of all that was told about the same `key`, what is greatest by `order`."""
    newest: dict[K, T] = {}
    for one in told:
        place = key(one)
        if place not in newest or order(one) > order(newest[place]):
            newest[place] = one
    return list(newest.values())


def summarise(events: Sequence[LearnerEvent]) -> dict[str, Any]:
    """A learner's activities, assessments and evidence, each with what counts now.

    An event that another retracted, voided or withdrew does not count; the latest is the greatest by
    (occurred_at, event id), so that the answer depends on the set of events alone.
    """
    taken_back = (CompletionRetracted, ScoreVoided, EvidenceWithdrawn)
    gone = {e.fact.supersedes for e in events if isinstance(e.fact, taken_back)}
    counting = sorted((e for e in events if e.event_id not in gone), key=lambda e: (e.occurred_at, e.event_id))
    return {
        "activities": _activities(counting),
        "assessments": _assessments(counting),
        "evidence": _evidence(counting),
        "parked": sum(event.parked for event in events),
    }


def _activities(events: Sequence[LearnerEvent]) -> list[dict[str, Any]]:
    first: dict[str, LearnerEvent] = {}
    for event in events:
        if isinstance(event.fact, ActivityCompleted):
            first.setdefault(event.object_id, event)
    return [{"activity_id": object_id, "completed_at": event.occurred_at} for object_id, event in sorted(first.items())]


def _assessments(events: Sequence[LearnerEvent]) -> list[dict[str, Any]]:
    attempts: dict[str, list[tuple[LearnerEvent, Score]]] = {}
    for event in events:
        if isinstance(event.fact, AssessmentScored):
            attempts.setdefault(event.object_id, []).append((event, event.fact.score))
    return [
        {
            "assessment_id": object_id,
            "attempts": len(scored),
            "best": _shown(max((score for _, score in scored), key=ratio)),
            "latest": _shown(scored[-1][1]),
            "latest_at": scored[-1][0].occurred_at,
        }
        for object_id, scored in sorted(attempts.items())
    ]


def _evidence(events: Sequence[LearnerEvent]) -> list[dict[str, Any]]:
    latest = {event.object_id: event for event in events if isinstance(event.fact, EvidenceVerified)}
    return [
        {"component_id": object_id, "verified_at": event.occurred_at} for object_id, event in sorted(latest.items())
    ]


def ratio(score: Score) -> Decimal:
    """A score on a scale whose full marks are 1, to order scores by; extra credit is above 1."""
    if score.scaled is not None:
        return score.scaled
    assert score.raw is not None  # the contract sees to it
    assert score.max is not None
    return (score.raw - score.min) / (score.max - score.min)


def _shown(score: Score) -> dict[str, str]:
    if score.scaled is not None:
        return {"scaled": str(score.scaled)}
    return {"raw": str(score.raw), "min": str(score.min), "max": str(score.max)}

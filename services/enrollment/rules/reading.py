"""Reading what callers give: from parsed JSON to values, or to the places at which it is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from uuid import UUID, uuid5

from pydantic import BaseModel, ValidationError

from libs.common.contracts import AchievementPublished, IssuerPublished
from services.enrollment.model import Enrollment, EnrollmentGiven, Fault, LearnerGiven, Refused

M = TypeVar("M", bound=BaseModel)

# uuid5(NAMESPACE_URL, "cairn:enrollment"); a part of every id, so it never changes.
NAMESPACE = UUID("30e7abf6-ae50-5ae2-b55b-50c62a909e51")
MOST_FAULTS = 20


def read_learners(rows: Sequence[object]) -> tuple[list[LearnerGiven], list[Refused]]:
    """The learners of a batch, each once (the last word counts), and the rows that are none."""
    learners: dict[str, LearnerGiven] = {}
    refused: list[Refused] = []
    for position, row in enumerate(rows):
        learner = _read_row(LearnerGiven, position, row)
        if isinstance(learner, Refused):
            refused.append(learner)
        else:
            learners[learner.learner_id] = learner
    return list(learners.values()), refused


def read_enrollments(rows: Sequence[object]) -> tuple[list[Enrollment], list[int], list[Refused]]:
    """The enrolments of a batch, their positions, and the rows that are none."""
    enrollments: list[Enrollment] = []
    positions: list[int] = []
    refused: list[Refused] = []
    for position, row in enumerate(rows):
        given = _read_row(EnrollmentGiven, position, row)
        if isinstance(given, Refused):
            refused.append(given)
            continue
        occurred_at = _in_utc(given.occurred_at)
        if occurred_at is None:
            fault = Fault("/occurred_at", "expected a time in the years 1 to 9999 in UTC")
            refused.append(Refused(position, given.learner_id, (fault,)))
            continue
        positions.append(position)
        event_id = enrollment_id(given.learner_id, given.offer_id, given.status, occurred_at)
        enrollments.append(Enrollment(event_id, given.learner_id, given.offer_id, given.status, occurred_at))
    return enrollments, positions, refused


def enrollment_id(learner_id: str, offer_id: str, status: str, occurred_at: datetime) -> UUID:
    """The id of one word on an enrolment, equal for each repetition; `occurred_at` in UTC."""
    return uuid5(NAMESPACE, f"{learner_id}|{offer_id}|{status}|{occurred_at.isoformat()}")


def read_issuer(issuer_id: str, document: Mapping[str, Any]) -> IssuerPublished | tuple[Fault, ...]:
    """An issuer from the body of its publication; the path of the request says its id."""
    return _faults_of_id("issuer_id", issuer_id, document) or _read(
        IssuerPublished, {**document, "issuer_id": issuer_id}
    )


def read_achievement(
    achievement_id: str, document: Mapping[str, Any], *, next_version: int, published_at: datetime
) -> AchievementPublished | tuple[Fault, ...]:
    """An achievement from the body of its publication; `next_version` is its version where the body gives none."""
    given = {
        **document,
        "achievement_id": achievement_id,
        "version": next_version if document.get("version") is None else document["version"],
        "published_at": published_at,
    }
    return _faults_of_id("achievement_id", achievement_id, document) or _read(AchievementPublished, given)


def _faults_of_id(name: str, expected: str, document: Mapping[str, Any]) -> tuple[Fault, ...]:
    found = document.get(name, expected)
    return (
        () if found == expected else (Fault(f"/{name}", f"expected {expected!r}, as in the path, found {found!r:.80}"),)
    )


def _read_row(model: type[M], position: int, row: object) -> M | Refused:
    if not isinstance(row, dict):
        return Refused(position, None, (Fault("", f"expected a JSON object, found {type(row).__name__}"),))
    document = cast("dict[str, Any]", row)
    read = _read(model, document)
    if isinstance(read, tuple):
        learner_id = document.get("learner_id")
        return Refused(position, learner_id if isinstance(learner_id, str) else None, read)
    return read


def _read(model: type[M], document: Mapping[str, Any]) -> M | tuple[Fault, ...]:
    try:
        return model.model_validate(document)
    except ValidationError as fault:
        return tuple(faults_of(fault, document))


def faults_of(fault: ValidationError, document: object) -> Iterator[Fault]:
    """The faults that pydantic found in `document`, each with the JSON Pointer (RFC 6901) of its place."""
    errors = fault.errors(include_url=False, include_context=False)
    for error in errors[:MOST_FAULTS]:
        place = error["loc"]
        # A list whose parts are all wrong is also called too short, which it is not.
        if error["type"] == "too_short" and any(e["loc"][: len(place)] == place for e in errors if e is not error):
            continue
        found = "nothing" if error["type"] == "missing" else f"{error['input']!r:.80}"
        yield Fault(_pointer(place, document), f"{error['msg']}; found {found}")


def _pointer(location: Sequence[int | str], document: object) -> str:
    """A JSON Pointer: pydantic also names the branches of unions, which are no steps of the document."""
    pointer, place = "", document
    for index, step in enumerate(location):
        if isinstance(place, Mapping) and step in place:
            place = cast("Mapping[object, object]", place)[step]
        elif isinstance(place, list | tuple) and isinstance(step, int):
            place = cast("Sequence[object]", place)[step]
        elif index < len(location) - 1:
            continue
        pointer += "/" + str(step).replace("~", "~0").replace("/", "~1")
    return pointer


def _in_utc(time: datetime) -> datetime | None:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return None

"""A small cohort of made-up learners: some finish, some do not, one event is too early, one is of nothing known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.demo.catalogue import (
    CATALOGUE,
    CHARTS_PORTFOLIO,
    CHARTS_STUDIO,
    ETHICS_CASE,
    ETHICS_EXPERIENCE,
    ISSUER,
    ISSUER_ID,
    READING_LESSON,
    READING_QUIZ,
    WELCOME,
)
from deploy.replay.cohort import Body, Cohort

LEARNERS = 24
SOURCE = "urn:example:lms"
OFFER_ID = "data-literacy-2026"
# Nobody registers this learner: what is told of them waits, and can be seen to.
UNKNOWN_LEARNER_ID = "example-unknown"
UNMAPPED_ACTIVITY = "https://lms.example/activities/not-in-any-credential"
_FIRST_DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)

# What six learners did, over and over: scores in per cent (each attempt), and what an assessor verified.
_COURSES: tuple[dict[str, tuple[int, ...]], ...] = (
    {READING_LESSON: (), READING_QUIZ: (82,), CHARTS_STUDIO: (91,), CHARTS_PORTFOLIO: (), ETHICS_CASE: (74,)},
    {READING_LESSON: (), READING_QUIZ: (48, 66), CHARTS_STUDIO: (55,), ETHICS_EXPERIENCE: ()},
    {READING_LESSON: (), READING_QUIZ: (59,), CHARTS_STUDIO: (78,)},
    {READING_LESSON: (), READING_QUIZ: (60,), ETHICS_CASE: (49,)},
    {READING_QUIZ: (95,), ETHICS_CASE: (50,)},
    {},
)
_ACTIVITIES = frozenset({WELCOME, READING_LESSON, UNMAPPED_ACTIVITY})


def learner_id(number: int) -> str:
    """The id of the `number`th example learner, from 1."""
    return f"example-{number:02}"


def example_cohort() -> Cohort:
    """The example learners and all that they did."""
    return Cohort(
        name="example learners",
        issuer_id=ISSUER_ID,
        issuer=ISSUER,
        achievements=CATALOGUE,
        learners=_learners,
        enrollments=_enrollments,
        events=_events,
        learner_count=LEARNERS,
        enrollment_count=sum(1 for _ in _enrollments()),
        event_count=sum(1 for _ in _events()),
    )


def _learners() -> Iterator[Body]:
    for number in range(1, LEARNERS + 1):
        yield {"learner_id": learner_id(number), "name": f"Example learner {number:02}"}


def _enrollments() -> Iterator[Body]:
    for number in range(1, LEARNERS + 1):
        yield _enrollment(number, "enrolled", _FIRST_DAY - timedelta(days=number))
        if number % len(_COURSES) == 0:
            yield _enrollment(number, "withdrawn", _FIRST_DAY + timedelta(days=3))


def _enrollment(number: int, status: str, when: datetime) -> Body:
    return {
        "learner_id": learner_id(number),
        "offer_id": OFFER_ID,
        "occurred_at": when.isoformat(),
        "status": status,
    }


@dataclass(frozen=True, slots=True)
class _Deed:
    """What a learner did to an object on the `day`th day; `percent` where it was scored."""

    learner_id: str
    subject: str
    day: int
    percent: int | None = None


def _events() -> Iterator[Body]:
    for number in range(1, LEARNERS + 1):
        for deed in _deeds(learner_id(number), _COURSES[(number - 1) % len(_COURSES)]):
            yield _event(deed)
    yield _event(_Deed(UNKNOWN_LEARNER_ID, WELCOME, 1))
    yield _event(_Deed(learner_id(1), UNMAPPED_ACTIVITY, 2))


def _deeds(learner: str, course: dict[str, tuple[int, ...]]) -> Iterator[_Deed]:
    yield _Deed(learner, WELCOME, 1)
    for day, (subject, percents) in enumerate(course.items(), 2):
        if not percents:
            yield _Deed(learner, subject, 7 * day)
        for attempt, percent in enumerate(percents):
            yield _Deed(learner, subject, 7 * day + attempt, percent)


def _event(deed: _Deed) -> Body:
    event_type, content = _content(deed)
    return {
        "specversion": "1.0",
        "id": f"{deed.learner_id}:{deed.subject.rpartition('.example/')[2]}:{deed.day}",
        "source": SOURCE,
        "type": event_type,
        "subject": deed.learner_id,
        "time": (_FIRST_DAY + timedelta(days=deed.day)).isoformat(),
        "datacontenttype": "application/json",
        "data": {"learner_id": deed.learner_id, **content},
    }


def _content(deed: _Deed) -> tuple[str, Body]:
    if deed.percent is not None:
        score = {"raw": deed.percent, "max": 100}
        return "cairn.assessment-scored.v1", {"assessment_id": deed.subject, "score": score}
    if deed.subject in _ACTIVITIES:
        return "cairn.activity-completed.v1", {"activity_id": deed.subject}
    assessor = {"assessor": "Example assessor", "rubric_version": "2026-1"}
    return "cairn.evidence-verified.v1", {"component_id": deed.subject, **assessor}

"""The OULAD files as a cohort: registrations become enrolments, submissions become scores and completions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.replay.cohort import Body, Cohort
from deploy.replay.oulad_catalogue import ISSUER, ISSUER_ID, activity_name, assessment_name, build_catalogue
from deploy.replay.oulad_files import (
    Assessment,
    InputError,
    Registration,
    Submission,
    read_assessments,
    read_registrations,
    read_submissions,
)

SOURCE = "urn:oulad"


def read_oulad(directory: Path) -> Cohort:
    """The cohort in the CSV files of `directory`. Every row is checked here, before anything is sent.

    Raises `InputError` if a file is missing or a row is not what the data set's description promises.
    """
    if not directory.is_dir():
        raise InputError(f"{directory}: expected a folder with the OULAD files, found none")
    assessments = read_assessments(directory)
    learner_ids: dict[str, None] = {}
    enrollment_count = 0
    for registration in read_registrations(directory):
        learner_ids[registration.student_id] = None
        enrollment_count += 1 if registration.unregistered_day is None else 2
    event_count = sum(1 if submission.score is None else 2 for submission in read_submissions(directory, assessments))
    return Cohort(
        name="OULAD",
        issuer_id=ISSUER_ID,
        issuer=ISSUER,
        achievements=build_catalogue(assessments.values()),
        learners=lambda: ({"learner_id": learner_id} for learner_id in learner_ids),
        enrollments=lambda: _enrollments(directory),
        events=lambda: _events(directory, assessments),
        learner_count=len(learner_ids),
        enrollment_count=enrollment_count,
        event_count=event_count,
    )


def _enrollments(directory: Path) -> Iterator[Body]:
    for registration in read_registrations(directory):
        yield from _enrollment(registration)


def _enrollment(registration: Registration) -> Iterator[Body]:
    registered, unregistered = registration.registered_day, registration.unregistered_day
    if registered is None:
        # A few registrations have no date: the start of the course is the latest that makes sense.
        registered = 0 if unregistered is None else min(0, unregistered)
    for status, day in (("enrolled", registered), ("withdrawn", unregistered)):
        if day is not None:
            yield {
                "learner_id": registration.student_id,
                "offer_id": registration.presentation.offer_id,
                "occurred_at": registration.presentation.at(day),
                "status": status,
            }


def _events(directory: Path, assessments: Mapping[str, Assessment]) -> Iterator[Body]:
    for submission in read_submissions(directory, assessments):
        yield _completed(submission)
        if submission.score is not None:
            yield _scored(submission, submission.score)


def _completed(submission: Submission) -> Body:
    content = {"activity_id": activity_name(submission.assessment.assessment_id)}
    return _event(submission, "completed", "cairn.activity-completed.v1", content)


def _scored(submission: Submission, score: int) -> Body:
    content = {
        "assessment_id": assessment_name(submission.assessment.assessment_id),
        "score": {"raw": score, "max": 100},
    }
    return _event(submission, "scored", "cairn.assessment-scored.v1", content)


def _event(submission: Submission, what: str, event_type: str, content: Body) -> Body:
    return {
        "specversion": "1.0",
        # Ids come from the rows, so that a replay that is repeated sends the same events, not new ones.
        "id": f"oulad:{what}:{submission.assessment.assessment_id}:{submission.student_id}",
        "source": SOURCE,
        "type": event_type,
        "subject": submission.student_id,
        "time": submission.assessment.presentation.at(submission.day),
        "datacontenttype": "application/json",
        "data": {"learner_id": submission.student_id, **content},
    }

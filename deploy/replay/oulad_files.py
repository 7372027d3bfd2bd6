"""The CSV files of the Open University Learning Analytics data set, as they are (doi 10.1038/sdata.2017.171)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

# A dump of the data set writes a missing value as nothing or as a question mark.
_MISSING = frozenset({"", "?"})
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "assessments.csv": ("code_module", "code_presentation", "id_assessment", "assessment_type"),
    "studentRegistration.csv": (
        "code_module", "code_presentation", "id_student", "date_registration", "date_unregistration",
    ),
    "studentAssessment.csv": ("id_assessment", "id_student", "date_submitted", "score"),
}  # fmt: skip
_START_MONTHS = {"B": 2, "J": 10}


class InputError(Exception):
    """The data set cannot be used. The message is one line: the file, the line, what was expected and found."""


@dataclass(frozen=True, slots=True, order=True)
class Presentation:
    """One run of a module: `module` such as AAA, `code` such as 2013J (year, B for February or J for October)."""

    module: str
    code: str

    @property
    def offer_id(self) -> str:
        """How enrolments name it, such as AAA-2013J."""
        return f"{self.module}-{self.code}"

    def at(self, day: int) -> str:
        """Midnight UTC of the `day`th day after the start (before it, when negative), as RFC 3339 text."""
        return _midnight(int(self.code[:4]), _START_MONTHS[self.code[4]], day)


@cache
def _midnight(year: int, month: int, day: int) -> str:
    moment = datetime.combine(date(year, month, 1) + timedelta(days=day), time(), UTC)
    return moment.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Assessment:
    """One assessment of a presentation; an `is_exam` does not count towards the micro-credential."""

    assessment_id: str
    presentation: Presentation
    is_exam: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """A student's registration; days count from the presentation's start, None where none is recorded."""

    presentation: Presentation
    student_id: str
    registered_day: int | None
    unregistered_day: int | None


@dataclass(frozen=True, slots=True)
class Submission:
    """What a student handed in; `score` is out of 100, None where it was not scored."""

    assessment: Assessment
    student_id: str
    day: int
    score: int | None


def read_assessments(directory: Path) -> dict[str, Assessment]:
    """The assessments by id, in the order of the file."""
    found: dict[str, Assessment] = {}
    for place, (module, code, assessment_id, kind) in _rows(directory, "assessments.csv"):
        presentation = _presentation(place, module, code)
        if not assessment_id or assessment_id in found:
            raise InputError(f"{place}: id_assessment: expected an id of its own, found {assessment_id!r}")
        found[assessment_id] = Assessment(assessment_id, presentation, kind == "Exam")
    if not found:
        raise InputError(f"{directory / 'assessments.csv'}: expected at least one assessment, found none")
    return found


def read_registrations(directory: Path) -> Iterator[Registration]:
    """The registrations, in the order of the file."""
    for place, (module, code, student, registered, unregistered) in _rows(directory, "studentRegistration.csv"):
        yield Registration(
            _presentation(place, module, code),
            _student(place, student),
            _day(place, "date_registration", registered),
            _day(place, "date_unregistration", unregistered),
        )


def read_submissions(directory: Path, assessments: Mapping[str, Assessment]) -> Iterator[Submission]:
    """The submissions, in the order of the file; each must be of one of `assessments`."""
    for place, (assessment_id, student, submitted, score_text) in _rows(directory, "studentAssessment.csv"):
        assessment = assessments.get(assessment_id)
        if assessment is None:
            raise InputError(f"{place}: id_assessment: expected one of assessments.csv, found {assessment_id!r}")
        day = _day(place, "date_submitted", submitted)
        if day is None:
            raise InputError(f"{place}: date_submitted: expected a whole number of days, found nothing")
        yield Submission(assessment, _student(place, student), day, _score(place, score_text))


def _rows(directory: Path, name: str) -> Iterator[tuple[_Place, Sequence[str]]]:
    """The wanted columns of each row of a file, with the place to name when something is wrong with it."""
    path, columns = directory / name, _COLUMNS[name]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            missing = [column for column in columns if column not in header]
            if missing:
                raise InputError(
                    f"{path}:1: expected the column {missing[0]}, found {','.join(header)[:120] or 'nothing'}"
                )
            wanted = [header.index(column) for column in columns]
            for row in reader:
                place = _Place(path, reader)
                if len(row) != len(header):
                    raise InputError(f"{place}: expected {len(header)} columns, found {len(row)}")
                yield place, [row[index].strip() for index in wanted]
    except csv.Error as fault:
        raise InputError(f"{path}: expected CSV, found: {fault}") from fault
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: expected UTF-8 text, found: {fault.reason} at byte {fault.start}") from fault
    except OSError as fault:
        raise InputError(f"{path}: cannot be read: {fault.strerror}") from fault


@dataclass(frozen=True, slots=True)
class _Place:
    """A line of a file; the number is looked up only when it is shown."""

    path: Path
    reader: Any  # csv.reader has no public type

    def __str__(self) -> str:
        return f"{self.path}:{self.reader.line_num}"


def _presentation(place: _Place, module: str, code: str) -> Presentation:
    if not (len(code) == 5 and code[:4].isdecimal() and code[4] in _START_MONTHS and code > "1000"):
        raise InputError(f"{place}: code_presentation: expected a year with B or J, such as 2013J, found {code!r}")
    if not (module.isascii() and module.isalnum()):
        raise InputError(f"{place}: code_module: expected letters and digits, found {module!r}")
    return Presentation(module, code)


def _student(place: _Place, text: str) -> str:
    if not (text.isascii() and text.isalnum()):
        raise InputError(f"{place}: id_student: expected letters and digits, found {text!r}")
    return text


def _day(place: _Place, column: str, text: str) -> int | None:
    if text in _MISSING:
        return None
    try:
        day = int(text)
    except ValueError:
        day = None
    # Ten years: further than any course runs, near enough for a date to exist.
    if day is None or abs(day) > 3660:
        raise InputError(f"{place}: {column}: expected a whole number of days, found {text!r}")
    return day


def _score(place: _Place, text: str) -> int | None:
    if text in _MISSING:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) <= 100):
        raise InputError(f"{place}: score: expected a whole number from 0 to 100, found {text!r}")
    return int(text)

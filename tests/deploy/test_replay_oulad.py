"""The OULAD files as a cohort: what is read, what is refused, and which catalogue follows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from typer.testing import CliRunner

from deploy.cli import app
from deploy.replay.oulad import read_oulad
from deploy.replay.oulad_files import InputError
from deploy.replay.sending import Disorder
from libs.common.contracts import ActivityCompleted, AssessmentScored
from libs.common.contracts.envelope import Envelope, read_attributes
from libs.common.contracts.requirement import Requirement
from tests.deploy.oulad import REAL, REAL_TABLE, expected_badges, write_oulad


def test_every_row_becomes_what_it_says(tmp_path: Path) -> None:
    directory = write_oulad(tmp_path)
    cohort = read_oulad(directory)

    submissions = _lines(directory / "studentAssessment.csv")
    blank = sum(line.endswith('""') for line in submissions)
    kinds = Counter(event["type"] for event in cohort.events())
    assert kinds == {
        "cairn.activity-completed.v1": len(submissions),
        "cairn.assessment-scored.v1": len(submissions) - blank,
    }
    assert cohort.event_count == sum(kinds.values())
    registrations = _lines(directory / "studentRegistration.csv")
    stayed = sum(line.endswith('""') for line in registrations)
    statuses = Counter(enrollment["status"] for enrollment in cohort.enrollments())
    assert statuses == {"enrolled": len(registrations), "withdrawn": len(registrations) - stayed}
    assert cohort.enrollment_count == sum(statuses.values())
    assert sum(1 for _ in cohort.learners()) == cohort.learner_count == 60


def test_events_keep_the_contracts_and_have_ids_of_their_own(tmp_path: Path) -> None:
    events = list(read_oulad(write_oulad(tmp_path)).events())

    contracts = {contract.TYPE: contract for contract in (ActivityCompleted, AssessmentScored)}
    for event in events:
        assert isinstance(read_attributes(event, event["subject"]), Envelope)
        assert contracts[event["type"]].model_validate(event["data"]).learner_id == event["subject"]
    assert len({event["id"] for event in events}) == len(events)
    # A replay that is repeated sends the same events.
    assert events == list(read_oulad(tmp_path).events())


def test_days_count_from_february_or_october(tmp_path: Path) -> None:
    _write_minimal(tmp_path, registration="AAA,2013J,11,-5,10", submission="1,11,31,0,40")
    cohort = read_oulad(tmp_path)
    assert [(one["status"], one["occurred_at"]) for one in cohort.enrollments()] == [
        ("enrolled", "2013-09-26T00:00:00Z"),
        ("withdrawn", "2013-10-11T00:00:00Z"),
    ]
    completed, scored = cohort.events()
    assert completed["time"] == scored["time"] == "2013-11-01T00:00:00Z"
    assert completed["id"] == "oulad:completed:1:11"
    assert scored["id"] == "oulad:scored:1:11"
    assert scored["data"] == {
        "learner_id": "11",
        "assessment_id": "oulad:assessment:1",
        "score": {"raw": 40, "max": 100},
    }


def test_a_registration_without_a_date_is_before_its_withdrawal(tmp_path: Path) -> None:
    _write_minimal(tmp_path, registration="AAA,2014B,11,?,-3", assessment="AAA,2014B,1,TMA,,10")
    assert [one["occurred_at"] for one in read_oulad(tmp_path).enrollments()] == ["2014-01-29T00:00:00Z"] * 2


def test_the_catalogue_follows_the_files(tmp_path: Path) -> None:
    achievements = {a.label: a for a in read_oulad(write_oulad(tmp_path)).achievements}
    assert list(achievements) == list(expected_badges(tmp_path))
    for achievement in achievements.values():
        TypeAdapter[Any](Requirement).validate_python(achievement.body["requirement"])
    # Two presentations: either will do. Exams do not count.
    either = achievements["BBB"].body["requirement"]
    assert either["kind"] == "any"
    assert len(either["of"]) == 2
    named = {part["assessment_id"] for way in either["of"] for part in way["of"]}
    assert named
    assert not any(name.endswith("9") for name in named if len(name) == len("oulad:assessment:90009"))


@pytest.mark.parametrize(
    ("modules", "composites"),
    [
        (["AAA"], []),
        (["CCC", "DDD"], ["STEM foundations"]),
        (["AAA", "GGG"], ["Social sciences foundations"]),
        (["AAA", "CCC"], ["Breadth"]),
        (["AAA", "BBB", "EEE", "FFF"], ["STEM foundations", "Social sciences foundations", "Breadth"]),
        (["HHH", "CCC"], []),
    ],
)
def test_stacks_and_pathway_exist_only_over_what_is_there(
    tmp_path: Path, modules: list[str], composites: list[str]
) -> None:
    write_oulad(tmp_path, presentations=[(module, "2013J") for module in modules], learners=5)
    labels = [achievement.label for achievement in read_oulad(tmp_path).achievements]
    assert labels == sorted(modules) + composites
    assert labels == list(expected_badges(tmp_path))


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"submission": "1,11,5,0,101"}, "studentAssessment.csv:2: score: expected a whole number from 0 to 100"),
        ({"submission": "1,11,5,0,4.5"}, "score: expected a whole number"),
        ({"submission": "1,11,soon,0,45"}, "date_submitted: expected a whole number of days, found 'soon'"),
        ({"submission": "1,11,,0,45"}, "date_submitted: expected a whole number of days, found nothing"),
        ({"submission": "2,11,5,0,45"}, "id_assessment: expected one of assessments.csv, found '2'"),
        ({"submission": "1,1 1,5,0,45"}, "id_student: expected letters and digits"),
        ({"submission": "1,11,5,0"}, "studentAssessment.csv:2: expected 5 columns, found 4"),
        ({"submission": '1,11,5,0,"45'}, "expected CSV"),
        ({"submission": "1,11,99999,0,45"}, "date_submitted: expected a whole number of days"),
        ({"registration": "AAA,2013X,11,0,"}, "studentRegistration.csv:2: code_presentation"),
        ({"assessment": "A A,2013J,1,TMA,,10"}, "assessments.csv:2: code_module"),
        ({"assessment": "AAA,2013J,1,TMA,,10\nAAA,2013J,1,TMA,,10"}, "assessments.csv:3: id_assessment"),
        ({"assessment": ""}, "expected at least one assessment, found none"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, broken: dict[str, str], named: str) -> None:
    _write_minimal(tmp_path, **broken)
    with pytest.raises(InputError) as refused:
        read_oulad(tmp_path)
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    _write_minimal(tmp_path)
    (tmp_path / "assessments.csv").write_text("code_module,code_presentation,assessment_type\n")
    with pytest.raises(InputError, match=r"assessments\.csv:1: expected the column id_assessment, found code_module"):
        read_oulad(tmp_path)


@pytest.mark.parametrize("missing", ["assessments.csv", "studentRegistration.csv", "studentAssessment.csv"])
def test_a_missing_file_ends_the_command_with_one_line_and_its_own_code(tmp_path: Path, missing: str) -> None:
    write_oulad(tmp_path, learners=3)
    (tmp_path / missing).unlink()
    ended = CliRunner().invoke(app, ["replay", "oulad", str(tmp_path), "--state", str(tmp_path / "none"), "--json"])
    assert ended.exit_code == 3
    assert ended.stdout == ""
    assert missing in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["replay", "oulad", str(tmp_path / "nowhere")])
    assert ended.exit_code == 3
    assert "nowhere" in ended.stderr


@given(st.integers(0, 300), st.integers(0, 2**32), st.floats(0, 1))
def test_disorder_loses_nothing_and_repeats_only_what_it_may(count: int, seed: int, duplicates: float) -> None:
    rows = [{"row": number} for number in range(count)]
    sent = [row["row"] for row in Disorder(seed, duplicates).applied(rows)]
    times = Counter(sent)
    assert set(times) == set(range(count))
    assert all(1 <= n <= 2 for n in times.values())
    if duplicates == 1:
        assert len(sent) == 2 * count
    assert sent == [row["row"] for row in Disorder(seed, duplicates).applied(rows)]


def test_order_is_kept_unless_asked_otherwise() -> None:
    rows = [{"row": number} for number in range(100)]
    assert list(Disorder().applied(rows)) == rows
    assert list(Disorder(shuffle_seed=1).applied(rows)) != rows


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data set is not beside the repository")
def test_the_real_files() -> None:
    cohort = read_oulad(REAL)
    assert (cohort.learner_count, cohort.enrollment_count, cohort.event_count) == (
        19_720,
        21_333 + 6_333,
        121_738 + 121_607,
    )
    assert expected_badges(REAL) == REAL_TABLE
    assert [achievement.label for achievement in cohort.achievements] == list(REAL_TABLE)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


def _write_minimal(
    directory: Path,
    *,
    assessment: str = "AAA,2013J,1,TMA,,10",
    registration: str = "AAA,2013J,11,0,",
    submission: str = "1,11,5,0,45",
) -> None:
    for name, header, row in (
        ("assessments.csv", "code_module,code_presentation,id_assessment,assessment_type,date,weight", assessment),
        (
            "studentRegistration.csv",
            "code_module,code_presentation,id_student,date_registration,date_unregistration",
            registration,
        ),
        ("studentAssessment.csv", "id_assessment,id_student,date_submitted,is_banked,score", submission),
    ):
        (directory / name).write_text(f"{header}\n{row}\n" if row else f"{header}\n")

"""OULAD for tests: an independent count of the badges that must come out, and small made-up files of its shape."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

REAL = Path(__file__).parents[3] / "shared" / "data" / "oulad"
STEM = {"CCC", "DDD", "EEE", "FFF"}
SOCIAL_SCIENCES = {"AAA", "BBB", "GGG"}
# The table of the real files (three presentations), computed by nobody here.
REAL_TABLE = {
    "AAA": 273, "BBB": 1645, "CCC": 360, "DDD": 1113, "EEE": 919, "FFF": 2254, "GGG": 697,
    "STEM foundations": 150, "Social sciences foundations": 0, "Breadth": 2,
}  # fmt: skip


def expected_badges(directory: Path) -> dict[str, int]:
    """The badges that the files of `directory` must yield, by name: counted straight from the rows.

    It shares nothing with the product: no reader, no catalogue, no rule.
    """
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in _rows(directory / "assessments.csv"):
        if row["assessment_type"] != "Exam":
            wanted[row["code_module"], row["code_presentation"]].add(row["id_assessment"])
    passed: dict[str, set[str]] = defaultdict(set)
    for row in _rows(directory / "studentAssessment.csv"):
        if row["score"] not in ("", "?") and int(row["score"]) >= 40:
            passed[row["id_student"]].add(row["id_assessment"])
    registered = {row["id_student"] for row in _rows(directory / "studentRegistration.csv")}
    modules = {module for module, _ in wanted}
    held = {
        student: {module for (module, _), ids in wanted.items() if ids <= passed[student]} for student in registered
    }
    table = {module: sum(module in mine for mine in held.values()) for module in sorted(modules)}
    for name, group in (("STEM foundations", STEM), ("Social sciences foundations", SOCIAL_SCIENCES)):
        if len(group & modules) >= 2:
            table[name] = sum(len(mine & group) >= 2 for mine in held.values())
    if STEM & modules and SOCIAL_SCIENCES & modules:
        table["Breadth"] = sum(bool(mine & STEM) and bool(mine & SOCIAL_SCIENCES) for mine in held.values())
    return table


PRESENTATIONS = (("AAA", "2013J"), ("BBB", "2013B"), ("BBB", "2014B"), ("CCC", "2014B"), ("DDD", "2013J"))


def write_oulad(
    directory: Path,
    *,
    learners: int = 60,
    seed: int = 1,
    presentations: Sequence[tuple[str, str]] = PRESENTATIONS,
) -> Path:
    """Write files of OULAD's shape with made-up rows to `directory`, and return it.

    Each presentation has a few assessments and an exam; each learner takes one to three modules. Scores are
    often near the pass mark, some are blank, some learners withdraw, some hand in before they register.
    """  # fmt: skip
    draw = random.Random(seed)
    directory.mkdir(parents=True, exist_ok=True)
    assessments = {
        (module, code): [f"{9000 + 100 * number + part}" for part in range(draw.randint(2, 5))]
        for number, (module, code) in enumerate(presentations)
    }
    rows: list[list[object]] = []
    for (module, code), ids in assessments.items():
        rows += [[module, code, one, draw.choice(["TMA", "CMA"]), 30 * part, "10"] for part, one in enumerate(ids)]
        rows.append([module, code, ids[0] + "9", "Exam", "", "100"])
    _write(
        directory / "assessments.csv", "code_module code_presentation id_assessment assessment_type date weight", rows
    )
    registrations: list[list[object]] = []
    submissions: list[list[object]] = []
    for student in range(1, learners + 1):
        for module, code in draw.sample(presentations, draw.randint(1, min(3, len(presentations)))):
            withdrawn = draw.randint(10, 200) if draw.random() < 0.25 else ""
            registered = "" if draw.random() < 0.03 else draw.randint(-150, 30)
            registrations.append([module, code, f"77{student:04}", registered, withdrawn])
            submissions += _submissions(draw, assessments[module, code], f"77{student:04}")
    draw.shuffle(submissions)
    _write(
        directory / "studentRegistration.csv",
        "code_module code_presentation id_student date_registration date_unregistration",
        registrations,
    )
    _write(directory / "studentAssessment.csv", "id_assessment id_student date_submitted is_banked score", submissions)
    return directory


def _submissions(draw: random.Random, assessment_ids: list[str], student: str) -> list[list[object]]:
    diligence = draw.random()
    return [
        [one, student, draw.randint(-20, 240), int(draw.random() < 0.05), _score(draw)]
        for one in assessment_ids
        if draw.random() < 0.6 + 0.4 * diligence
    ]


def _score(draw: random.Random) -> object:
    return draw.choices([39, 40, 100, 0, "", draw.randint(41, 99), draw.randint(1, 38)], [2, 25, 10, 1, 1, 60, 3])[0]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, header: str, rows: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([header.split(), *rows])

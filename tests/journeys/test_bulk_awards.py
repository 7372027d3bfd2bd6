"""Awards to many at once, in a running system: by the command, and with the worker killed in the middle (B10, B2)."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from collections import Counter
from pathlib import Path

from deploy.commands.ending import Exit
from deploy.doors import Doors
from deploy.local.system import System
from deploy.replay.watching import settle
from libs.common.contracts import BadgeIssued
from tests.journeys.stage import records_of, rows, whole_system

LEARNERS = 1_500
KILL_AFTER = 300
ACHIEVEMENT = {
    "kind": "micro-credential",
    "issuer_id": "uni",
    "name": "A day of courses",
    "description": "Attended a day of courses.",
    "criteria": "Named on the list.",
    "requirement": {"kind": "activity", "activity_id": "day"},
}


async def test_the_command_awards_what_a_file_lists_and_a_kill_loses_and_doubles_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "system"
    async with whole_system(directory) as (system, doors):
        await doors.put("enrollment", "/issuers/uni", {"name": "A University", "url": "https://uni.example"})
        for name in ("day", "night"):
            await doors.put("enrollment", f"/achievements/{name}", ACHIEVEMENT)
        for first in range(0, LEARNERS, 500):
            learners = [{"learner_id": f"learner-{number}"} for number in range(first, first + 500)]
            await doors.post("enrollment", "/learners", {"learners": learners})
        await settle(doors, lambda _: None, patience_seconds=60)

        await _by_the_command(directory, tmp_path)
        await _with_a_kill(system, doors, directory, tmp_path)


async def _by_the_command(directory: Path, folder: Path) -> None:
    """A small file with a line that is refused; sent again, it is the same job and awards nothing twice."""
    file, report = folder / "small.csv", folder / "report.csv"
    file.write_text("learner_id,achievement_id\nlearner-1,day\nnobody,day\nlearner-2,day\n")
    code, _, told = await _bulk(directory, file, "--report", str(report))
    assert (code, "2 awarded, 1 refused" in told) == (Exit.REFUSED, True), told
    lines = _read(report.read_text())
    assert [line["state"] for line in lines] == ["done", "refused", "done"]
    assert "expected a known learner" in lines[1]["refusal"]
    code, out, _ = await _bulk(directory, file)
    assert code == Exit.REFUSED
    assert _read(out) == lines


async def _with_a_kill(system: System, doors: Doors, directory: Path, folder: Path) -> None:
    """SIGKILL of the real worker once some awards are committed and others are not."""
    file, report = folder / "large.csv", folder / "large-report.csv"
    learners = [f"learner-{number}" for number in range(LEARNERS)]
    file.write_text("learner_id,achievement_id\n" + "".join(f"{name},night\n" for name in learners))
    sent = asyncio.create_task(_bulk(directory, file, "--report", str(report)))
    done = 0
    async with asyncio.timeout(60):
        while done < KILL_AFTER:
            [row] = await rows(system, "awarding", "select count(*) as done from badge where achievement_id = 'night'")
            done = row["done"]
            await asyncio.sleep(0.01)
    system.kill("awarding-worker")
    print(f"killed after {done} of {LEARNERS} awards")
    code, _, told = await asyncio.wait_for(sent, 120)
    assert (code, f"{LEARNERS} awarded, 0 refused" in told) == (0, True), told
    await settle(doors, lambda _: None, patience_seconds=60)

    query = "select learner_id, badge_id from badge where achievement_id = 'night'"
    kept = Counter(row["learner_id"] for row in await rows(system, "awarding", query))
    served = {row["badge_id"] for row in await rows(system, "verification", query)}
    times = Counter(
        record.key.decode()
        for record in await records_of(system, "badge-issued")
        if dict(record.headers)["ce_type"] == BadgeIssued.TYPE.encode()
    )
    assert kept == Counter(learners)
    assert {str(badge_id) for badge_id in served} <= times.keys()
    assert (len(served), set(times.values())) == (LEARNERS, {1})
    reported = {line["badge_id"] for line in _read(report.read_text())}
    assert reported == {str(badge_id) for badge_id in served}


def _read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


async def _bulk(directory: Path, file: Path, *words: str) -> tuple[int | None, str, str]:
    """Run `cairn awards bulk`: its exit code, and what it wrote to standard output and error."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("cairn")), "awards", "bulk", str(file), "--state", str(directory),
        "--reason", "Attended.", "--evidence", "The list of the day.", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()

"""Awards to many at once: each line once, reported, going on after a crash, and taken back in one action (B10, B3)."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.messaging.work import begin
from services.awarding import api, handlers
from services.awarding.rules.bulk import MOST_LINES, read_lines
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import ISSUER, Service, achievement, badge, completed, done, published, registered
from tests.services.awarding.test_acts import carried_out
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

LEARNERS = tuple(f"l{number:03}" for number in range(40))
WHY = {"reason": "Graduation day.", "evidence": "List of the board"}
FILE = "learner_id,achievement_id\r\n" + "".join(f"{name},a\r\n" for name in LEARNERS)


@pytest.fixture
async def doors(service: Service, database_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app, who may change badges."""
    mint = TokenMint(tmp_path)
    await service.hear(*published(ISSUER, achievement("a", done("x"))), *registered(*LEARNERS))
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers.update(mint.headers("badges.write"))
        yield client


async def sent(doors: httpx.AsyncClient, text: str) -> dict[str, Any]:
    """A file, as it was accepted."""
    answer = await doors.post("/awards/bulk", content=text, params=WHY, headers={"content-type": "text/csv"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/awards/bulk/{answer.json()['job_id']}"
    return answer.json()


async def reported(doors: httpx.AsyncClient, job: dict[str, Any]) -> list[dict[str, str]]:
    """The report of a job, line by line."""
    answer = await doors.get(f"/awards/bulk/{job['job_id']}/report")
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_every_line_is_awarded_once_and_reported(doors: httpx.AsyncClient, service: Service) -> None:
    job = await sent(doors, FILE)
    assert (job["state"], job["lines"], job["waiting"]) == ("working", 40, 40)
    assert await carried_out(service) == 40
    again = await sent(doors, FILE)
    assert (again["job_id"], again["state"], again["done"]) == (job["job_id"], "finished", 40)
    assert await carried_out(service) == 0
    assert await service.badges() == {(name, "a") for name in LEARNERS}
    report = await reported(doors, job)
    assert [line["learner_id"] for line in report] == list(LEARNERS)
    told = {str(issued.badge_id) for issued in await service.told()}
    assert {line["badge_id"] for line in report} == told
    assert {line["state"] for line in report} == {"done"}


async def test_a_line_that_cannot_be_awarded_holds_up_no_other(doors: httpx.AsyncClient, service: Service) -> None:
    text = 'achievement_id,learner_id,evidence\na,l001,Essay\na,nobody,\nz,l002,\na,l001,\na,"two words",\na\na,l003,\n'
    job = await sent(doors, text)
    await carried_out(service)
    assert [(line["line"], line["state"], line["refusal"]) for line in await reported(doors, job)] == [
        ("2", "done", ""),
        ("3", "refused", "learner_id: expected a known learner"),
        ("4", "refused", "achievement_id: expected a published achievement"),
        ("5", "refused", "expected a learner without this badge: it is held, or suspended and may be reinstated"),
        ("6", "refused", "learner_id: expected an id"),
        ("7", "refused", "expected 3 cells, found 1"),
        ("8", "done", ""),
    ]
    progress = (await doors.get(f"/awards/bulk/{job['job_id']}")).json()
    assert (progress["state"], progress["done"], progress["refused"]) == ("finished", 2, 5)
    kept = await service.database.pool.fetch("select evidence from act where refusal is null order by line")
    assert [row["evidence"] for row in kept] == ["Essay", WHY["evidence"]]


async def test_a_job_goes_on_where_a_killed_worker_left_it(doors: httpx.AsyncClient, service: Service) -> None:
    job = await sent(doors, FILE)
    async with begin(service.database) as work:
        assert await handlers.complete_acts(service.office, work, most=15) == 15
    transaction = service.database.transaction()
    connection = await transaction.__aenter__()
    assert await handlers.complete_acts(service.office, type(work)(connection), most=15) == 15
    # The process is gone in the midst of a batch: its connection breaks off.
    connection.terminate()
    with pytest.raises(Exception, match=r"closed|terminated|released"):
        await transaction.__aexit__(None, None, None)
    assert (await doors.get(f"/awards/bulk/{job['job_id']}")).json()["done"] == 15
    assert await carried_out(service) == 25
    assert len(await service.badges()) == len(await service.told()) == 40


async def test_a_job_is_undone_in_one_action(doors: httpx.AsyncClient, service: Service) -> None:
    job = await sent(doors, FILE)
    path = f"/awards/bulk/{job['job_id']}/undo"
    why = {"reason": "The wrong list.", "evidence": "Mail of the registrar"}
    assert (await doors.post(path, json=why)).status_code == 409
    await carried_out(service)
    assert (await doors.post(path, json=why)).status_code == 202
    answer = await doors.post(path, json=why)
    undone = answer.json()
    assert (undone["kind"], undone["lines"]) == ("revoke", 40)
    await carried_out(service)
    states = await service.database.pool.fetch("select distinct state from badge")
    assert [row["state"] for row in states] == [2]
    assert (await doors.get(answer.headers["location"])).json()["state"] == "finished"
    assert (await doors.post(f"/awards/bulk/{undone['job_id']}/undo", json=why)).status_code == 409


async def test_what_a_version_caused_is_undone_in_one_action(doors: httpx.AsyncClient, service: Service) -> None:
    """Only what facts earned of that version, since then; what stands on it follows; and it is not earned again."""
    await service.hear(
        *published(
            achievement("talker", done("talk")),
            achievement("stack", badge("talker")),
            achievement("other", done("talk")),
        ),
        *(completed(name, "talk", 1) for name in LEARNERS),
    )
    await sent(doors, "learner_id,achievement_id\n" + "".join(f"{name},a\n" for name in LEARNERS[:3]))
    await carried_out(service)
    path, why = "/achievements/talker/versions/1/undo", {"reason": "A wrong rule.", "evidence": "Ticket 4711"}
    early, late = {**why, "since": "2020-01-01T00:00:00Z"}, {**why, "since": "2999-01-01T00:00:00Z"}
    assert (await doors.post(path, json=late)).json()["lines"] == 0
    answer = await doors.post(path, json=early)
    assert (answer.status_code, answer.json()["state"], answer.json()["lines"]) == (202, "working", 40)
    # A worker is killed in between: what is done is done, and the rest goes on.
    async with begin(service.database) as work:
        assert await handlers.complete_acts(service.office, work, most=15) == 15
    assert (await doors.post(path, json=early)).json()["done"] == 15
    assert await carried_out(service) == 25
    again = (await doors.post(path, json=early)).json()
    assert (again["job_id"], again["state"], again["done"]) == (answer.json()["job_id"], "finished", 40)
    states = await service.database.pool.fetch("select distinct achievement_id, state from badge order by 1")
    assert [tuple(row) for row in states] == [("a", 0), ("other", 0), ("stack", 1), ("talker", 2)]
    assert {line["refusal"] for line in await reported(doors, again)} == {""}
    await service.hear(completed("l001", "talk", 9))
    assert await service.database.pool.fetchval("select count(*) from badge where achievement_id = 'talker'") == 40
    for wrong in ("/achievements/talker/versions/2/undo", "/achievements/nothing/versions/1/undo"):
        assert (await doors.post(wrong, json=early)).status_code == 404
    assert (await doors.post(path, json=why)).status_code == 422


async def test_the_door_refuses_what_is_no_file_of_awards(doors: httpx.AsyncClient) -> None:
    as_csv = {"content-type": "text/csv"}
    assert (await doors.post("/awards/bulk", content=FILE, params=WHY)).status_code == 415
    assert (await doors.post("/awards/bulk", content=FILE, headers=as_csv)).status_code == 422
    for text in ("", "learner_id\nl001\n", "learner_id,achievement_id\n", 'learner_id,achievement_id\n"l001'):
        answer = await doors.post("/awards/bulk", content=text, params=WHY, headers=as_csv)
        assert answer.status_code == 422, text
    unknown = "/awards/bulk/7f0a9a54-6d8f-4f0e-8f7e-2d3f0e1f9a11"
    assert (await doors.get(unknown)).status_code == 404
    assert (await doors.get(f"{unknown}/report")).status_code == 404


def test_a_file_has_its_limit() -> None:
    text = "learner_id,achievement_id\n" + "l,a\n" * (MOST_LINES + 1)
    assert isinstance(read_lines(text.encode(), "r", "e"), str)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    assert isinstance(read_lines(content, "r", "e"), str | list)
    rows = read_lines(b"learner_id,achievement_id,evidence\n" + content, "r", "e")
    for line in rows if isinstance(rows, list) else ():
        assert "\0" not in line.evidence
        assert line.refusal is not None or (line.learner_id and line.achievement_id)

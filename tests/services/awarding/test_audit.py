"""Acts by hand are told, so that a database that was lost has the audit again (M1.37)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid5

import pytest

from libs.common.contracts import ActRecorded
from libs.common.messaging.work import begin
from services.awarding import handlers
from services.awarding.handlers.restoring import UNTOLD
from services.awarding.model import BulkJob, BulkLine
from services.awarding.rules.acts import actor_told, links_in
from tests.services.awarding.support import NAMESPACE, Service, at, published, registered
from tests.services.awarding.test_restoring import CATALOGUE, act, restored, story, told


@pytest.fixture
async def fresh(service: Service, database_dsn: str) -> AsyncIterator[Service]:
    """Awarding on a database that is empty."""
    started = await Service.start(f"{database_dsn}_fresh")
    yield started
    await started.database.close()
    await service.database.pool.execute(f'drop database "{database_dsn.rpartition("/")[2]}_fresh" with (force)')


AUDIT = (
    "select act_id, kind, learner_id, achievement_id, badge_id, reason, actor, asked_at, done_at, refusal, job_id, line"
    " from act order by act_id"
)


async def test_acts_are_not_carried_out_twice_and_the_audit_is_there_again(service: Service, fresh: Service) -> None:
    """Who, why, when, on which linked evidence, and what became of it (M1.37)."""
    await story(service)
    await act(service, "award", "cleo", "part", 26)  # refused: the badge is suspended, and may come back
    own = await told(service)
    await restored(fresh, [*own, *own[::-1]])  # in whichever order it comes
    before, after = [[tuple(row) for row in await one.database.pool.fetch(AUDIT)] for one in (service, fresh)]
    assert before == after
    assert {row[6] for row in after} == {"dr-gray"}
    evidence = await fresh.database.pool.fetch("select distinct evidence from act")
    assert [row["evidence"] for row in evidence] == ["https://board.example/3"]
    async with begin(fresh.database) as work:
        assert await handlers.complete_acts(fresh.office, work, most=10) == 0


async def test_what_an_earlier_version_told_of_acts_is_not_invented(service: Service, fresh: Service) -> None:
    await story(service)
    await restored(fresh, [event for event in await told(service) if not isinstance(event.content, ActRecorded)])
    rows = await fresh.database.pool.fetch("select kind, actor, reason, done_at from act order by place")
    assert len(rows) == 6
    assert all(row["done_at"] is not None and row["actor"] == UNTOLD for row in rows)
    assert {row["reason"] for row in rows if row["kind"] != "award"} == {"Reviewed."}


async def test_a_job_goes_on_after_its_database_was_lost_when_it_is_sent_again(
    service: Service, fresh: Service
) -> None:
    await service.hear(*published(*CATALOGUE), *registered("ada", "ben", "cleo", "dan", "eve"))
    job = BulkJob(uuid5(NAMESPACE, "job"), "award", "All passed.", "https://board.example/4", "dr-gray", at(30))
    lines = [
        BulkLine(2 + place, who, "part", "All passed.", "", None) for place, who in enumerate(("ben", "dan", "eve"))
    ]
    async with begin(service.database) as work:
        await handlers.record_bulk_awards(work, job, lines)
    async with begin(service.database) as work:
        assert await handlers.complete_acts(service.office, work, most=2) == 2
    await restored(fresh, await told(service), [])
    assert await fresh.badges() == {("ben", "part"), ("dan", "part")}
    async with begin(fresh.database) as work:
        progress = await handlers.show_bulk_progress(work.connection, job.job_id)
        assert progress is not None
        assert (progress["lines"], progress["waiting"], progress["reason"]) == (2, 0, "All passed.")
        progress = await handlers.record_bulk_awards(work, job, lines)
        assert (progress["lines"], progress["waiting"]) == (3, 1)
        assert progress == await handlers.record_bulk_awards(work, job, [*lines, *lines[:1]])
    async with begin(fresh.database) as work:
        assert await handlers.complete_acts(fresh.office, work, most=10) == 1
    assert await fresh.badges() == {("ben", "part"), ("dan", "part"), ("eve", "part")}


def test_of_an_act_only_what_names_no_person_is_told() -> None:
    assert links_in("See https://a.example/x, (http://b.example/y?z=1) and https://a.example/x.") == (
        "https://a.example/x",
        "http://b.example/y?z=1",
    )
    assert links_in("Ada wrote to ada@example.org; https://c.example/?who=ada%40example.org; ftp://d.example") == ()
    assert links_in("https://e.example/" + "x" * 500) == ()
    assert (actor_told("staff-17"), actor_told("gray@uni.example"), actor_told("x" * 301)) == ("staff-17", None, None)

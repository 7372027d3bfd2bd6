"""What programs pushed is there still after a rebuild, and again after verification's database was lost (B7, B12)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from deploy.local.system import System
from tests.journeys.stage import do, rebuild, records_of, rows, whole_system
from tests.journeys.test_pushes import EMAIL, ask, foreign, holds, known, let_in, prepare, shows
from tests.libs.common.messaging.waiting import until

CREDENTIALS = "/ims/ob/v3p0/credentials"
STATES = {
    "https://sea.example/badges/1": ("counting", None),
    "https://sea.example/badges/2": ("waiting", "unbound"),
}
KEPT = (
    "select learner_id, credential_id, content, is_token, issued_at, kept_at, push_id, digest, told_at"
    " from pushed_badge order by learner_id, credential_id"
)


async def test_what_was_pushed_outlives_a_lost_database(tmp_path: Path) -> None:
    async with whole_system(tmp_path / "system") as (system, doors):
        await prepare(doors)
        await doors.post("enrollment", "/learners", {"learners": [{"learner_id": "ben"}]})
        ada, ben = await let_in(system), await let_in(system, "ben")
        await until(lambda: known(system))
        for access, number, named in (ada, 1, f"mailto:{EMAIL}"), (ada, 2, "urn:uuid:0"), (ben, 3, "urn:uuid:1"):
            assert (await ask(system, "POST", CREDENTIALS, access, foreign(number, named=named))).status_code == 201
        await until(lambda: holds(doors))
        await until(lambda: shows(system, STATES))
        before = await ask(system, "GET", CREDENTIALS, ada)
        # Beside the tables that serve, what was pushed is carried over as it is.
        kept = await rows(system, "verification", KEPT)
        assert len(kept) == 3
        await rebuild(system, "verification")
        assert await rows(system, "verification", KEPT) == kept
        assert (await ask(system, "GET", CREDENTIALS, ada)).content == before.content

        await doors.delete("enrollment", "/learners/ben")
        await until(lambda: _erased(system))
        await _lose(system)
        # The learner lets a program in anew: who was let in is lost, what was pushed is not.
        ada = await let_in(system)
        assert (await ask(system, "GET", CREDENTIALS, ada)).content == before.content
        assert await shows(system, STATES)
        assert [row["learner_id"] for row in await rows(system, "verification", KEPT)] == ["ada", "ada"]
        mine = foreign(1, named=f"mailto:{EMAIL}")
        assert (await ask(system, "POST", CREDENTIALS, ada, mine)).status_code == 200
        again = await ask(system, "GET", CREDENTIALS, ada)
        assert again.content == before.content
        # A rebuild after it gives the same, and nothing was told again.
        kept = await rows(system, "verification", KEPT)
        await rebuild(system, "verification")
        assert await rows(system, "verification", KEPT) == kept
        told = [record.value is None for record in await records_of(system, "pushed-badges")]
        assert sorted(told) == [False, False, False, True]


async def _erased(system: System) -> bool:
    return any(record.value is None for record in await records_of(system, "pushed-badges"))


async def _lose(system: System) -> None:
    """Verification's database is lost, made anew from the topics, and serves again."""
    for process in ("verification-worker", "verification-api"):
        await system.stop_process(process)
    await do(system.postgres.dsn(), "drop database cairn_verification with (force)")
    await rebuild(system, "verification")
    await asyncio.gather(*(system.start_process(name) for name in ("verification-api", "verification-worker")))

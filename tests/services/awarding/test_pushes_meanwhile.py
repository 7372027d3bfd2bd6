"""Pushed badges of which something is said, or comes, while something else is being done with them (B12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from libs.common.fetching import Fetcher, Reach
from libs.common.verifying import Verifier
from services.awarding import handlers
from tests.services.awarding.abroad import DOOR, EVERY, Abroad, abroad, foreign, sandbox
from tests.services.awarding.test_pushes import PUSH, hear, pushed, refusals
from tests.services.awarding.test_states import holding

__all__ = ["abroad", "sandbox"]
BEN, HOME = "email:ben@learner.example", "email:ada@home.example"


class Interrupted(Verifier):
    """A verifier in whose answer something else happens."""

    meanwhile: Callable[[], Awaitable[object]]

    async def judge(self, *arguments: Any, **more: Any) -> Any:
        """The verdict, after `meanwhile`."""
        found = await super().judge(*arguments, **more)
        await self.meanwhile()
        return found


@pytest.mark.parametrize(("address", "earns"), [("ada@home.example", True), ("ben@learner.example", False)])
async def test_what_is_said_while_the_source_is_asked_is_looked_at_anew(
    abroad: Abroad, address: str, earns: bool
) -> None:
    """Ada names Ben's address; a registrar answers for another one before the source has answered for Ben's."""
    await hear(abroad, pushed(foreign(email=address)))
    await abroad.look_again()
    staff = abroad.mint.headers("records.write", subject="registrar")

    async def say(recipient: str, headers: dict[str, str]) -> None:
        answer = await abroad.client.post(f"{DOOR}/{PUSH}/check", params={"recipient": recipient}, headers=headers)
        assert answer.status_code == 202

    await say(BEN, abroad.own())
    async with Fetcher(Reach(abroad.world.folders)) as fetcher:
        verifier = Interrupted(fetcher, abroad.world.sandbox)
        verifier.meanwhile = lambda: say(HOME, staff)
        await handlers.recheck_imports(abroad.service.office, abroad.service.database, verifier, EVERY)
    row = await abroad.service.database.pool.fetchrow("select person_identity, is_vouched, state from imported_badge")
    assert tuple(row or ()) == ("ada@home.example", True, "unclear")
    assert await abroad.look_again() == 1
    await abroad.count()
    assert await holding(abroad.service) == ({"stack"} if earns else set())
    assert (await refusals(abroad))[1:] == ([] if earns else [("other-recipient", True)])

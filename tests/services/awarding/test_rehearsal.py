"""A draft is tried on what is recorded: who would gain, who would lose, and nothing is changed (B3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts import RehearsalCompleted
from libs.common.contracts.enrollment import meaning_digest
from libs.common.contracts.requirement import Requirement
from services.awarding import api
from services.awarding.rules.rehearsal import SAMPLE_LEARNERS
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    any_of,
    at,
    badge,
    completed,
    done,
    passed,
    published,
    registered,
    scored,
    voided,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

MANY = tuple(f"l{number:03}" for number in range(30))


@pytest.fixture
def mint(tmp_path: Path) -> TokenMint:
    """Mints the tokens that the doors accept."""
    return TokenMint(tmp_path)


@pytest.fixture
async def doors(service: Service, database_dsn: str, mint: TokenMint) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app. Ada scored 80, Ben 50, Cleo 20; Dan's 90 was voided; many completed `talk`."""
    dans = scored("dan", "x", "90", 1)
    await service.hear(
        *published(ISSUER, achievement("a", passed("x")), achievement("talker", done("talk"))),
        *registered("ada", "ben", "cleo", "dan", *MANY),
        *(scored(name, "x", points, 1) for name, points in (("ada", "80"), ("ben", "50"), ("cleo", "20"))),
        dans,
        *(completed(name, "talk", 2) for name in MANY),
    )
    await service.hear(voided(dans, 3), scored("nobody", "x", "99", 1))
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers.update(mint.headers("catalogue.write", "records.read"))
        yield client


async def rehearsed(doors: httpx.AsyncClient, requirement: Requirement, name: str = "a", **limits: int) -> Any:
    """What a draft would mean."""
    draft = {"requirement": requirement.model_dump(mode="json"), "limits": limits, "name": "As it is published"}
    answer = await doors.post(f"/achievements/{name}/rehearsal", json=draft)
    assert answer.status_code == 200, answer.text
    return answer.json()


def effects(told: dict[str, Any]) -> tuple[Sequence[str], Sequence[str], int]:
    """Who gains, who loses, how many keep."""
    return told["gain"]["sample"], told["lose"]["sample"], told["keep"]["count"]


async def test_a_stricter_and_a_laxer_draft(doors: httpx.AsyncClient) -> None:
    assert effects(await rehearsed(doors, passed("x"))) == ([], [], 2)
    assert effects(await rehearsed(doors, passed("x", "0.6"))) == ([], ["ben"], 1)
    assert effects(await rehearsed(doors, passed("x", "0.1"))) == (["cleo"], [], 2)
    told = await rehearsed(doors, done("nothing"))
    assert (effects(told), told["learners_looked_at"]) == (([], ["ada", "ben"], 0), 3)


async def test_drafts_of_new_achievements_and_stacks(doors: httpx.AsyncClient) -> None:
    assert effects(await rehearsed(doors, all_of(badge("a"), passed("x", "0.6")), "new")) == (["ada"], [], 0)
    told = await rehearsed(doors, any_of(badge("talker"), badge("a")), "new")
    assert told["gain"]["count"] == 32
    assert told["gain"]["sample"] == ["ada", "ben", *MANY[: SAMPLE_LEARNERS - 2]]


async def test_the_blast_radius_has_limits(doors: httpx.AsyncClient) -> None:
    assert (await rehearsed(doors, passed("x", "0.6"), lose=1))["within_limits"]
    assert not (await rehearsed(doors, passed("x", "0.6"), lose=0))["within_limits"]
    assert (await rehearsed(doors, done("talk"), lose=2, gain=30))["within_limits"]
    assert not (await rehearsed(doors, done("talk"), gain=29))["within_limits"]


async def test_what_follows_in_the_stacks_above_is_counted(doors: httpx.AsyncClient, service: Service) -> None:
    await service.hear(
        *published(
            achievement("stack", all_of(badge("a"), done("talk")), kind="stack"),
            achievement("top", badge("stack"), kind="stack"),
            achievement("kept", badge("a"), on_loss="keep"),
        ),
        completed("ben", "talk", 4), completed("cleo", "talk", 4),
    )  # fmt: skip
    await service.recheck()
    told = await rehearsed(doors, passed("x", "0.1"), gain=4)
    assert told["gain"] == {"count": 1, "sample": ["cleo"], "above": {"kept": 1, "stack": 1, "top": 1}}
    assert told["within_limits"]
    assert not (await rehearsed(doors, passed("x", "0.1"), gain=3))["within_limits"]
    told = await rehearsed(doors, passed("x", "0.6"))
    assert told["lose"] == {"count": 1, "sample": ["ben"], "above": {"stack": 1, "top": 1}}
    assert told["gain"]["above"] == {}


async def test_stacks_above_judge_learners_by_the_versions_that_these_are_held_to(
    doors: httpx.AsyncClient, service: Service
) -> None:
    """Ben started the first version of the stack, which asks for no more than the badge; Cleo starts the second."""
    await service.hear(
        *published(
            achievement("stack", any_of(badge("a"), done("old")), kind="stack"),
            achievement("stack", all_of(badge("a"), done("new")), kind="stack", version=2, published_at=at(0.5)),
        ),
    )
    await service.recheck()
    # Both would gain the badge of a draft that asks for 10 %: Cleo at minute 1, after the second version; Eve before.
    await service.hear(*registered("eve"), scored("eve", "x", "20", 0.2))
    told = await rehearsed(doors, passed("x", "0.1"))
    assert told["gain"] == {"count": 2, "sample": ["cleo", "eve"], "above": {"stack": 1}}


async def test_what_would_be_lost_above_is_judged_by_the_version_of_each_badge(
    doors: httpx.AsyncClient, service: Service
) -> None:
    await service.hear(
        *published(
            achievement("s", any_of(badge("a"), done("talk")), kind="stack"),
            # Whoever held a badge of the first stays with that; those who come after need both.
            achievement("s", all_of(badge("a"), done("talk")), kind="stack", version=2, published_at=at(1.5)),
            achievement("r", badge("a"), kind="stack"),
            achievement("r", any_of(badge("a"), done("talk")), kind="stack", version=2, published_at=at(5),
                        on_new_version="re-evaluate"),
        ),
        completed("ben", "talk", 4),
    )  # fmt: skip
    await service.recheck()
    told = await rehearsed(doors, passed("x", "0.6"))
    # Ben's first version of `s` is met by the talk alone. Of `r` he has both: the first stands on the badge alone.
    assert told["lose"] == {"count": 1, "sample": ["ben"], "above": {"r": 1}}


async def test_what_a_person_awarded_is_not_lost_above(doors: httpx.AsyncClient, service: Service) -> None:
    await service.hear(*published(achievement("stack", badge("a"), kind="stack")))
    await service.recheck()
    assert (await rehearsed(doors, passed("x", "0.6")))["lose"]["above"] == {"stack": 1}
    await service.database.pool.execute(
        "update badge set is_grounded = false where learner_id = 'ben' and achievement_id = 'stack'"
    )
    assert (await rehearsed(doors, passed("x", "0.6")))["lose"]["above"] == {}


async def test_that_a_draft_was_tried_is_told(doors: httpx.AsyncClient, service: Service) -> None:
    told = await rehearsed(doors, passed("x", "0.6"), lose=0)
    row = await service.database.pool.fetchrow("select * from outbox where type = $1", RehearsalCompleted.TYPE)
    assert row is not None
    content = RehearsalCompleted.model_validate_json(row["value"])
    assert (row["topic"], row["key"]) == ("rehearsals", b"a")
    assert (content.digest, content.against_version, content.lose) == (told["digest"], 1, 1)
    assert (content.within_limits, content.most_gain, content.rehearsed_by) == (False, None, "tester")
    draft = achievement("a", passed("x", "0.6"), version=7, tags=("other", "words"))
    assert content.digest == meaning_digest(draft)
    assert content.digest != meaning_digest(achievement("a", passed("x", "0.6"), on_new_version="upgrade"))


async def test_a_draft_that_could_not_be_published_is_refused(doors: httpx.AsyncClient) -> None:
    body = {"requirement": done("talk").model_dump(mode="json"), "credits": -1}
    answer = await doors.post("/achievements/a/rehearsal", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/credits"


async def test_nothing_is_changed_and_not_everybody_may_ask(
    doors: httpx.AsyncClient, service: Service, mint: TokenMint
) -> None:
    before = await service.told()
    await rehearsed(doors, done("talk"))
    assert await service.told() == before
    body = {"requirement": done("talk").model_dump(mode="json")}
    for scope in ("catalogue.write", "records.read"):
        answer = await doors.post("/achievements/a/rehearsal", json=body, headers=mint.headers(scope))
        assert answer.status_code == 403
    assert (await doors.post("/achievements/a/rehearsal", json={"requirement": {"kind": "all"}})).status_code == 422

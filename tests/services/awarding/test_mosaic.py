"""A learner's mosaic: held, under way, next, and how far (M2.7, M2.8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts import AchievementPublished
from services.awarding import api
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.mosaic import mosaic_of
from services.awarding.rules.outcome import Record
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    any_of,
    badge,
    completed,
    credits_from,
    done,
    n_of,
    passed,
    published,
    registered,
    scored,
    voided,
)
from tests.services.awarding.test_rules import activity, holds
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

CATALOGUE = (
    achievement("a", all_of(done("a1"), done("a2"), done("a3"))),
    achievement("b", done("b1"), credits="5"),
    achievement("c", passed("c1"), credits="5"),
    achievement("stack", all_of(badge("a"), badge("b")), kind="stack"),
    achievement("choice", any_of(badge("a"), badge("c")), kind="pathway"),
    achievement("some", n_of(2, badge("a"), badge("b"), badge("c")), kind="pathway"),
    achievement("points", credits_from("10", "b", "c"), kind="milestone"),
    achievement("far", done("elsewhere")),
)


def distances(record: Record, *more: AchievementPublished) -> dict[str, int]:
    """How many steps what is under way is away."""
    catalogue = Catalogue().with_published(1, [ISSUER], [*CATALOGUE, *more])
    told = mosaic_of(catalogue, record, record.held.values())
    return {tile["achievement_id"]: tile["steps_to_go"] for tile in told["in_progress"]}


def test_a_distance_counts_what_is_missing_down_to_the_facts() -> None:
    assert distances(Record.of()) == {}
    assert distances(Record.of([activity("a1", 1)])) == {"a": 2, "stack": 3, "choice": 1, "some": 2}
    one = Record.of([activity("a1", 1), activity("a2", 2)], [holds("b", 3, "5")])
    assert distances(one) == {"a": 1, "stack": 1, "choice": 1, "some": 1, "points": 1}


def test_what_cannot_be_reached_is_not_suggested() -> None:
    more = (achievement("never", all_of(done("a1"), badge("gone"))), achievement("much", credits_from("99", "b", "c")))
    assert distances(Record.of([activity("a1", 1)], [holds("b", 1, "5")]), *more).keys().isdisjoint({"never", "much"})


@pytest.fixture
def mint(tmp_path: Path) -> TokenMint:
    """Mints the tokens that the doors accept."""
    return TokenMint(tmp_path)


@pytest.fixture
async def doors(service: Service, database_dsn: str, mint: TokenMint) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app."""
    await service.hear(*published(ISSUER, *CATALOGUE), *registered("ada", "ben"))
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        yield client


async def seen(doors: httpx.AsyncClient, mint: TokenMint) -> dict[str, Any]:
    """Ada's mosaic, as she sees it."""
    token = mint.token(learner_id="ada")
    answer = await doors.get("/learners/ada/mosaic", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return answer.json()


async def test_the_mosaic_shows_held_under_way_and_next(
    doors: httpx.AsyncClient, service: Service, mint: TokenMint
) -> None:
    nothing = {"held": [], "in_progress": [], "next": [], "milestones": [], "imported": []}
    assert await seen(doors, mint) == {"learner_id": "ada", **nothing}
    good = scored("ada", "c1", "80", 1)
    await service.hear(good, completed("ada", "a1", 2), completed("ada", "a2", 3))
    told = await seen(doors, mint)
    assert [(tile["achievement_id"], tile["state"], tile["counts_for"]) for tile in told["held"]] == [
        ("c", "held", ["choice", "points", "some"]), ("choice", "held", []),
    ]  # fmt: skip
    assert [(tile["achievement_id"], tile["steps_to_go"]) for tile in told["in_progress"]] == [
        ("a", 1), ("some", 1), ("points", 1), ("stack", 2),
    ]  # fmt: skip
    first = told["next"][0]
    assert (first["distance"], first["reason"], first["step"]) == (1, "You are one step from A.", "complete a3")
    assert told["next"][3]["reason"] == "You are 2 steps from STACK."
    await service.hear(voided(good, 4))
    assert {tile["state"] for tile in (await seen(doors, mint))["held"]} == {"suspended"}


async def test_the_mosaic_follows_the_catalogue(doors: httpx.AsyncClient, service: Service, mint: TokenMint) -> None:
    await service.hear(completed("ada", "talk", 1))
    assert (await seen(doors, mint))["in_progress"] == []
    await service.hear(*published(achievement("late", all_of(done("talk"), done("walk")))))
    assert [tile["missing"] for tile in (await seen(doors, mint))["in_progress"]] == [["complete walk"]]


async def test_a_mosaic_is_for_the_learner_and_for_readers(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    assert (await doors.get("/learners/ada/mosaic")).status_code == 401
    other = {"authorization": f"Bearer {mint.token(learner_id='ben')}"}
    assert (await doors.get("/learners/ada/mosaic", headers=other)).status_code == 403
    readers = mint.headers("records.read")
    assert (await doors.get("/learners/ada/mosaic", headers=readers)).status_code == 200
    assert (await doors.get("/learners/nobody/mosaic", headers=readers)).status_code == 404

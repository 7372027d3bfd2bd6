"""Publishing: a version is told once and never changes; what nobody could earn is refused, with its place."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from libs.common.contracts import AchievementPublished, IssuerPublished
from libs.common.postgres.database import Database
from services.enrollment.store import SQL
from tests.services.enrollment.support import ISSUER_BODY, badge, body, pointers, publish, quiz, told
from tests.tokens import TokenMint


async def test_a_published_achievement_is_told(doors: httpx.AsyncClient, database: Database) -> None:
    answer = await publish(doors, "reading", body(credits=2, level=3))
    assert (answer.status_code, answer.headers["location"]) == (201, "/achievements/reading")
    issuer, achievement = await told(database)
    assert (issuer["topic"], issuer["key"], issuer["type"]) == ("catalogue", b"issuer:school", IssuerPublished.TYPE)
    assert IssuerPublished.model_validate_json(issuer["value"]).name == "School"
    assert (achievement["topic"], achievement["key"], achievement["source"]) == (
        "catalogue", b"reading@1", "/cairn/enrollment",
    )  # fmt: skip
    content = AchievementPublished.model_validate_json(achievement["value"])
    assert (content.achievement_id, content.version, content.level) == ("reading", 1, 3)
    assert content.published_at == achievement["time"]
    assert (await doors.get("/achievements/reading")).json() == answer.json()
    assert await database.pool.fetchval("select published_by from achievement") == "registrar"


async def test_the_same_again_is_unchanged_and_not_told(doors: httpx.AsyncClient, database: Database) -> None:
    first = await publish(doors, "reading", body())
    before = len(await told(database))
    for again in (body(), body(version=1), body(requirement=quiz(1) | {"at_least": "0.40"})):
        answer = await publish(doors, "reading", again)
        assert (answer.status_code, answer.json()) == (200, first.json())
    assert len(await told(database)) == before


async def test_versions_rise_and_stay(doors: httpx.AsyncClient, database: Database) -> None:
    await publish(doors, "reading", body())
    assert (await publish(doors, "reading", body(name="Reading II"))).json()["version"] == 2
    assert (await publish(doors, "reading", body(name="Reading V", version=5))).json()["version"] == 5
    assert (await publish(doors, "reading", body())).json()["version"] == 6
    assert (await doors.get("/achievements/reading?version=2")).json()["name"] == "Reading II"
    assert (await doors.get("/achievements/reading?version=3")).status_code == 404
    for taken in (5, 6):
        answer = await publish(doors, "reading", body(name="Other", version=taken))
        assert (answer.status_code, pointers(answer)) == (409, ["/version"])
    ids = [row["event_id"] for row in await told(database)]
    assert len(ids) == len(set(ids)) == 5


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "more than there is": (
        {"kind": "all", "of": [quiz(1), {"kind": "n-of", "n": 3, "of": [quiz(2), quiz(3)]}]},
        ["/requirement/of/1/n"],
    ),
    "an unknown badge": (
        {"kind": "any", "of": [quiz(1), badge("nowhere")]},
        ["/requirement/of/1/achievement_id"],
    ),
    "itself": (badge("writing"), ["/requirement/achievement_id"]),
    "a circle": (badge("poetry"), ["/requirement/achievement_id"]),
    "a circle through credits": (
        {"kind": "credits", "at_least": 1, "achievement_ids": ["reading", "poetry"]},
        ["/requirement/achievement_ids/1"],
    ),
    "more credits than there are": (
        {"kind": "credits", "at_least": "2.5", "achievement_ids": ["reading", "reading"]},
        ["/requirement/at_least"],
    ),
    "nothing": ({"kind": "all", "of": []}, ["/requirement/of"]),
    "an unknown kind": ({"kind": "all", "of": [{"kind": "luck"}]}, ["/requirement/of/0"]),
    "a part without its name": ({"kind": "all", "of": [{"kind": "activity"}]}, ["/requirement/of/0/activity_id"]),
    "a threshold above full marks": (
        {"kind": "any", "of": [quiz(1), quiz(2) | {"at_least": 1.5}]},
        ["/requirement/of/1/at_least"],
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_nobody_can_earn_is_refused(doors: httpx.AsyncClient, database: Database, what: str) -> None:
    await publish(doors, "reading", body(credits=2))
    await publish(doors, "writing", body(credits=2))
    await publish(doors, "poetry", body(badge("writing"), credits=2))
    before = len(await told(database))
    requirement, places = REFUSED[what]
    answer = await publish(doors, "writing", body(requirement))
    assert (answer.status_code, pointers(answer)) == (422, places)
    if what == "a circle":
        assert "writing → poetry → writing" in answer.json()["errors"][0]["detail"]
    assert len(await told(database)) == before
    assert (await doors.get("/achievements/writing")).json()["version"] == 1


async def test_an_unknown_issuer_is_refused(doors: httpx.AsyncClient) -> None:
    answer = await publish(doors, "reading", body(issuer_id="nobody"))
    assert (answer.status_code, pointers(answer)) == (422, ["/issuer_id"])


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": ""}, "/name"),
        ({"kind": "medal"}, "/kind"),
        ({"version": 0}, "/version"),
        ({"hours": -1}, "/hours"),
        ({"achievement_id": "other"}, "/achievement_id"),
        ({"alignments": [{"name": "x", "url": "no url"}]}, "/alignments/0/url"),
        ({"valid_for_days": 0}, "/valid_for_days"),
        ({"valid_for_days": 36_501}, "/valid_for_days"),
        ({"valid_for_days": 30, "renewal_opens_days": 30}, "/renewal_opens_days"),
        ({"renewal_opens_days": 30}, "/renewal_opens_days"),
    ],
)
async def test_a_bad_field_is_named(doors: httpx.AsyncClient, changes: dict[str, Any], place: str) -> None:
    answer = await publish(doors, "reading", body(**changes))
    assert (answer.status_code, pointers(answer)) == (422, [place])


async def test_a_deep_tree_is_refused(doors: httpx.AsyncClient) -> None:
    for levels in (40, 400):
        tree = quiz(1)
        for _ in range(levels):
            tree = {"kind": "all", "of": [tree]}
        assert (await publish(doors, "reading", body(tree))).status_code == 422


async def test_bodies_that_are_no_documents(doors: httpx.AsyncClient) -> None:
    json = {"content-type": "application/json"}
    for path in ("/issuers/school", "/achievements/reading"):
        assert (await doors.put(path, content=b'{"a', headers=json)).status_code == 400
        assert (await doors.put(path, content=b"[]", headers=json)).status_code == 400
        assert (await doors.put(path, content=b"{}", headers={"content-type": "text/plain"})).status_code == 415
        assert (await doors.put(path, content=b"{}", headers=json)).status_code == 422
        assert (await doors.put(path, content=b" " * 70_000, headers=json)).status_code == 413
    assert (await doors.put("/achievements/no%20id", json=body())).status_code == 422


async def test_issuers_are_told_when_they_change(doors: httpx.AsyncClient, database: Database) -> None:
    answers = [await doors.put("/issuers/school", json=content) for content in (ISSUER_BODY, ISSUER_BODY)]
    answers.append(await doors.put("/issuers/school", json=ISSUER_BODY | {"name": "Academy"}))
    assert [answer.status_code for answer in answers] == [201, 200, 201]
    assert len(await told(database)) == 2
    assert (await doors.get("/issuers/school")).json()["name"] == "Academy"
    assert [one["issuer_id"] for one in (await doors.get("/issuers")).json()["issuers"]] == ["school"]
    assert (await doors.get("/issuers/nobody")).status_code == 404
    bad = await doors.put("/issuers/school", json=ISSUER_BODY | {"email": "nonsense"})
    assert (bad.status_code, pointers(bad)) == (422, ["/email"])


async def test_the_catalogue_is_public_and_comes_in_pages(doors: httpx.AsyncClient) -> None:
    for achievement_id in ("c", "a", "b"):
        await publish(doors, achievement_id, body())
    await publish(doors, "a", body(name="A II"))
    del doors.headers["authorization"]
    first = (await doors.get("/achievements?limit=2")).json()
    assert [(one["achievement_id"], one["version"]) for one in first["achievements"]] == [("a", 2), ("b", 1)]
    rest = (await doors.get("/achievements", params={"after": first["next"]})).json()
    assert ([one["achievement_id"] for one in rest["achievements"]], rest["next"]) == (["c"], None)


async def test_the_doors_are_closed_without_the_scope(doors: httpx.AsyncClient, mint: TokenMint) -> None:
    del doors.headers["authorization"]
    other = mint.headers("events.write")
    requests = [
        ("PUT", "/issuers/school"), ("PUT", "/achievements/reading"), ("POST", "/learners"), ("GET", "/learners/ada"),
        ("DELETE", "/learners/ada"), ("POST", "/enrollments"),
    ]  # fmt: skip
    for method, path in requests:
        assert (await doors.request(method, path)).status_code == 401
        assert (await doors.request(method, path, headers=other)).status_code == 403


async def test_publications_at_once_cannot_close_a_circle(doors: httpx.AsyncClient) -> None:
    for achievement_id in "abcd":
        await publish(doors, achievement_id, body())
    ring = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")]
    answers = await asyncio.gather(*(publish(doors, one, body(badge(other))) for one, other in ring))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 422]


@pytest.mark.parametrize("name", sorted(SQL))
async def test_every_query_is_understood_by_the_server(database: Database, name: str) -> None:
    async with database.pool.acquire() as connection:
        await connection.prepare(SQL[name])

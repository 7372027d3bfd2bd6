"""Learners' records: the badges of an issuer that hold, or one with all that it stands on, as signed ClrCredentials
(CLR 2.0; M1.38, issue 4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts import IssuerPublished
from libs.common.credentials.canonical import canonical_nquads
from libs.common.sandbox import Sandbox
from libs.common.verifying import record_sandbox
from services.awarding import api
from services.awarding.rules import records
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.libs.common.checking.world import reasons
from tests.services.awarding.recording import Json, judged, schema_faults, signing
from tests.services.awarding.support import (
    ISSUER,
    NAMESPACE,
    Service,
    achievement,
    all_of,
    at,
    badge,
    completed,
    done,
    erased,
    heard,
    published,
    registered,
    step,
    steps,
)
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

RECORD = "/learners/ada/record?issuer=uni"
OTHER = IssuerPublished.model_validate({"issuer_id": "other", "name": "Another", "url": "https://other.example/"})
CATALOGUE = (
    ISSUER,
    OTHER,
    achievement("a", done("x")),
    achievement("b", done("y"), issuer_id="other"),
    achievement("stack", all_of(badge("a"), badge("b")), kind="stack"),
    achievement("path", steps(step("one", badge("stack")), step("two", done("z"))), kind="pathway"),
    achievement("brief", done("brief"), valid_for_days=3650),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Where the canonical forms of records are made."""
    started = record_sandbox()
    yield started
    started.close()


@pytest.fixture
async def doors(service: Service, database_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's own client; she holds one badge."""
    await service.hear(*published(*CATALOGUE), *registered("ada", "ben"), completed("ada", "x", 1))
    mint = TokenMint(tmp_path)
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
    )
    async with open_doors(api.create(settings)) as client:
        client.headers["authorization"] = f"Bearer {mint.token(subject='ada', learner_id='ada')}"
        yield client


@pytest.fixture
async def worker(service: Service, sandbox: Sandbox) -> AsyncIterator[None]:
    """A worker that signs records."""
    task = asyncio.create_task(signing(service, sandbox))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def got(doors: httpx.AsyncClient, place: str = RECORD) -> httpx.Response:
    """The answer, once the worker has signed what is asked for."""
    answer = await doors.get(place)
    while answer.status_code == 202:
        assert answer.headers["retry-after"] == "2"
        answer = await doors.get(place)
    return answer


async def record(doors: httpx.AsyncClient, place: str = RECORD) -> Json:
    """A record of Ada's."""
    answer = await got(doors, place)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vc+ld+json"
    return answer.json()


def held_in(document: Json) -> list[Json]:
    """The credentials in a record."""
    return document["credentialSubject"]["verifiableCredential"]


async def kept(service: Service) -> dict[str, Any]:
    """The badges that were told, by achievement."""
    return {issued.achievement_id: issued for issued in await service.told()}


@pytest.mark.usefixtures("worker")
async def test_a_record_holds_the_badges_and_is_genuine(
    doors: httpx.AsyncClient, service: Service, sandbox: Sandbox, tmp_path: Path
) -> None:
    found = await record(doors)
    assert await record(doors) == found
    assert "association" not in found["credentialSubject"]
    await service.hear(completed("ada", "y", 2), completed("ada", "z", 3), completed("ada", "brief", 4))
    whole = await record(doors)
    badges = {name: json.loads(issued.credential) for name, issued in (await kept(service)).items()}
    assert held_in(whole) == [badges[name] for name in ("a", "stack", "path", "brief")]
    assert whole["id"] != found["id"]
    assert whole["credentialSubject"]["id"] == badges["a"]["credentialSubject"]["id"]
    assert "partial" not in whole
    # A record is current for as long as all that is in it.
    assert whole["validUntil"] == badges["brief"]["validUntil"]
    assert len(whole["credentialSubject"]["association"]) == 4
    assert schema_faults(whole) == []
    judgement = await judged(service, whole, tmp_path / "web", sandbox)
    assert judgement.answer == "genuine", reasons(judgement)


@pytest.mark.usefixtures("worker")
async def test_a_record_of_a_pathway_goes_through_all_levels(
    doors: httpx.AsyncClient, service: Service, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The badge, all it stands on, whoever issued it, and which stands on which (issue 4)."""
    await service.hear(completed("ada", "y", 2), completed("ada", "z", 3), completed("ada", "brief", 4))
    badges = await kept(service)
    found = await record(doors, f"/learners/ada/badges/{badges['path'].badge_id}/record")
    assert [json.loads(badges[name].credential) for name in ("path", "a", "b", "stack")] == held_in(found)
    assert (found["name"], found["partial"]) == ("PATH, with the badges that it stands on", True)
    places = {name: json.loads(badges[name].credential)["credentialSubject"]["achievement"]["id"] for name in badges}
    said = {
        (entry["associationType"], entry["sourceId"], entry["targetId"])
        for entry in found["credentialSubject"]["association"]
    }
    edges = [("path", "stack"), ("stack", "a"), ("stack", "b")]
    assert said == {("isParentOf", places[above], places[below]) for above, below in edges} | {
        ("isChildOf", places[below], places[above]) for above, below in edges
    }
    assert schema_faults(found) == []
    judgement = await judged(service, found, tmp_path / "web", sandbox)
    assert judgement.answer == "genuine", reasons(judgement)
    only = await record(doors, f"/learners/ada/badges/{badges['a'].badge_id}/record")
    assert len(held_in(only)) == 1
    # Each kind of record is kept beside the others.
    assert await record(doors, f"/learners/ada/badges/{badges['path'].badge_id}/record") == found


@pytest.mark.usefixtures("worker")
async def test_a_record_of_hundreds_is_whole(doors: httpx.AsyncClient, service: Service, sandbox: Sandbox) -> None:
    many = [achievement(f"m{number}", done("many")) for number in range(200)]
    await service.hear(*published(*many))
    await service.hear(completed("ada", "many", 5))
    whole = await record(doors)
    assert len(held_in(whole)) == 201
    assert "partial" not in whole
    assert schema_faults(whole) == []
    unsecured = {name: value for name, value in whole.items() if name != "proof"}
    made = await sandbox.do("canonical", documents=[unsecured])
    assert made["texts"] == [canonical_nquads(unsecured)]


@pytest.mark.usefixtures("worker")
async def test_what_is_too_much_for_one_record_is_several_that_name_each_other(
    doors: httpx.AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_BADGES", 2)
    await service.hear(completed("ada", "y", 2), completed("ada", "z", 3), completed("ada", "brief", 4))
    first = await got(doors)
    assert first.headers["link"] == '</learners/ada/record?issuer=uni&part=2>; rel="next"'
    second = await got(doors, f"{RECORD}&part=2")
    assert second.headers["link"] == '</learners/ada/record?issuer=uni&part=1>; rel="prev"'
    one, two = first.json(), second.json()
    assert [len(held_in(document)) for document in (one, two)] == [2, 2]
    assert (one["partial"], two["partial"]) == (True, True)
    assert "relatedResource" not in one
    (before,) = two["relatedResource"]
    assert before["id"] == one["id"]
    assert one["credentialStatus"]["statusListIndex"] != two["credentialStatus"]["statusListIndex"]
    assert [schema_faults(one), schema_faults(two)] == [[], []]
    beyond = await got(doors, f"{RECORD}&part=3")
    assert beyond.status_code == 404
    assert "expected a part from 1 to 2, found 3" in beyond.json()["detail"]
    assert (await got(doors, f"{RECORD}&part=0")).status_code == 422


async def test_who_has_no_badge_has_no_record(doors: httpx.AsyncClient, service: Service) -> None:
    """Nothing is written for what cannot be (no worker signs here)."""
    (issued,) = await service.told()
    for place, status in (
        ("/learners/ada/record?issuer=zzz", 404),
        ("/learners/ben/record?issuer=uni", 403),
        (f"/learners/ben/badges/{issued.badge_id}/record", 403),
        (f"/learners/ada/badges/{NAMESPACE}/record", 404),
    ):
        answer = await doors.get(place)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), place
    assert await service.database.pool.fetchval("select count(*) from learner_record") == 0
    await service.database.pool.execute("update badge set state = 1")
    assert (await doors.get(f"/learners/ada/badges/{issued.badge_id}/record")).status_code == 404
    assert (await doors.get(RECORD)).status_code == 404


@pytest.mark.usefixtures("worker")
async def test_of_the_erased_no_record_stays(doors: httpx.AsyncClient, service: Service) -> None:
    await record(doors)
    (issued,) = await service.told()
    await service.hear(erased("ada"))
    pool = service.database.pool
    assert await pool.fetchval("select count(*) from learner_record") == 0
    assert await pool.fetchval("select count(*) from record_part where credential is not null") == 0
    # Its place in the status lists stays taken.
    assert await pool.fetchval("select count(*) from record_part") == 1
    for place in (RECORD, f"/learners/ada/badges/{issued.badge_id}/record"):
        assert (await doors.get(place)).status_code == 404


@pytest.mark.usefixtures("worker")
async def test_it_shows_the_name_only_while_the_learner_wants_that(doors: httpx.AsyncClient, service: Service) -> None:
    (known,) = registered("ada")
    for name, shows in (("Ada Example", True), (None, False)):
        content = known.content.model_copy(update={"name": name, "shows_name": shows})
        await service.hear(heard(content, "ada", f"named {name}", at(5)))
        shown = (await record(doors))["credentialSubject"].get("identifier", [])
        assert [entry["identityHash"] for entry in shown if not entry["hashed"]] == ([name] if name else [])

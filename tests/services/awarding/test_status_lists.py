"""Every badge has its place in signed status lists, and they follow what becomes of it (B4, M2.3)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from libs.common.contracts import BadgeIssued, StatusListSigned
from libs.common.credentials.keys import public_key_of_multikey
from libs.common.credentials.places import ENTRIES, position_of
from libs.common.credentials.proof import verify_proof
from libs.common.credentials.status_list import decode, is_set
from libs.common.messaging.work import begin
from services.awarding import handlers
from services.awarding.handlers import Office
from services.awarding.model import ListPurpose
from services.awarding.store import status_lists as list_store
from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    all_of,
    badge,
    office,
    passed,
    published,
    registered,
    scored,
    voided,
)

CATALOGUE = (ISSUER, achievement("a", passed("x")), achievement("stack", all_of(badge("a"))))
LEARNERS = [f"l{number}" for number in range(20)]


@pytest.fixture
async def second(service: Service) -> Service:
    """Another worker on the same database, with a memory of its own."""
    return Service(service.database, office())


def with_purposes(given: Office, *purposes: ListPurpose) -> Office:
    """An office whose badges name these lists."""
    given.purposes = purposes
    return given


async def sign(service: Service) -> int:
    """One step of the worker's side task."""
    async with begin(service.database) as work:
        return await handlers.sign_status_lists(service.office, work)


async def lists(service: Service) -> dict[str, StatusListSigned]:
    """The lists as they were told last, each checked: signed, in its time, long enough."""
    rows = await service.database.pool.fetch(
        "select value from outbox where type = $1 order by id", StatusListSigned.TYPE
    )
    told = [StatusListSigned.model_validate_json(row["value"]) for row in rows]
    for content in told:
        proof = verify_proof(content.credential.encode(), lambda method: public_key_of_multikey(method.split("#")[1]))
        assert proof.ok, proof
        document = orjson.loads(content.credential)
        assert document["credentialSubject"]["statusPurpose"] == content.purpose
        assert len(bits(content)) * 8 == ENTRIES
        assert datetime.fromisoformat(document["validUntil"]) > datetime.now(UTC)
    assert [content.revision for content in told if content.list_id == told[0].list_id] == list(
        range(1, sum(content.list_id == told[0].list_id for content in told) + 1)
    )
    return {content.list_id: content for content in told}


def bits(content: StatusListSigned) -> bytes:
    """The bits of a list."""
    return decode(orjson.loads(content.credential)["credentialSubject"]["encodedList"])


def entries(issued: BadgeIssued) -> list[dict[str, Any]]:
    """What the badge says of its status, as a list."""
    told = orjson.loads(issued.credential)["credentialStatus"]
    return told if isinstance(told, list) else [told]


async def says(service: Service, issued: BadgeIssued) -> dict[str, bool]:
    """What the lists that the badge names say of it, by purpose."""
    signed = await lists(service)
    found: dict[str, bool] = {}
    for entry in entries(issued):
        content = signed[entry["statusListCredential"].rpartition("/")[2]]
        assert content.purpose == entry["statusPurpose"]
        found[entry["statusPurpose"]] = is_set(bits(content), int(entry["statusListIndex"]))
    return found


async def issue(service: Service, *learners: str) -> None:
    """The catalogue, and badges for the learners."""
    await service.hear(*published(*CATALOGUE), *registered(*learners))
    await service.hear(*(scored(name, "x", "50", 1) for name in learners))


async def test_the_list_is_told_before_the_first_badge_that_names_it(service: Service) -> None:
    await issue(service, "ada")
    rows = await service.database.pool.fetch("select type from outbox order by id")
    types = [row["type"] for row in rows]
    assert types.index(StatusListSigned.TYPE) < types.index(BadgeIssued.TYPE)
    assert types.count(StatusListSigned.TYPE) == 1
    (first, *_) = await service.told()
    (entry,) = entries(first)
    assert entry["type"] == "BitstringStatusListEntry"
    assert int(entry["statusListIndex"]) == first.status_index
    assert await says(service, first) == {"revocation": False}
    assert await sign(service) == 0  # nothing has changed since


async def test_two_workers_give_no_place_twice(service: Service, second: Service) -> None:
    await service.hear(*published(*CATALOGUE), *registered(*LEARNERS))
    await asyncio.gather(
        *(worker.hear(*(scored(name, "x", "50", 1) for name in LEARNERS[place::4]))
          for place, worker in enumerate((service, second, service, second)))
    )  # fmt: skip
    told = await service.told()
    assert len(told) == 2 * len(LEARNERS)
    places = {issued.status_index for issued in told}
    assert len(places) == len(told)
    # Neighbours in the order of awarding lie far apart: a place tells nothing of when.
    assert max(place for place in places if place is not None) > len(told) * 100


async def test_a_place_is_not_given_again_by_a_database_made_anew(service: Service) -> None:
    await issue(service, *LEARNERS[:5])
    last = max(position_of(service.office.list_secret, 1, issued.status_index or 0) for issued in await service.told())
    await service.database.pool.execute("select setval('status_position', 0, false)")
    async with begin(service.database) as work:
        await handlers.status_lists.resume_places(service.office, work)
        (position,) = await list_store.take_positions(work.connection, 1)
    assert position == last + 1


@pytest.mark.parametrize("purposes", [("revocation",), ("revocation", "suspension")])
async def test_the_lists_follow_what_becomes_of_a_badge(service: Service, purposes: tuple[ListPurpose, ...]) -> None:
    with_purposes(service.office, *purposes)
    await issue(service, "ada", "ben")
    ada = {issued.achievement_id: issued for issued in await service.told() if issued.learner_id == "ada"}
    ben = next(issued for issued in await service.told() if issued.learner_id == "ben")
    assert [entry["statusPurpose"] for entry in entries(ben)] == list(purposes)
    assert len({entry["statusListIndex"] for entry in entries(ben)}) == 1
    nothing = dict.fromkeys(purposes, False)
    # The score does not count: the badge falls, and the stack with it.
    await service.hear(voided(scored("ada", "x", "50", 1), 2))
    assert await sign(service) == len(purposes)
    for issued in ada.values():
        said = await says(service, issued)
        assert said != nothing, said
        assert "suspension" not in purposes or said["suspension"] != said["revocation"]
    assert await says(service, ben) == nothing
    # It is earned again: what was suspended holds again.
    await service.hear(scored("ada", "x", "60", 3))
    await sign(service)
    states = {row["badge_id"]: row["state"] for row in await service.database.pool.fetch("select * from badge")}
    for issued in ada.values():
        holds = states[issued.badge_id] == 0
        assert (await says(service, issued) == nothing) == holds
    assert 0 in {states[issued.badge_id] for issued in ada.values()}


async def test_all_changes_of_a_moment_are_one_signature_and_what_fails_stays_due(service: Service) -> None:
    await issue(service, *LEARNERS)
    await service.hear(*(voided(scored(name, "x", "50", 1), 2) for name in LEARNERS[:10]))
    with pytest.raises(RuntimeError, match="gone"):
        async with begin(service.database) as work:
            await handlers.sign_status_lists(service.office, work)
            raise RuntimeError("gone")
    assert await sign(service) == 1
    assert await sign(service) == 0
    (content,) = (await lists(service)).values()
    assert content.revision == 2
    assert sum(byte.bit_count() for byte in bits(content)) == 20  # ten badges, and ten stacks


async def test_two_workers_signing_lose_no_change(service: Service, second: Service) -> None:
    await issue(service, *LEARNERS)

    async def withdraw(worker: Service, names: list[str]) -> None:
        for name in names:
            await worker.hear(voided(scored(name, "x", "50", 1), 2))
            await sign(worker)

    await asyncio.gather(withdraw(service, LEARNERS[::2]), withdraw(second, LEARNERS[1::2]))
    (content,) = (await lists(service)).values()
    assert sum(byte.bit_count() for byte in bits(content)) == 2 * len(LEARNERS)


async def test_a_list_is_signed_anew_before_it_ends(service: Service) -> None:
    await issue(service, "ada")
    assert await sign(service) == 0
    await service.database.pool.execute("update status_list set signed_at = now() - interval '2 days'")
    assert await sign(service) == 1
    assert (await lists(service))["uni-revocation-1"].revision == 2


async def test_a_full_list_is_followed_by_another(service: Service) -> None:
    await service.database.pool.execute(f"select setval('status_position', {ENTRIES - 2})")
    await issue(service, "ada", "ben")
    told = await service.told()
    named = {entry["statusListCredential"].rpartition("/")[2] for issued in told for entry in entries(issued)}
    assert named == {"uni-revocation-1", "uni-revocation-2"} == set(await lists(service))

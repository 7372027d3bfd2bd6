"""Badges of other issuers: brought, verified, bound to the learner, counted, watched, and taken back (B12, B4, B6)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.common.contracts import BadgeImported, ImportedBadgeWithdrawn
from libs.common.contracts.requirement import Accepted, BadgeRequired, CreditsRequired
from libs.common.credentials.baking import bake_png
from libs.common.credentials.model import StatusEntry
from libs.common.messaging.work import begin
from services.awarding import handlers
from services.awarding.store import facts
from tests.libs.common.checking.world import PNG
from tests.services.awarding.abroad import DID, DOOR, LIST, THEIRS, Abroad, abroad, accepting, foreign, sandbox
from tests.services.awarding.support import (
    Service,
    achievement,
    all_of,
    any_of,
    badge,
    done,
    erased,
    heard,
    passed,
    published,
    scored,
)
from tests.services.awarding.test_states import changes, holding
from tests.services.verification.support import ADDRESSES

__all__ = ["abroad", "sandbox"]


async def test_a_badge_that_is_brought_earns_what_accepts_it_and_cites_it(abroad: Abroad) -> None:
    answer = await abroad.bring(bake_png(PNG, foreign()))
    assert answer.status_code == 202, answer.text
    assert (answer.json()["state"], answer.json()["badge"]["achievement"]) == ("genuine", THEIRS)
    assert await holding(abroad.service) == set()
    assert await abroad.count() == 1
    assert await holding(abroad.service) == {"stack"}
    (issued,) = await abroad.service.told()
    (told,) = await abroad.told(BadgeImported)
    assert (told.issuer, told.achievement, told.standard, told.revision) == (DID, THEIRS, "Open Badges 3.0", 1)
    # No address of the badge, and nobody's name or address, is told.
    assert "badges/0000" not in told.model_dump_json()
    why = await abroad.client.get("/learners/ada/achievements/stack/explanation", headers=abroad.own())
    (event,) = why.json()["requirement"]["events"]
    assert (event["kind"], event["issuer"], event["digest"]) == ("imported", DID, told.digest)
    assert issued.evidence_event_ids == (UUID(event["event_id"]),)
    page = await abroad.client.get(
        "/learners/ada/achievements/stack/explanation", headers=abroad.own() | {"accept": "text/html"}
    )
    assert f"by a badge of {DID}" in page.text
    mosaic = (await abroad.client.get("/learners/ada/mosaic", headers=abroad.own())).json()
    assert [one["badge"]["name"] for one in mosaic["imported"]] == ["Coaching and Mentoring"]
    # The address has served its purpose.
    assert await abroad.service.database.pool.fetchval("select person_identity from imported_badge") is None


async def test_nobody_elses_badge_is_taken(abroad: Abroad) -> None:
    mismatch = await abroad.bring(foreign(email="ben@learner.example"))
    assert (mismatch.status_code, mismatch.json()["title"]) == (422, "Badge of somebody else")
    assert mismatch.json()["errors"][0]["reason"] == "other-recipient"
    # Genuine, and Ben's: to claim his address does not make it hers.
    taken = await abroad.bring(foreign(email="ben@learner.example"), "email:ben@learner.example")
    assert taken.status_code == 202
    await abroad.count()
    refused = await abroad.only()
    assert (refused["state"], refused["cause"].partition(":")[0]) == ("refused", "not-yours")
    assert await holding(abroad.service) == set()
    assert await abroad.service.database.pool.fetchval("select brought from imported_badge") is None


async def test_an_authorised_person_may_vouch_for_another_address(abroad: Abroad) -> None:
    staff = abroad.mint.headers("records.write", subject="registrar")
    answer = await abroad.bring(foreign(email="ada@home.example"), "email:ada@home.example", **staff)
    assert answer.status_code == 202
    await abroad.count()
    assert await holding(abroad.service) == {"stack"}
    assert await abroad.service.database.pool.fetchval("select actor from imported_badge") == "registrar"


async def test_what_is_forged_ours_or_there_already_is_refused_with_its_reason(abroad: Abroad) -> None:
    changed = json.dumps({**json.loads(foreign()), "name": "Better"}).encode()
    answer = await abroad.bring(changed)
    assert (answer.status_code, answer.json()["title"]) == (422, "Badge is not genuine or not in force")
    assert answer.json()["errors"][0]["reason"] == "signature"
    assert (await abroad.bring(b"https://own.example/badges/1")).json()["title"] == "Our own badge"
    assert (await abroad.bring(b'{"hello": 1}')).json()["title"] == "No badge found"
    assert (await abroad.bring(foreign(), "")).json()["errors"][0]["pointer"] == "/recipient"
    assert (await abroad.bring(foreign())).status_code == 202
    twice = await abroad.bring(bake_png(PNG, foreign()))
    assert (twice.status_code, twice.json()["title"]) == (409, "Badge is imported already")


async def test_the_door_is_the_learners(abroad: Abroad) -> None:
    assert (await abroad.client.post(DOOR, content=foreign())).status_code == 401
    assert (await abroad.bring(foreign(), **abroad.own("ben"))).status_code == 403
    assert (await abroad.bring(foreign(), **abroad.mint.headers("records.read"))).status_code == 403
    assert (await abroad.client.get(DOOR, headers=abroad.own("ben"))).status_code == 403
    nobody = await abroad.client.post(
        "/learners/zoe/imported-badges", content=foreign(), params={"recipient": "email:a@b.example"},
        headers=abroad.mint.headers("records.write"),
    )  # fmt: skip
    assert nobody.status_code == 404


async def test_what_nobody_can_tell_is_tried_again(abroad: Abroad) -> None:
    hidden = abroad.world.folders.pop("https://" + ADDRESSES.base_url.removeprefix("https://"))
    answer = await abroad.bring(foreign())
    assert (answer.status_code, answer.json()["state"]) == (202, "unclear")
    assert answer.json()["findings"]
    assert await abroad.look_again() == 0
    assert await abroad.look_again(days=1) == 1
    assert (await abroad.only())["state"] == "unclear"
    abroad.world.folders[ADDRESSES.base_url] = hidden
    asked = await abroad.client.post(f"{DOOR}/{answer.json()['import_id']}/check", headers=abroad.own())
    assert asked.status_code == 202
    assert await abroad.look_again() == 1
    assert await abroad.count() == 1
    assert await holding(abroad.service) == {"stack"}


async def test_a_later_revocation_cascades_and_an_unreachable_list_changes_nothing(abroad: Abroad) -> None:
    abroad.publish_list()
    assert (await abroad.bring(foreign(status=(StatusEntry(LIST, 7),)))).status_code == 202
    await abroad.count()
    assert await holding(abroad.service) == {"stack"}
    hidden = abroad.world.folders.pop(ADDRESSES.base_url)
    assert await abroad.look_again(days=1.5) == 1
    assert await holding(abroad.service) == {"stack"}
    abroad.world.folders[ADDRESSES.base_url] = hidden
    abroad.publish_list(7)
    assert await abroad.look_again(days=1.5) == 1
    assert await holding(abroad.service) == set()
    assert await changes(abroad.service) == [("stack", "suspended")]
    lost = await abroad.only()
    assert (lost["state"], lost["cause"], lost["next_check_at"]) == ("lost", "revoked", None)
    (told,) = await abroad.told(ImportedBadgeWithdrawn)
    assert told.cause == "revoked"


async def test_who_holds_the_address_puts_no_other_badge_in_its_place(abroad: Abroad) -> None:
    """A badge that was brought by its address is asked for at its issuer, not again at that address."""
    place = "https://mine.example/badge"
    abroad.publish_list()
    abroad.world.put(place, json.loads(foreign(status=(StatusEntry(LIST, 7),))))
    assert (await abroad.bring(place.encode())).status_code == 202
    await abroad.count()
    assert await holding(abroad.service) == {"stack"}
    abroad.publish_list(7)
    abroad.world.put(place, json.loads(foreign(2, "ben@learner.example")))
    assert await abroad.look_again(days=1.5) == 1
    assert (await abroad.only())["cause"] == "revoked"
    assert await holding(abroad.service) == set()


async def test_what_runs_out_is_lost_at_its_time(abroad: Abroad) -> None:
    await abroad.bring(foreign(valid_until=datetime.now(UTC) + timedelta(days=10)))
    await abroad.count()
    await abroad.look_again(days=1)
    assert await holding(abroad.service) == {"stack"}
    await abroad.look_again(days=11)
    assert await holding(abroad.service) == set()
    assert (await abroad.only())["cause"] == "expired"


async def test_a_badge_taken_back_costs_what_stands_on_it_and_may_come_again(abroad: Abroad) -> None:
    first = (await abroad.bring(foreign())).json()["import_id"]
    await abroad.count()
    assert (await abroad.client.delete(f"{DOOR}/{first}", headers=abroad.own())).status_code == 204
    assert (await abroad.client.delete(f"{DOOR}/{first}", headers=abroad.own())).status_code == 404
    assert await abroad.count() == 1
    assert await holding(abroad.service) == set()
    assert (await abroad.client.get(DOOR, headers=abroad.own())).json()["imported_badges"] == []
    await abroad.bring(foreign())
    await abroad.count()
    assert await holding(abroad.service) == {"stack"}
    assert await changes(abroad.service) == [("stack", "suspended"), ("stack", "reinstated")]


async def test_an_achievement_published_later_finds_what_was_brought(abroad: Abroad) -> None:
    await abroad.bring(foreign())
    await abroad.count()
    later = CreditsRequired(at_least=2, achievement_ids=("part",), accepts=(Accepted(issuer=DID, credits=2),))  # type: ignore[arg-type]
    lean = CreditsRequired(at_least=2, achievement_ids=("part",), accepts=(Accepted(issuer=DID),))  # type: ignore[arg-type]
    await abroad.service.hear(
        *published(
            achievement("worth", later), achievement("worthless", lean),
            achievement("route", any_of(badge("part"), accepting(label="Coaching"), done("z"))),
        )
    )  # fmt: skip
    await abroad.service.recheck()
    assert await holding(abroad.service) == {"stack", "worth", "route"}


async def test_erasure_forgets_what_was_brought(abroad: Abroad) -> None:
    await abroad.bring(foreign())
    await abroad.count()
    await abroad.service.hear(erased("ada"))
    pool = abroad.service.database.pool
    assert await pool.fetchval("select count(*) from imported_badge") == 0
    assert await pool.fetchval("select email_digest from learner where learner_id = 'ada'") is None
    assert await pool.fetchval("select count(*) from fact") == 0


async def test_an_awarding_that_is_rebuilt_remembers_imports(abroad: Abroad, service: Service) -> None:
    await abroad.bring(foreign())
    await abroad.count()
    (told,) = await abroad.told(BadgeImported)
    pool = service.database.pool
    row = await pool.fetchrow("select event_id, time from outbox where type = $1", BadgeImported.TYPE)
    same = "select badge_id, valid_from, evidence_events, evidence_badges, open_badge_2 from badge"
    before = await pool.fetch(same)
    for table in ("badge_change", "badge", "fact", "imported_badge", "outbox"):
        await pool.execute(f"delete from {table}")
    event = heard(told, f"import:{told.import_id}", "x", row["time"])
    event = event._replace(event_id=row["event_id"])
    async with begin(service.database) as work:
        await handlers.on_badge_imported(service.office, work, [event])
    assert await holding(service) == {"stack"}
    assert await pool.fetch(same) == before
    gone = ImportedBadgeWithdrawn(
        import_id=told.import_id, learner_id="ada", supersedes=row["event_id"], cause="revoked"
    )
    async with begin(service.database) as work:
        await handlers.on_imported_badge_withdrawn(
            service.office, work, [heard(gone, "x", "gone", row["time"] + timedelta(days=1))]
        )
    assert await holding(service) == set()
    assert (await abroad.only())["state"] == "lost"
    # Brought again, it can be watched again.
    assert (await abroad.bring(foreign())).json()["next_check_at"]
    assert await pool.fetchval("select brought from imported_badge") == foreign()


async def test_among_many_facts_a_badge_counts_as_any_of_its_issuer_too(
    abroad: Abroad, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else that the import is a fact about is due."""
    monkeypatch.setattr(facts, "MANY", 8)
    any_of_theirs = BadgeRequired(achievement_id="other", accepts=(Accepted(issuer=DID),))
    learnt = passed("y")
    await abroad.service.hear(
        *published(achievement("broad", all_of(learnt, any_of_theirs))),
        scored("ada", "x", "80", 1),  # `part`, and with it `stack`
        *(scored("ada", "y", "80", number) for number in range(12)),
    )
    await abroad.service.recheck()
    await abroad.bring(foreign())
    await abroad.count()
    assert await holding(abroad.service) == {"part", "stack", "broad"}

"""Learners see and end what they granted programs; what these pushed is told; who is never used is forgotten."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import orjson
import pytest

from libs.common.contracts.importing import BadgeImported, ImportedBadgeWithdrawn, ImportRefused
from libs.common.contracts.verification import BadgePushed
from libs.common.messaging.work import LARGEST_VALUE_BYTES, begin
from libs.common.security import SESSION_COOKIE
from services.verification.api.exchange import BASE
from services.verification.handlers.backpack import keep_pushed_badge
from services.verification.handlers.granting.desk import OFFLINE, SCOPES, WRITE_CREDENTIALS
from services.verification.handlers.granting.ending import expire_programs
from services.verification.rules.pushes import name_of
from services.verification.store.backpack import Held
from services.verification.store.imports import pushed_badges
from tests.services.verification.support import PUBLIC_URL, Service, at, event
from tests.services.verification.test_erasure import erase
from tests.services.verification.test_exchange import (
    PUSHED,
    Learner,
    hidden_fields,
    learner,
    let_in,
    program,
    registered,
    served,
)

__all__ = ["learner", "served"]
PATH = "/learners/learner-1/programs"
DAY = timedelta(days=1)


def own(served: Service, learner_id: str = "learner-1") -> dict[str, str]:
    return {"authorization": f"Bearer {served.mint.token(learner_id=learner_id)}"}


async def shown(served: Service) -> dict[str, Any]:
    answer = await served.client.get(PATH, headers=own(served))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    return answer.json()


async def told(served: Service) -> list[tuple[str, BadgePushed | None]]:
    rows = await served.database.pool.fetch(
        "select key, value from outbox where type = $1 order by id", BadgePushed.TYPE
    )
    return [
        (row["key"].decode(), row["value"] and BadgePushed.model_validate_json(row["value"])) for row in rows
    ]  # fmt: skip


async def test_a_learner_sees_and_ends_what_they_granted(served: Service, learner: Learner) -> None:
    assert (await shown(served))["programs"] == []
    async with program(served, await registered(served)) as client:
        tokens = await let_in(served, learner, client)
        (grant,) = (await shown(served))["programs"]
        assert (grant["program"], grant["address"], set(grant["scopes"])) == (
            "A wallet", "https://wallet.example/back", set(SCOPES),
        )  # fmt: skip
        assert len(grant["allows"]) == len(SCOPES)
        place = f"{PATH}/{grant['grant_id']}"
        # Nobody else's token shows or ends it, whatever else it may do.
        for headers in ({}, own(served, "learner-2"), served.mint.headers("records.read"), _cookie(learner)):
            assert (await served.client.delete(place, headers=headers)).status_code == 404
        for headers in ({}, own(served, "learner-2"), served.mint.headers("records.read")):
            assert (await served.client.get(PATH, headers=headers)).status_code == 404
        assert (await served.client.delete(place, headers=own(served))).status_code == 204
        assert (await client.get(f"{BASE}/profile")).status_code == 401
        with pytest.raises(Exception, match="invalid_grant"):
            await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=tokens["refresh_token"])
    assert (await served.client.delete(place, headers=own(served))).status_code == 404
    found = await shown(served)
    assert found["programs"] == []
    assert sorted((one["act"], one["actor"]) for one in found["history"]) == [
        ("ended", "learner"), ("granted", "learner"),
    ]  # fmt: skip
    assert {one["at"] for one in found["history"]} == {at(60).isoformat()}


def _cookie(learner: Learner) -> dict[str, str]:
    return {"cookie": f"{SESSION_COOKIE}={learner.cookie}"}


async def test_the_page_ends_a_grant_without_a_script(served: Service, learner: Learner) -> None:
    headers = {**_cookie(learner), "accept": "text/html"}
    async with program(served, await registered(served, client_name="<b>Bold</b>")) as client:
        await let_in(served, learner, client)
        page = await served.client.get(f"{PATH}?lang=fr", headers=headers)
        assert "&lt;b&gt;Bold" in page.text
        assert "Voir tous vos badges" in page.text
        fields = hidden_fields(page.text)
        for wrong in ({**fields, "token": "x"}, {"grant": fields["grant"]}):
            assert (await served.client.post(PATH, data=wrong, headers=headers)).status_code == 404
        no_grant = await served.client.post(PATH, data={"token": fields["token"]}, headers=headers)
        assert no_grant.status_code == 422
        for _ in range(2):
            answer = await served.client.post(f"{PATH}?lang=fr", data=fields, headers=headers)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?lang=fr")
        assert (await client.get(f"{BASE}/profile")).status_code == 401
    assert "Vous avez mis fin à son accès." in (await served.client.get(f"{PATH}?lang=fr", headers=headers)).text
    wall = await served.client.get("/learners/learner-1/badges", headers=headers)
    assert f'href="{PATH}"' in wall.text


async def test_what_the_program_or_a_thief_ends_is_told_as_such(served: Service, learner: Learner) -> None:
    async with program(served, await registered(served)) as client:
        tokens = await let_in(served, learner, client)
        await client.revoke_token(f"{PUBLIC_URL}/oauth/revoke", token=tokens["refresh_token"])
        first = await let_in(served, learner, client)
        await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=first["refresh_token"])
        with pytest.raises(Exception, match="invalid_grant"):
            await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=first["refresh_token"])
    ended = [one["actor"] for one in (await shown(served))["history"] if one["act"] == "ended"]
    assert sorted(ended) == ["misuse", "program"]


async def test_without_offline_access_a_program_works_for_a_day(served: Service, learner: Learner) -> None:
    async with program(served, await registered(served)) as client:
        client.scope = SCOPES[0]
        tokens = await let_in(served, learner, client)
        served.set_clock(at(60) + timedelta(hours=23))
        again = await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=tokens["refresh_token"])
        served.set_clock(at(60) + timedelta(hours=25))
        with pytest.raises(Exception, match="invalid_grant"):
            await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=again["refresh_token"])
        client.scope = f"{SCOPES[0]} {OFFLINE}"
        tokens = await let_in(served, learner, client)
        for days in (80, 160):
            served.set_clock(at(60) + days * DAY)
            tokens = await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=tokens["refresh_token"])
        assert len((await shown(served))["programs"]) == 1
        served.set_clock(at(60) + 251 * DAY)
        with pytest.raises(Exception, match="invalid_grant"):
            await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=tokens["refresh_token"])
        assert (await shown(served))["programs"] == []


async def forget(served: Service, days: float, most: int = 100) -> int:
    async with begin(served.database) as work:
        return await expire_programs(work, now=at(60) + days * DAY, untried=7 * DAY, unused=400 * DAY, most=most)


async def clients(served: Service) -> int:
    return await served.database.pool.fetchval("select count(*) from oauth_client")


async def test_programs_that_nobody_uses_are_forgotten_some_at_a_time(served: Service, learner: Learner) -> None:
    for _ in range(3):
        await registered(served)
    async with program(served, await registered(served)) as client:
        client.scope = f"{SCOPES[0]} {OFFLINE}"
        tokens = await let_in(served, learner, client)
        served.set_clock(at(60) + 30 * DAY)
        await client.refresh_token(f"{PUBLIC_URL}/oauth/token", refresh_token=tokens["refresh_token"])
    assert await forget(served, 6) == 0
    assert (await forget(served, 8, most=2), await clients(served)) == (2, 2)
    assert (await forget(served, 8, most=2), await clients(served)) == (1, 1)
    # What was replaced goes when it could be shown by nobody, the grant with the last of its tokens.
    assert (await forget(served, 100), await served.database.pool.fetchval("select count(*) from oauth_token")) == (
        1,
        1,
    )
    assert (await forget(served, 119), len((await shown(served))["programs"])) == (0, 1)
    assert (await forget(served, 130), (await shown(served))["programs"]) == (1, [])
    assert (await forget(served, 429), await clients(served)) == (0, 1)
    assert (await forget(served, 431), await clients(served)) == (1, 0)
    # Who let it in, and when, is still told.
    assert [one["act"] for one in (await shown(served))["history"]] == ["granted"]


async def test_what_is_pushed_is_told_once_and_what_became_of_it_is_shown(served: Service, learner: Learner) -> None:
    async with program(served, await registered(served)) as client:
        await let_in(served, learner, client)
        for _ in range(2):
            assert (await client.post(f"{BASE}/credentials", content=PUSHED.credential)).status_code in (200, 201)
    ((key, pushed),) = await told(served)
    assert pushed is not None
    assert (pushed.learner_id, pushed.content, pushed.digest) == ("learner-1", PUSHED.credential, PUSHED.digest)
    assert key == str(pushed.push_id)
    (one,) = (await shown(served))["pushed_badges"]
    assert (one["state"], one["cause"], one["name"]) == ("waiting", None, "Coaching and Mentoring")
    word = {"import_id": pushed.push_id, "learner_id": "learner-1", "digest": pushed.digest}
    await served.hear(event(ImportRefused(**word, cause="unbound", detail="Say so.", is_final=False), minutes=2))
    (one,) = (await shown(served))["pushed_badges"]
    assert (one["state"], one["cause"], one["detail"].startswith("It does not name")) == ("waiting", "unbound", True)
    await _leads_to_awarding(served, learner)
    imported = BadgeImported(**word, issuer="did:web:x.example", name="X", standard="Open Badges 3.0")
    await served.hear(event(imported, minutes=3))
    lost = ImportedBadgeWithdrawn(
        import_id=pushed.push_id, learner_id="learner-1", supersedes=uuid4(), cause="revoked"
    )  # fmt: skip
    assert (await shown(served))["pushed_badges"][0]["state"] == "counting"
    # Whichever is heard first, the later word holds.
    await served.hear(event(lost, minutes=5), event(imported, minutes=4))
    (one,) = (await shown(served))["pushed_badges"]
    assert (one["state"], one["cause"]) == ("lost", "revoked")
    page = await served.client.get(PATH, headers={**_cookie(learner), "accept": "text/html"})
    assert "Its issuer withdrew it" in page.text


async def _leads_to_awarding(served: Service, learner: Learner) -> None:
    """The page says that it waits, and leads to where the learner says whose it is, if anything is known of that."""
    headers, place = {**_cookie(learner), "accept": "text/html"}, "/learners/learner-1/imported-badges"
    page = await served.client.get(PATH, headers=headers)
    assert "it waits until you say to which address it was awarded." in page.text
    assert place not in page.text
    for url in ("https://awards.example", "https://awards.example/"):
        served.app.state.parts = replace(served.app.state.parts, awarding_url=url)
        page = await served.client.get(f"{PATH}?lang=fr", headers=headers)
        assert f'href="https://awards.example{place}?lang=fr"' in page.text
        assert "Dire à quelle adresse il a été décerné" in page.text


async def test_another_in_its_place_is_told_and_an_old_refusal_says_nothing_of_it(served: Service) -> None:
    metadata = '{"client_name": "x", "redirect_uris": ["https://x/"]}'
    await served.database.pool.execute("insert into oauth_client values ('c', null, $1::jsonb, now())", metadata)
    await served.database.pool.execute(
        "insert into oauth_grant values (gen_random_uuid(), 'c', 'learner-1', $1, now())", WRITE_CREDENTIALS
    )
    for number, text in enumerate((b"{}", b"{}", b'{"id": 1}', b"{}", b'"' + b"x" * LARGEST_VALUE_BYTES + b'"')):
        async with begin(served.database) as work:
            held = Held(text, is_token=False)
            await keep_pushed_badge(work, "learner-1", "urn:x", held, issued_at=at(1), at=at(number), most=9)
        if number == 1:
            ((_, first),) = await told(served)
            assert first is not None
            refused = ImportRefused(
                import_id=first.push_id, learner_id="learner-1", digest=first.digest, cause="not-genuine", detail="No."
            )
            await served.hear(event(refused, minutes=1.5))
            assert (await shown(served))["pushed_badges"][0]["state"] == "refused"
        if number == 2:
            assert (await shown(served))["pushed_badges"][0]["state"] == "waiting"
    ids = [uuid5(UUID(int=0), str(one and one.digest)) for _, one in await told(served)]
    assert len(ids) == 3
    assert len(set(ids)) == 2
    (one,) = (await shown(served))["pushed_badges"]
    assert (one["state"], one["cause"]) == ("refused", "too-large")


async def test_erasure_takes_what_was_pushed_from_the_topic_too(served: Service, learner: Learner) -> None:
    async with program(served, await registered(served)) as client:
        await let_in(served, learner, client)
        await client.post(f"{BASE}/credentials", content=PUSHED.credential)
    ((_, pushed),) = await told(served)
    assert pushed is not None
    refused = ImportRefused(
        import_id=pushed.push_id, learner_id="learner-1", digest=pushed.digest, cause="not-genuine", detail="No."
    )
    await served.hear(event(refused, minutes=61))
    await erase(served, minutes=90)
    assert (await told(served))[-1] == (str(pushed.push_id), None)
    # What is said of it later, of before, is not kept.
    await served.hear(event(refused, minutes=62))
    for table in ("import_word", "grant_word", "pushed_badge"):
        assert await served.database.pool.fetchval(f"select count(*) from {table}") == 0


async def test_a_pushed_token_has_a_name_and_what_cannot_be_read_its_id(served: Service) -> None:
    await served.database.pool.execute(
        "insert into pushed_badge (learner_id, credential_id, content, is_token, issued_at, kept_at) values"
        " ('learner-1', 'urn:a', $1, true, now(), now() - interval '1 minute'),"
        " ('learner-1', 'urn:b', 'x', false, now(), now())",
        b".".join((b"e30", _encoded({"vc": orjson.loads(PUSHED.credential)}), b"e30")),
    )
    kept = await pushed_badges(served.database.pool, "learner-1", 10)
    assert [name_of(one) for one in kept] == ["urn:b", "Coaching and Mentoring"]
    assert [one["state"] for one in (await shown(served))["pushed_badges"]] == ["kept", "kept"]


def _encoded(content: object) -> bytes:
    return urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=")

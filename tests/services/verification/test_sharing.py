"""The learner decides who sees a badge, until when, and takes it back; an erased one is as if it never was (M1.3)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from libs.common.security import SESSION_COOKIE
from services.verification.rules.codes import code_of
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    PUBLIC_URL,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    revoked,
    running,
)

HTML = "text/html"
BADGE, OTHER = badge_issued(shown_name="Ada Lovelace"), badge_issued("learner-2")
PAGE = f"/badges/{BADGE.badge_id}"
FACES = (
    PAGE, f"{PAGE}.json", f"/ob2/assertions/{BADGE.badge_id}", f"/c/{code_of(BADGE.badge_id)}",
)  # fmt: skip


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with a badge of learner-1 that names her, and one of learner-2."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE, OTHER)
    return service


def own(service: Service, learner_id: str = "learner-1") -> dict[str, str]:
    return {"authorization": f"Bearer {service.mint.token(learner_id=learner_id)}"}


async def decide(service: Service, **decision: Any) -> dict[str, Any]:
    answer = await service.client.put(f"{PAGE}/sharing", headers=own(service), json=decision)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def statuses(service: Service, query: str = "") -> set[int]:
    return {(await service.get(path + query)).status_code for path in FACES}


async def test_a_badge_is_shared_until_its_learner_takes_it_back(served: Service) -> None:
    assert await statuses(served) == {200, 302}
    told = await decide(served, audience="private")
    assert (told["audience"], told["decided"], told["links"]) == ("private", True, [])
    unknown = await served.get("/badges/00000000-0000-4000-8000-000000000000.json")
    for path in FACES:
        for accept in (None, HTML):
            gone = await served.get(path, accept)
            assert gone.status_code == 404
            if accept is None:
                # One and the same answer: nobody learns that there is something.
                assert (gone.content, gone.headers) == (unknown.content, unknown.headers)
    await decide(served, audience="public")
    assert await statuses(served) == {200, 302}


async def test_only_its_learner_decides_and_sees_the_controls(served: Service) -> None:
    for headers in ({}, own(served, "learner-2"), served.mint.headers("records.read")):
        for call in (
            served.client.get(f"{PAGE}/sharing", headers=headers),
            served.client.put(f"{PAGE}/sharing", headers=headers, json={"audience": "private"}),
            served.client.post(f"{PAGE}/links", headers=headers, json={"purpose": "x"}),
            served.client.delete(f"{PAGE}/links/{uuid4()}", headers=headers),
            served.client.post(f"{PAGE}/sharing", headers=headers, data={"do": "decide", "audience": "private"}),
        ):
            assert (await call).status_code == 404
    assert await statuses(served) == {200, 302}
    assert "/sharing" not in (await served.get(PAGE, HTML)).text
    page = await served.client.get(PAGE, headers={"accept": HTML, **own(served)})
    assert f'href="{PAGE}/sharing"' in page.text
    assert page.headers["cache-control"] == "private, no-store"


async def test_the_owner_sees_what_nobody_else_does(served: Service) -> None:
    await decide(served, audience="private")
    for path in FACES[:3]:
        answer = await served.client.get(path, headers={"accept": "*/*", **own(served)})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-store"
    assert await statuses(served) == {404}


async def test_a_share_ends_at_its_instant(served: Service) -> None:
    await decide(served, audience="public", until=at(120).isoformat())
    assert await statuses(served) == {200, 302}
    served.set_clock(at(120))
    assert await statuses(served) == {404}


async def test_a_link_shows_a_badge_to_whoever_has_it_until_it_is_ended(served: Service) -> None:
    await decide(served, audience="private")
    wish = {"purpose": "for the application at the harbour", "until": at(300).isoformat()}
    made = (await served.client.post(f"{PAGE}/links", headers=own(served), json=wish)).json()
    query = made["address"].removeprefix(f"{PUBLIC_URL}{PAGE}")
    assert re.fullmatch(r"\?share=[\w-]{32}", query)
    for path in FACES[:3]:
        answer = await served.get(path + query)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-store"
    # The link opens this badge alone, and the code leads to what everybody may see.
    assert (await served.get(FACES[3] + query)).status_code == 404
    assert (await served.get(f"{PAGE}.json?share=wrong")).status_code == 404
    page = (await served.get(PAGE + query, HTML)).text
    assert f'href="{PAGE}.json{query}"' in page
    listed = (await served.client.get(f"{PAGE}/sharing", headers=own(served))).json()["links"]
    assert [(one["purpose"], one["address"]) for one in listed] == [(wish["purpose"], made["address"])]
    served.set_clock(at(300))
    assert (await served.get(f"{PAGE}.json{query}")).status_code == 404
    served.set_clock(at(200))
    gone = await served.client.delete(f"{PAGE}/links/{made['link_id']}", headers=own(served))
    assert gone.status_code == 204
    assert (await served.get(f"{PAGE}.json{query}")).status_code == 404
    again = await served.client.delete(f"{PAGE}/links/{made['link_id']}", headers=own(served))
    assert again.status_code == 404


async def test_a_badge_has_so_many_links_and_no_more(served: Service) -> None:
    for count in range(51):
        answer = await served.client.post(f"{PAGE}/links", headers=own(served), json={"purpose": f"link {count}"})
        assert answer.status_code == (201 if count < 50 else 409)


async def test_without_the_name_there_is_a_page_and_no_file(served: Service) -> None:
    assert "Ada Lovelace" in (await served.get(PAGE, HTML)).text
    await decide(served, audience="public", shows_name=False)
    page = await served.get(PAGE, HTML)
    assert page.status_code == 200
    assert "Ada Lovelace" not in page.text
    assert "Record of achievement" in page.text
    assert f"{PAGE}.json" not in page.text
    assert "link" not in page.headers
    # What is signed cannot be cut: it is served whole or not at all.
    assert (await served.get(f"{PAGE}.json")).status_code == 404
    assert (await served.get(FACES[2])).status_code == 404
    await decide(served, audience="public", shows_evidence=False)
    page = (await served.get(PAGE, HTML)).text
    assert "Ada Lovelace" in page
    assert "Record of achievement" not in page


async def test_hiding_what_is_not_there_hides_no_file(served: Service) -> None:
    path = f"/badges/{OTHER.badge_id}"
    answer = await served.client.put(
        f"{path}/sharing", headers=own(served, "learner-2"), json={"audience": "public", "shows_name": False}
    )
    assert answer.status_code == 200
    assert (await served.get(f"{path}.json")).content == OTHER.credential.encode()


@pytest.mark.parametrize(
    ("decision", "pointer"),
    [
        ({"audience": "friends"}, "/audience"),
        ({}, "/audience"),
        ({"audience": "public", "until": at(1).isoformat()}, "/until"),
        ({"audience": "public", "until": "2027-01-01T00:00:00"}, "/until"),
        ({"audience": "private", "until": at(999).isoformat()}, "/until"),
        ({"audience": "public", "colour": "red"}, "/colour"),
    ],
)
async def test_a_decision_that_is_none_is_refused(served: Service, decision: dict[str, Any], pointer: str) -> None:
    answer = await served.client.put(f"{PAGE}/sharing", headers=own(served), json=decision)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_revoked_badge_stays_visible_with_its_verdict(served: Service) -> None:
    await served.hear(event(revoked(BADGE), minutes=2))
    page = await served.get(PAGE, HTML)
    assert page.status_code == 200
    assert "Genuine, but withdrawn" in page.text


async def signed_in(service: Service, learner_id: str = "learner-1") -> str:
    """The form's token for a learner's session, which the client then has."""
    service.client.cookies.set(SESSION_COOKIE, service.mint.token(learner_id=learner_id), domain="badges.example")
    page = await service.get(f"{PAGE}/sharing", HTML)
    assert page.status_code == 200
    return unescape(page.text.partition('name="token" value="')[2].partition('"')[0])


async def test_people_decide_on_a_page_without_javascript(served: Service) -> None:
    token = await signed_in(served)
    form = {"token": token, "do": "decide", "audience": "public", "until": "2026-02-01", "shows_evidence": "on"}
    answer = await served.client.post(f"{PAGE}/sharing?lang=fr", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}/sharing?lang=fr")
    page = (await served.get(f"{PAGE}/sharing?lang=fr", HTML)).text
    assert "jusqu’au 1 février 2026" in unescape(page)
    form = {"token": token, "do": "link", "purpose": "für Zürich <b>", "until": "", "shows_name": "on"}
    assert (await served.client.post(f"{PAGE}/sharing", data=form)).status_code == 303
    page = (await served.get(f"{PAGE}/sharing", HTML)).text
    assert "für Zürich &lt;b&gt;" in page
    link = page.partition('name="link" value="')[2].partition('"')[0]
    assert (await served.client.post(f"{PAGE}/sharing", data={"token": token, "do": "end", "link": link})).status_code
    assert "für Zürich" not in (await served.get(f"{PAGE}/sharing", HTML)).text


async def test_a_form_of_another_site_is_not_believed(served: Service) -> None:
    token = await signed_in(served)
    for wrong in ("", "x", token[:-1], token.upper(), "é"):
        form = {"token": wrong, "do": "decide", "audience": "private"}
        assert (await served.client.post(f"{PAGE}/sharing", data=form)).status_code == 404
    # Nor does the session open the doors that programs use.
    answer = await served.client.put(f"{PAGE}/sharing", json={"audience": "private"})
    assert answer.status_code == 404
    for form in ({"do": "decide", "audience": "public", "until": "soon"}, {"do": "link", "purpose": " "}, {"do": ""}):
        assert (await served.client.post(f"{PAGE}/sharing", data={"token": token, **form})).status_code == 422


@pytest.fixture
async def guarded(database_dsn: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A deployment where nobody sees a badge until its learner says so, and codes are tried three times a minute."""
    async with running(database_dsn, tmp_path, sharing="private", codes_per_minute=3) as started:
        started.set_clock(at(60))
        await started.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
        yield started


async def test_a_deployment_may_share_nothing_by_itself(guarded: Service) -> None:
    assert await statuses(guarded) == {404}
    told = (await guarded.client.get(f"{PAGE}/sharing", headers=own(guarded))).json()
    assert (told["audience"], told["decided"]) == ("private", False)
    await decide(guarded, audience="public")
    assert await statuses(guarded) == {200, 302}


async def test_codes_are_not_to_be_guessed(guarded: Service) -> None:
    code = code_of(BADGE.badge_id)
    assert [(await guarded.get(f"/c/{text}")).status_code for text in (code, "nonsense", "0000-0000-0000", code)] == [
        404, 404, 404, 429,
    ]  # fmt: skip


async def test_a_code_leads_to_the_badge_however_it_is_written(served: Service) -> None:
    code = code_of(BADGE.badge_id)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", code)
    for text in (code, code.lower(), code.replace("-", ""), code.replace("0", "O").replace("1", "l")):
        answer = await served.get(f"/c/{text}?lang=fr")
        assert (answer.status_code, answer.headers["location"]) == (302, f"{PAGE}?lang=fr")
    told = (await served.client.get(f"{PAGE}/sharing", headers=own(served))).json()
    assert told["code"] == code

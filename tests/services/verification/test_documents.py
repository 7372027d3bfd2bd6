"""The public documents of a badge: which form, with which headers, to whom (M1.39, B6)."""

from typing import Any

import orjson
import pytest

from libs.common.credentials.keys import public_key_of_multikey
from libs.common.credentials.proof import verify_proof
from libs.common.web.documents import SIGNED, STATUS
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    OTHER_KEY,
    PUBLIC_URL,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    reinstated,
    revoked,
    suspended,
)

BADGE = badge_issued()
ID = str(BADGE.badge_id)
PAGE = f"/badges/{ID}"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def path_of(address: str) -> str:
    return address.removeprefix(PUBLIC_URL)


ASSERTION = path_of(ADDRESSES.assertion(ID))


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with one badge, its issuer, achievement and key."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
    return service


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        (PAGE, CHROME, "text/html; charset=utf-8"),
        (PAGE, None, "text/html; charset=utf-8"),
        (PAGE, "*/*", "text/html; charset=utf-8"),
        (PAGE, "application/json", "application/json"),
        (PAGE, "application/ld+json", "application/ld+json"),
        (PAGE, "application/vc+ld+json", "application/vc+ld+json"),
        (PAGE, "application/vc", "application/vc"),
        (PAGE, "application/json, text/html;q=0.9", "application/json"),
        (f"{PAGE}.json", None, "application/vc+ld+json"),
        (f"{PAGE}.json", "application/json", "application/json"),
        (f"{PAGE}.json", "image/png", "application/vc+ld+json"),
        (ASSERTION, None, "application/ld+json"),
        (ASSERTION, "application/json", "application/json"),
    ],
)
async def test_the_form_that_was_asked_for(served: Service, path: str, accept: str | None, expected: str) -> None:
    for _ in range(2):  # from the database, then from memory
        answer = await served.get(path, accept)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == expected
        assert "accept" in answer.headers["vary"].lower()


async def test_a_form_that_is_not_there(served: Service) -> None:
    answer = await served.get(PAGE, "audio/ogg")
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json" or "text/html" in answer.headers["content-type"]


async def test_the_credential_is_served_as_it_was_signed(served: Service) -> None:
    for _ in range(2):
        answer = await served.get(f"{PAGE}.json")
        assert answer.content == BADGE.credential.encode()
        assert answer.headers["etag"] == f'"{BADGE.digest.removeprefix("sha256:")}"'
        assert answer.headers["cache-control"] == SIGNED
        assert answer.headers["last-modified"] == "Mon, 05 Jan 2026 09:00:00 GMT"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("path", [f"{PAGE}.json", ASSERTION, PAGE, "/issuers/prairie", "/"])
async def test_what_the_caller_has_is_not_sent_again(served: Service, path: str) -> None:
    whole = await served.get(path)
    for held in (whole.headers["etag"], "*", f'"x", W/{whole.headers["etag"]}'):
        again = await served.get(path, if_none_match=held)
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "cache-control", "vary"):
            assert again.headers[name] == whole.headers[name]
    assert (await served.get(path, if_none_match='"x"')).status_code == 200


async def test_a_date_is_enough_for_what_never_changes(served: Service) -> None:
    path = f"{PAGE}.json"
    for _ in range(2):
        since = (await served.get(path)).headers["last-modified"]
        assert (await served.get(path, if_modified_since=since)).status_code == 304
        assert (await served.get(path, if_modified_since=since, if_none_match='"x"')).status_code == 200


@pytest.mark.parametrize("path", [f"{PAGE}.json", ASSERTION, PAGE, "/issuers/prairie/did.json", "/issuers/prairie"])
async def test_head_is_get_without_a_body(served: Service, path: str) -> None:
    whole, head = await served.client.get(path), await served.client.head(path)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == whole.headers


@pytest.mark.parametrize("name", [f"{PAGE}", f"{PAGE}.json", ASSERTION])
@pytest.mark.parametrize("accept", [CHROME, "application/json"])
async def test_unknown_and_malformed_ids_look_alike(served: Service, name: str, accept: str) -> None:
    alike: set[tuple[Any, ...]] = set()
    for text in (
        "00000000-0000-4000-8000-000000000000",
        "nothing",
        ID.upper(),
        ID.replace("-", ""),
        f"{{{ID}}}",
        "%00",
    ):
        answer = await served.get(name.replace(ID, text), accept)
        assert answer.status_code == 404
        headers = {header: content for header, content in answer.headers.items() if header != "content-length"}
        body = answer.text.replace(text, "")
        alike.add((body, *sorted(headers.items())))
    assert len(alike) == 1
    answer = await served.get("/no/such/address", accept)
    assert answer.text == next(iter(alike))[0]


async def test_other_sites_may_read(served: Service) -> None:
    answer = await served.client.options(PAGE, headers={"origin": "https://wallet.example"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "GET" in answer.headers["access-control-allow-methods"]
    for path in (f"{PAGE}.json", ASSERTION, "/issuers/prairie/did.json", f"{PAGE[:-1]}x"):
        assert (await served.get(path)).headers["access-control-allow-origin"] == "*"


async def test_the_assertion_says_when_the_badge_does_not_hold(served: Service) -> None:
    answer = await served.get(ASSERTION)
    assert answer.content == BADGE.open_badge_2.encode()
    assert answer.json()["id"] == f"{PUBLIC_URL}{ASSERTION}"
    assert answer.headers["cache-control"] == STATUS

    await served.hear(event(suspended(BADGE), minutes=1))
    answer = await served.get(ASSERTION)
    assert (answer.status_code, answer.json()["revoked"]) == (200, True)
    assert answer.json()["revocationReason"] == "Suspended: Under review."

    await served.hear(event(reinstated(BADGE), minutes=2))
    assert (await served.get(ASSERTION)).content == BADGE.open_badge_2.encode()

    await served.hear(event(revoked(BADGE), minutes=3))
    answer = await served.get(ASSERTION)
    # Open Badges 2.0, "Assertion": a revoked hosted badge answers 410, and may say that it is revoked and why.
    assert answer.status_code == 410
    assert answer.json()["revoked"] is True
    assert answer.json()["revocationReason"] == "Awarded in error."
    assert answer.json()["id"] == f"{PUBLIC_URL}{ASSERTION}"
    assert (await served.get(ASSERTION, if_none_match="*")).status_code == 410


async def test_a_withdrawn_badge_keeps_its_signed_document(served: Service) -> None:
    await served.hear(event(revoked(BADGE), minutes=3))
    assert (await served.get(f"{PAGE}.json")).content == BADGE.credential.encode()


async def test_memory_serves_while_the_database_is_away(served: Service) -> None:
    first = await served.get(f"{PAGE}.json")
    await served.database.pool.close()
    again = await served.get(f"{PAGE}.json")
    assert (again.status_code, again.content) == (200, first.content)
    away = await served.get(ASSERTION)
    assert away.status_code == 503
    assert "retry-after" in away.headers


async def test_the_issuers_did_document_holds_every_key(served: Service) -> None:
    await served.hear(event(key_published(OTHER_KEY, valid_until=at(500).isoformat()), minutes=7))
    answer = await served.get("/issuers/prairie/did.json")
    document = answer.json()
    assert document["id"] == ADDRESSES.issuer_did("prairie")
    assert len(document["verificationMethod"]) == len(document["assertionMethod"]) == 2
    assert answer.headers["last-modified"] == "Mon, 05 Jan 2026 09:07:00 GMT"
    keys = {
        method["id"]: public_key_of_multikey(method["publicKeyMultibase"]) for method in document["verificationMethod"]
    }
    assert verify_proof((await served.get(f"{PAGE}.json")).content, keys.get).ok


async def test_open_badges_2_documents_resolve_from_the_assertion_on(served: Service) -> None:
    assertion = (await served.get(ASSERTION)).json()
    badge_class = (await served.get(path_of(assertion["badge"]), "application/ld+json")).json()
    assert badge_class["id"] == assertion["badge"]
    assert badge_class["type"] == "BadgeClass"
    issuer = (await served.get(path_of(badge_class["issuer"]), "application/json")).json()
    assert issuer["id"] == badge_class["issuer"]
    assert issuer["email"] == "badges@prairie.example"
    image = badge_class["image"]
    picture = await served.get(path_of(image if isinstance(image, str) else image["id"]))
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in picture.headers["content-security-policy"]
    criteria = await served.get(path_of(badge_class["criteria"]["id"]), CHROME)
    assert ACHIEVEMENT.criteria in criteria.text


async def test_addresses_inside_the_credential_resolve(served: Service) -> None:
    document = orjson.loads(BADGE.credential)
    achievement = document["credentialSubject"]["achievement"]
    for address in (document["id"], achievement["id"], achievement["criteria"]["id"], achievement["image"]["id"]):
        assert (await served.get(path_of(address))).status_code == 200


async def test_programs_get_json_where_people_get_pages(served: Service) -> None:
    issuer = await served.get("/issuers/prairie", "application/json")
    assert issuer.json()["type"] == "Issuer"
    achievement = await served.get(path_of(ADDRESSES.achievement("coaching", "2")), "application/ld+json")
    assert achievement.json()["type"] == "BadgeClass"


@pytest.mark.parametrize(
    "path",
    [
        "/issuers/nobody", "/issuers/nobody/did.json", "/achievements/nothing", "/achievements/coaching/versions/1",
        "/achievements/coaching/versions/02", "/achievements/coaching/versions/x", "/achievements/coaching/versions/-2",
        "/achievements/coaching/versions/99999999999", "/static/cairn.css", "/static/x",
    ],
)  # fmt: skip
async def test_what_is_not_there(served: Service, path: str) -> None:
    assert (await served.get(path)).status_code == 404


async def test_an_achievement_leads_to_its_newest_version(served: Service) -> None:
    answer = await served.get("/achievements/coaching?lang=fr")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/achievements/coaching/versions/2?lang=fr"

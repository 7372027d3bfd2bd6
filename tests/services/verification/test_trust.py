"""Lists of trusted issuers: imported, shown, replaced, taken away; and what they change in a verdict (B6)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from libs.common.checking.judging import trust_by_lists
from services.verification.rules.trust import read_list
from tests.services.verification.support import ACHIEVEMENT, ADDRESSES, Service, badge_issued, key_published

BADGE = badge_issued()
DID = ADDRESSES.issuer_did("prairie")


async def put(service: Service, name: str, content: bytes, media_type: str = "application/json") -> httpx.Response:
    headers = {**service.mint.headers("trust.write", subject="ann"), "content-type": media_type}
    return await service.client.put(
        f"/trust-lists/{name}?source=https://lists.example", content=content, headers=headers
    )


async def verdict(service: Service) -> dict[str, Any]:
    return (await service.client.post("/verifications", content=BADGE.credential)).json()


async def test_a_list_decides_on_trust_and_on_nothing_else(service: Service) -> None:
    await service.hear_all(ACHIEVEMENT, key_published(), BADGE)  # its issuer is not in our catalogue
    before = await verdict(service)
    assert (before["answer"], before["trusted"]) == ("genuine", "unknown")
    assert (await put(service, "colleges", f"id,name\n{DID},Prairie\n".encode(), "text/csv")).json()["issuers"] == 1
    after = await verdict(service)
    assert (after["answer"], after["trusted"], after["sentence"]) == ("genuine", "pass", "Genuine and current")
    [finding] = [finding for finding in after["findings"] if finding["name"] == "issuer"]
    assert (finding["reason"], finding["more"]) == ("listed", "colleges")
    forged = BADGE.credential.replace("Coaching", "Flying")
    assert (await service.client.post("/verifications", content=forged)).json()["trusted"] == "unknown"
    await put(service, "colleges", b'["did:web:other.example"]')
    assert (await verdict(service))["trusted"] == "unknown"
    service.app.state.parts.verifier.close()


async def test_lists_are_shown_and_taken_away(service: Service) -> None:
    await put(service, "one", b'{"issuers": [{"id": "did:web:a.example", "name": "A"}, "https://b.example/"]}')
    shown = (await service.get("/trust-lists/one")).json()
    assert shown["issuers"] == [{"id": "did:web:a.example", "name": "A"}, {"id": "https://b.example/", "name": ""}]
    [entry] = (await service.get("/trust-lists")).json()["lists"]
    told = (entry["list_name"], entry["source"], entry["imported_by"], entry["issuers"])
    assert told == ("one", "https://lists.example", "ann", 2)
    headers = service.mint.headers("trust.write")
    assert (await service.client.delete("/trust-lists/one", headers=headers)).status_code == 204
    assert (await service.client.delete("/trust-lists/one", headers=headers)).status_code == 404
    assert (await service.get("/trust-lists/one")).status_code == 404
    assert (await service.client.put("/trust-lists/one", content=b"[]")).status_code == 401


@pytest.mark.parametrize(
    ("content", "as_csv", "pointer"),
    [
        (b"nothing", False, ""),
        (b"5", False, ""),
        (b"[]", False, ""),
        (b"[5]", False, "/0/id"),
        (b'["did:web:a.example", {"name": "A"}]', False, "/1/id"),
        (b'[{"id": "did:web:a.example", "name": 5}]', False, "/0/name"),
        (b"\xff", True, ""),
        (b'id\n"', True, ""),
        (b"name,id\nA,not an id\n", True, "/0/id"),
    ],
)
async def test_a_wrong_list_is_refused_whole(service: Service, content: bytes, as_csv: bool, pointer: str) -> None:
    assert [refusal.field for refusal in read_list(content, as_csv=as_csv)[1]] == [pointer]
    answer = await put(service, "wrong", content, "text/csv" if as_csv else "application/json")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert (await service.get("/trust-lists")).json()["lists"] == []


def test_csv_without_a_header_begins_with_the_id() -> None:
    found, wrong = read_list(b"did:web:a.example,A\n\ndid:web:a.example,B\n", as_csv=True)
    assert ([(issuer.issuer_id, issuer.name) for issuer in found], wrong) == ([("did:web:a.example", "A")], [])


def test_what_is_withdrawn_stays_withdrawn_whoever_issued_it() -> None:
    from libs.common.checking.judging import decide_judgement, overrule_status
    from libs.common.checking.notes import Notes

    judgement = overrule_status(decide_judgement(Notes(), "", None), "revoked", "x")
    assert trust_by_lists(judgement, ["a"]).sentence == "Genuine, but withdrawn"

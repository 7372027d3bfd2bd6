"""Many badges in one request: our own first-hand, others as alone, in order, within bounds (B6, M2.4)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.common.problems import Problem
from services.verification.api import bulk as bulk_door
from tests.libs.common.checking.disclosing import badge as unsigned_badge
from tests.libs.common.checking.disclosing import issue
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    OTHER_KEY,
    START,
    Service,
    badge_issued,
    event,
    key_published,
    revoked,
    suspended,
)

BADGE, WITHDRAWN, PAUSED = badge_issued(), badge_issued("learner-2"), badge_issued("learner-3")
EXPIRED = badge_issued("learner-4", valid_until=START + timedelta(minutes=30))
STRANGE = badge_issued("learner-5", private_key=OTHER_KEY)
FORGED = json.dumps({**json.loads(BADGE.credential), "name": "Better"})


@pytest.fixture
async def served(service: Service) -> AsyncIterator[Service]:
    """Verification that knows five badges, one of them signed with a key that it does not know."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE, WITHDRAWN, PAUSED, EXPIRED, STRANGE)
    await service.hear(event(revoked(WITHDRAWN), minutes=1), event(suspended(PAUSED), minutes=1))
    yield service
    service.app.state.parts.verifier.close()


async def sent(served: Service, content: str | bytes, media_type: str = "application/jsonl") -> httpx.Response:
    headers = {**served.mint.headers("badges.verify"), "content-type": media_type}
    return await served.client.post("/verifications/bulk", content=content, headers=headers)


async def rows(served: Service, content: str, media_type: str = "application/jsonl") -> list[dict[str, Any]]:
    answer = await sent(served, content, media_type)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jsonl"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_each_line_gets_its_verdict_in_order(served: Service) -> None:
    found = await rows(
        served,
        "\n".join(
            [
                str(BADGE.badge_id),
                json.dumps(ADDRESSES.badge(WITHDRAWN.badge_id)),
                json.dumps({"url": ADDRESSES.assertion(PAUSED.badge_id)}),
                EXPIRED.credential,
                "",
                json.dumps({"id": str(STRANGE.badge_id)}),
                FORGED,
                json.dumps({"credential": json.loads(BADGE.credential)}, indent=None),
                "{nothing",
                "00000000-0000-4000-8000-000000000000",
            ]
        ),
    )
    assert [(row["line"], row["answer"], row["sentence"]) for row in found] == [
        (1, "genuine", "Genuine and current"),
        (2, "not-genuine", "Genuine, but withdrawn"),
        (3, "not-genuine", "Genuine, but suspended"),
        (4, "not-genuine", "Genuine, but expired"),
        (6, "cannot-tell", "We cannot tell"),
        (7, "not-genuine", "Not genuine"),
        (8, "genuine", "Genuine and current"),
        (9, "nothing-found", "There is no badge in this"),
        (10, "nothing-found", "There is no badge in this"),
    ]
    assert found[0]["name"] == "Coaching and Mentoring"
    assert found[1]["findings"] == [
        {"name": "status", "outcome": "fail", "reason": "revoked", "more": "Awarded in error."}
    ]
    assert "name" not in found[5]
    assert "expected a JSON object" in found[7]["fault"]


async def test_badges_of_which_their_holders_show_a_part(served: Service) -> None:
    issued = issue(unsigned_badge())
    shown, forged = issued.derived("/name"), {**issued.derived("/name"), "name": "Better"}
    found = await rows(served, "\n".join(map(json.dumps, (shown, forged, issued.undisclosed))))
    assert [row["answer"] for row in found] == ["cannot-tell", "not-genuine", "not-genuine"]
    assert [row["findings"][0]["reason"] for row in found[1:]] == ["signature", "base-proof"]
    assert "name" not in found[1]


async def test_csv_may_name_its_columns_and_who_should_hold_it(served: Service) -> None:
    subject = json.loads(BADGE.credential)["credentialSubject"]["id"]
    table = f'name,badge,recipient\nAda,{BADGE.badge_id},id:{subject}\nBob,{BADGE.badge_id},bob@example.org\n"x\n'
    found = await rows(served, table, "text/csv")
    assert [row["sentence"] for row in found] == [
        "Genuine and current", "Genuine, but awarded to somebody else", "There is no badge in this",
    ]  # fmt: skip
    assert "CSV" in found[2]["fault"]
    [bare] = await rows(served, f"{ADDRESSES.badge(BADGE.badge_id)}\n", "text/csv")
    assert bare["answer"] == "genuine"


async def test_it_says_the_same_as_the_door_for_one(served: Service) -> None:
    """The compiled form and the reference path, the kept row and the general check, end in one verdict."""
    for badge in (BADGE, WITHDRAWN, PAUSED, EXPIRED):
        alone = (await served.client.post("/verifications", content=badge.credential)).json()
        [many] = await rows(served, badge.credential)
        for name in ("answer", "sentence", "authentic", "current", "trusted"):
            assert many[name] == alone[name], (badge, name)


async def test_the_signature_of_what_is_kept_is_checked_each_time(served: Service) -> None:
    async with served.database.transaction() as connection:
        await connection.execute(
            "update badge set credential = convert_to(replace(convert_from(credential, 'utf8'), 'Coaching', 'Flying'),"
            " 'utf8') where badge_id = $1",
            BADGE.badge_id,
        )
    [row] = await rows(served, str(BADGE.badge_id))
    assert (row["answer"], row["findings"][0]["reason"]) == ("not-genuine", "signature")


async def test_badges_of_others_are_bounded(served: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_door, "MOST_FOREIGN", 1)
    found = await rows(served, f"https://nowhere.invalid/1\nhttps://nowhere.invalid/2\n{BADGE.badge_id}")
    assert [(row["answer"], *(finding["reason"] for finding in row["findings"][:1])) for row in found] == [
        ("cannot-tell", "not-reachable"), ("cannot-tell", "too-many-foreign"), ("genuine",),
    ]  # fmt: skip


async def test_the_database_may_leave_in_the_middle(served: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await served.database.close()
    [row] = await rows(served, str(BADGE.badge_id))
    assert row["answer"] == "cannot-tell"


async def test_wrong_requests_are_problems(served: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await sent(served, "x", "image/png")).status_code == 415
    assert (await sent(served, b"\xff")).status_code == 422
    assert (await sent(served, "\n\n")).status_code == 422
    assert (await sent(served, "x\n" * 5001)).status_code == 422
    assert (await served.client.post("/verifications/bulk", content="x")).status_code == 401
    wrong = await served.client.post("/verifications/bulk", content="x", headers=served.mint.headers("records.read"))
    assert wrong.status_code == 403


def test_a_caller_has_so_many_at_a_time() -> None:
    shared = bulk_door.Bulk()
    with shared.turn("a"), shared.turn("a"):
        with pytest.raises(Problem, match="429"):
            shared.require_turn("a")
        shared.require_turn("b")
    shared.require_turn("a")

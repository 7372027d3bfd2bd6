"""The status of a credential: withdrawn, unknown, or a list that is not what it should be (B6; M1.39)."""

from __future__ import annotations

import base64
import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from libs.common.credentials import status_list
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from libs.common.credentials.proof import sign
from libs.common.credentials.shape import Shapes
from tests.libs.common.checking.world import World, reasons
from tests.services.verification.support import KEY, OTHER_KEY

ISSUER, LIST = "did:web:college.example", "https://college.example/status/1"
START = datetime(2026, 1, 5, tzinfo=UTC)
SHORT = "u" + base64.urlsafe_b64encode(gzip.compress(bytes(128), mtime=0)).decode().rstrip("=")


def signed(document: dict[str, Any], key: bytes = KEY, issuer: str = ISSUER) -> bytes:
    return orjson.dumps(sign(document, LocalSigner(key, issuer), START, Shapes()).document)


def credential(**status: Any) -> bytes:
    """A small Open Badge whose status entry is `status` over the usual one."""
    entry = {
        "id": f"{LIST}#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
        "statusListIndex": "7", "statusListCredential": LIST,
    }  # fmt: skip
    return signed(
        {
            "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
            "id": "https://college.example/badges/1",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": {"id": ISSUER, "type": ["Profile"], "name": "College"},
            "validFrom": "2026-01-05T00:00:00Z",
            "name": "Badge",
            "credentialSubject": {
                "id": "urn:uuid:8e1a4c3c-2c8c-4f59-9f0b-5a1b6a1c0001",
                "type": ["AchievementSubject"],
                "achievement": {
                    "id": "https://college.example/achievements/1", "type": ["Achievement"], "name": "Badge",
                    "description": "d", "criteria": {"narrative": "n"},
                },
            },
            "credentialStatus": {**entry, **status},
        }
    )  # fmt: skip


def listed(
    *indices: int, purpose: Any = "revocation", issuer: str = ISSUER, encoded: str | None = None, days: float = 1
) -> dict[str, Any]:
    return status_list.status_list_credential(
        LIST, issuer, purpose, status_list.encode(indices) if encoded is None else encoded,
        valid_from=START, valid_until=datetime.now(UTC).replace(microsecond=0) + timedelta(days=days),
    )  # fmt: skip


@pytest.fixture
def web(world: World) -> World:
    """The college's keys, and those of a stranger."""
    for name, key in (("college", KEY), ("stranger", OTHER_KEY)):
        did = f"did:web:{name}.example"
        keys = [PublishedKey(LocalSigner(key, did).public_key)]
        world.put(f"https://{name}.example/.well-known/did.json", did_document(did, keys))
    return world


@pytest.mark.parametrize(
    ("content", "outcome", "reason"),
    [
        (signed(listed()), None, None),
        (signed(listed(8, 6)), None, None),
        (signed(listed(7)), "fail", "revoked"),
        (signed(listed(7, days=-1)), "unknown", "status-old"),
        (signed(listed(purpose="suspension")), "fail", "status-purpose"),
        (signed({**listed(), "name": "x"}).replace(b'"x"', b'"y"'), "fail", "status-forged"),
        (orjson.dumps(listed()), "fail", "status-forged"),
        (signed(listed(issuer="did:web:stranger.example"), OTHER_KEY, "did:web:stranger.example"),
         "fail", "status-of-another"),
        (signed(listed(), OTHER_KEY), "fail", "status-forged"),
        (signed(listed(encoded=SHORT)), "fail", "status-short"),
        (signed(listed(encoded="unothing")), "fail", "status-malformed"),
        (b"<html></html>", "fail", "status-malformed"),
    ],
    ids=["clear", "others", "revoked", "old", "purpose", "tampered", "unsigned", "stranger", "strange key", "short",
         "not gzip", "a page"],
)  # fmt: skip
async def test_a_list_says_what_it_can(world: World, web: World, content: bytes, outcome: str, reason: str) -> None:
    web.put(LIST, content)
    judgement = await world.judge(credential())
    assert reasons(judgement).get("status", (None, None)) == (outcome, reason)
    expected = {None: "genuine", "fail": "not-genuine", "unknown": "cannot-tell"}[outcome]
    assert judgement.answer == expected


async def test_a_suspended_badge_is_said_so(web: World) -> None:
    web.put(LIST, signed(listed(7, purpose="suspension")))
    assert (await web.judge(credential(statusPurpose="suspension"))).sentence == "Genuine, but suspended"


async def test_a_list_that_is_not_there_leaves_the_answer_open(web: World) -> None:
    judgement = await web.judge(credential())
    assert (judgement.answer, judgement.authentic) == ("cannot-tell", "pass")
    assert reasons(judgement)["status"] == ("unknown", "status-missing")
    elsewhere = await web.judge(credential(statusListCredential="https://nowhere.invalid/1"))
    assert reasons(elsewhere)["status"] == ("unknown", "status-unreachable")


async def test_a_place_beyond_the_list_is_a_fault(web: World) -> None:
    web.put(LIST, signed(listed()))
    for index in ("131072", "-1", "x", "99999999999999"):
        assert reasons(await web.judge(credential(statusListIndex=index)))["status"] == ("fail", "status-index")

"""A badge is watched without it: its issuer is asked about nothing but whether it still holds (B4, B6)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from libs.common.checking.strict import id_of, member
from libs.common.checking.watching import watch_of
from libs.common.credentials.jwt import compact_jws
from libs.common.credentials.sealing import seal
from libs.common.fetching import Fetcher, Reach
from libs.common.verifying import Verifier
from tests.libs.common.checking.test_open_badges_2 import ASSERTION, SIGNER, SITE, publish, signed
from tests.libs.common.checking.test_status import ISSUER, LIST, credential, listed, web
from tests.libs.common.checking.test_status import signed as signed_3
from tests.libs.common.checking.world import World

__all__ = ["signed", "web"]
Words = tuple[str, str]
PASS = ("pass", "status-passed")


async def ask(world: World, watch: dict[str, Any], issuer: str) -> Words:
    """Outcome and reason of what the issuer says."""
    async with Fetcher(Reach(world.folders)) as fetcher:
        judgement = await Verifier(fetcher, world.sandbox).ask_again(watch, issuer, datetime.now(UTC))
    (found,) = [finding for finding in judgement.findings if finding.name == "status"]
    return found.outcome, found.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (signed_3(listed()), PASS),
        (signed_3(listed(7)), ("fail", "revoked")),
        (signed_3(listed(7, days=-1)), ("unknown", "status-old")),
        (orjson.dumps(listed(7)), ("fail", "status-forged")),
    ],
    ids=["clear", "revoked", "old", "unsigned"],
)
async def test_a_list_is_asked_and_checked_as_for_the_badge_itself(web: World, content: bytes, said: Words) -> None:
    watch = watch_of(credential())
    assert watch == {
        "credentialStatus": [
            {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7",
             "statusListCredential": LIST}
        ]
    }  # fmt: skip
    assert await ask(web, watch, ISSUER) == ("unknown", "status-missing")
    web.put(LIST, content)
    assert await ask(web, watch, ISSUER) == said
    # The list of another issuer says nothing of it.
    assert (await ask(web, watch, "did:web:stranger.example"))[1] in ("status-of-another", "status-forged")


async def test_a_list_of_ids_is_asked_by_the_badges_own(web: World) -> None:
    revoked = "https://college.example/revoked"
    status = {"id": revoked, "type": "1EdTechRevocationList"}
    watch = watch_of(orjson.dumps({**orjson.loads(credential()), "credentialStatus": status}))
    own = watch["id"]
    assert watch == {"id": own, "credentialStatus": [{"type": "1EdTechRevocationList", "id": revoked}]}
    web.put(revoked, {"id": revoked, "issuer": ISSUER, "revokedCredential": [{"id": "https://other.example/1"}]})
    assert await ask(web, watch, ISSUER) == PASS
    web.put(revoked, {"id": revoked, "issuer": ISSUER, "revokedCredential": [{"id": own}]})
    assert await ask(web, watch, ISSUER) == ("fail", "revoked")


async def test_a_hosted_badge_is_asked_for_at_its_address(world: World) -> None:
    publish(world)
    watch = watch_of(json.dumps(ASSERTION).encode())
    assert watch == {"hosted": ASSERTION["id"]}
    assert await ask(world, watch, f"{SITE}/issuer") == PASS
    publish(world, assertion={**ASSERTION, "revoked": True})
    assert await ask(world, watch, f"{SITE}/issuer") == ("fail", "revoked")
    # What lies there now is another: no word on this one.
    publish(world, assertion={**ASSERTION, "id": f"{SITE}/a/2", "revoked": False})
    assert (await ask(world, watch, f"{SITE}/issuer"))[0] == "unknown"
    world.folders.clear()
    assert (await ask(world, watch, f"{SITE}/issuer"))[0] == "unknown"


async def test_a_signed_assertion_is_looked_for_in_its_issuers_list(world: World, signed: bytes) -> None:
    watch = watch_of(signed)
    name = id_of(watch["assertion"]) or member(watch["assertion"], "uid")
    assert list(watch) == ["assertion"]
    assert name
    assert await ask(world, watch, f"{SITE}/issuer") == ("unknown", "status-missing")
    world.put(f"{SITE}/revoked", {"revokedAssertions": ["https://college.example/a/another"]})
    assert await ask(world, watch, f"{SITE}/issuer") == PASS
    world.put(f"{SITE}/revoked", {"revokedAssertions": [name]})
    assert await ask(world, watch, f"{SITE}/issuer") == ("fail", "revoked")
    world.folders.clear()
    assert (await ask(world, watch, f"{SITE}/issuer"))[0] == "unknown"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no badge", b"https://college.example/a/1", b"{}", b"a.b.c", b'{"@context": 1, "credentialStatus": 3}',
        json.dumps({**ASSERTION, "id": 7}).encode(),
        json.dumps({**ASSERTION, "id": "https://college.example/" + "a" * 3000}).encode(),
        json.dumps({**ASSERTION, "id": None, "verification": {"type": "SignedBadge"}}).encode(),
        credential(statusListCredential="https://college.example/" + "a" * 3000),
        compact_jws({"alg": "RS256"}, {}, SIGNER).encode(),
    ],
    ids=range(11),
)  # fmt: skip
async def test_of_what_names_nothing_to_ask_nothing_is_asked(world: World, content: bytes) -> None:
    assert watch_of(content) == {}
    assert (await ask(world, {}, ISSUER))[0] == "unknown"


def test_what_is_too_long_to_be_told_is_not_watched() -> None:
    def watch(letter: str, entries: int) -> dict[str, Any]:
        document = orjson.loads(credential(statusPurpose=letter * 1_900))
        document["credentialStatus"] = [document["credentialStatus"]] * entries
        return watch_of(orjson.dumps(document))

    assert len(watch("x", 4)["credentialStatus"]) == 4
    assert watch("é", 4)
    assert watch("字", 4) == {}
    for longest in (watch("x", 4), watch("é", 4)):
        sealed = seal(b"s" * 64, orjson.dumps(longest), "import", "sha256:0")
        assert len(sealed) <= 30_000

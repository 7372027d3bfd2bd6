"""A program pushes a badge of another institution while Kafka is away: it earns what accepts it, and is erased."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import orjson

from deploy.doors import Doors
from deploy.local.system import System
from libs.common.credentials.identifiers import hashed_email
from libs.common.credentials.issue import Template
from libs.common.credentials.keys import LocalSigner, multikey
from libs.common.credentials.model import Claim
from libs.common.security import SESSION_COOKIE
from services.verification.handlers.granting.desk import READ_CREDENTIALS, WRITE_CREDENTIALS
from tests.journeys.stage import badges_of, records_of, rows, whole_system
from tests.libs.common.messaging.waiting import until
from tests.services.verification.support import ADDRESSES, KEY, profile, terms
from tests.services.verification.test_exchange import hidden_fields

EMAIL = "ada@learner.example"
BACK = "https://wallet.example/back"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
DID = "did:key:" + multikey(LocalSigner(KEY, "did:web:unused").public_key)
THEIRS = ADDRESSES.achievement("coaching", "2")


def foreign(number: int, *, named: str) -> bytes:
    """A badge of an institution that is known by its key alone, for a subject named so."""
    claim = Claim(
        badge_url=f"https://sea.example/badges/{number}", assertion_url=f"https://sea.example/assertions/{number}",
        subject_id=named, recipient=hashed_email(EMAIL, "salt"), valid_from=datetime(2025, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    return Template(replace(profile(), id=DID), terms()).issue(claim, LocalSigner(KEY, DID)).credential


async def test_a_pushed_badge_earns_what_accepts_it(tmp_path: Path) -> None:
    async with whole_system(tmp_path / "system") as (system, doors):
        await prepare(doors)
        access = await let_in(system)
        await until(lambda: known(system))
        await asyncio.to_thread(system.kafka.stop)
        # Verification takes what is pushed all the same: the outbox keeps it.
        mine, unnamed = foreign(1, named=f"mailto:{EMAIL}"), foreign(2, named="urn:uuid:0")
        for content, status in ((mine, 201), (unnamed, 201), (mine, 200)):
            answer = await ask(system, "POST", "/ims/ob/v3p0/credentials", access, content)
            assert answer.status_code == status, answer.text
        await asyncio.to_thread(system.kafka.start)
        await until(lambda: holds(doors))
        counting, unbound = ("counting", None), ("waiting", "unbound")
        states = {"https://sea.example/badges/1": counting, "https://sea.example/badges/2": unbound}
        await until(lambda: shows(system, states))
        # The same once more earns nothing more, and every message about it is one.
        assert (await ask(system, "POST", "/ims/ob/v3p0/credentials", access, mine)).status_code == 200
        assert len([one for one in await records_of(system, "pushed-badges") if one.value is not None]) == 2
        await doors.delete("enrollment", "/learners/ada")
        await until(lambda: _erased(system))
        assert (await ask(system, "GET", "/ims/ob/v3p0/credentials", access)).status_code == 401
        assert await rows(system, "awarding", "select * from imported_badge") == []


async def test_what_was_taken_back_counts_again_when_it_is_pushed_again(tmp_path: Path) -> None:
    """Pushed after that was heard, and while nobody here hears it; the same twice in between is told once (B4, B12)."""
    async with whole_system(tmp_path / "system") as (system, doors):
        await prepare(doors)
        access, mine = await let_in(system), foreign(1, named=f"mailto:{EMAIL}")
        name = "https://sea.example/badges/1"
        await until(lambda: known(system))
        assert (await ask(system, "POST", "/ims/ob/v3p0/credentials", access, mine)).status_code == 201
        for told, is_heard in ((2, True), (3, False)):
            await until(lambda: shows(system, {name: ("counting", None)}))
            await until(lambda: _stack_is(doors, "current"))
            assert (await ask(system, "POST", "/ims/ob/v3p0/credentials", access, mine)).status_code == 200
            if not is_heard:
                await system.stop_process("verification-worker")
            [row] = await rows(system, "awarding", "select import_id from imported_badge")
            await doors.delete("awarding", f"/learners/ada/imported-badges/{row['import_id']}")
            await until(lambda: _taken_out(system))
            if is_heard:
                await until(lambda: shows(system, {name: ("lost", "taken-back")}))
                await until(lambda: _stack_is(doors, "suspended"))
            for _ in range(2):
                assert (await ask(system, "POST", "/ims/ob/v3p0/credentials", access, mine)).status_code == 200
            if not is_heard:
                await system.start_process("verification-worker")
            await until(lambda told=told: _tells(system, told))
        await until(lambda: shows(system, {name: ("counting", None)}))
        await until(lambda: _stack_is(doors, "current"))
        assert await _tells(system, 3)


async def _tells(system: System, times: int) -> bool:
    return len(await records_of(system, "pushed-badges")) == times


async def _taken_out(system: System) -> bool:
    return await rows(system, "awarding", "select * from imported_badge") == []


async def _stack_is(doors: Doors, state: str) -> bool:
    return (await badges_of(doors, "ada")).get("stack", {}).get("state") == state


async def prepare(doors: Doors) -> None:
    """A stack that accepts the badge of the other institution in place of a part, and Ada."""
    await doors.put("enrollment", "/issuers/prairie", {"name": "Prairie", "url": "https://prairie.example/"})
    shared = {"issuer_id": "prairie", "description": "Made up for a test.", "criteria": "As it says."}
    part = {"kind": "micro-credential", "name": "Part", "requirement": {"kind": "activity", "activity_id": "urn:x"}}
    accepts = [{"issuer": DID, "achievement": THEIRS}]
    requirement = {"kind": "badge", "achievement_id": "part", "accepts": accepts}
    stack = {"kind": "stack", "name": "Stack", "requirement": requirement}
    for name, body in (("part", part), ("stack", stack)):
        await doors.put("enrollment", f"/achievements/{name}", {**shared, **body})
    await doors.post("enrollment", "/learners", {"learners": [{"learner_id": "ada", "email": EMAIL}]})


async def let_in(system: System, learner_id: str = "ada") -> str:
    """A program registers and is let in by the learner; its access token."""
    session = {"cookie": f"{SESSION_COOKIE}={own(system, learner_id)}", "accept": "text/html"}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    async with httpx.AsyncClient(base_url=system.urls["verification"], trust_env=False) as client:
        body = {"client_name": "A wallet", "redirect_uris": [BACK], "token_endpoint_auth_method": "none"}
        known = (await client.post("/oauth/register", json=body)).json()
        asked = {
            "client_id": known["client_id"], "response_type": "code", "redirect_uri": BACK, "state": "s",
            "code_challenge": challenge, "code_challenge_method": "S256",
            "scope": f"{READ_CREDENTIALS} {WRITE_CREDENTIALS}",
        }  # fmt: skip
        page = await client.get(f"/oauth/authorize?{urlencode(asked)}", headers=session)
        decided = {**hidden_fields(page.text), "do": "allow"}
        back = (await client.post("/oauth/authorize", data=decided, headers=session)).headers["location"]
        told = {
            "grant_type": "authorization_code", "code": parse_qs(urlsplit(back).query)["code"][0],
            "client_id": known["client_id"], "redirect_uri": BACK, "code_verifier": VERIFIER,
        }  # fmt: skip
        return (await client.post("/oauth/token", data=told)).json()["access_token"]


def own(system: System, learner_id: str = "ada") -> str:
    """The learner's own token."""
    return system.identity.mint_token(learner_id, [], learner_id=learner_id)


async def ask(system: System, method: str, path: str, token: str, content: bytes | None = None) -> httpx.Response:
    """What verification answers to who has the token."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=system.urls["verification"], trust_env=False, timeout=20) as client:
        return await client.request(method, path, content=content, headers=headers)


async def known(system: System) -> bool:
    """Whether awarding knows that Ada is registered."""
    return bool(await rows(system, "awarding", "select from learner where registered_at is not null"))


async def holds(doors: Doors) -> bool:
    """Whether Ada has earned the stack."""
    return "stack" in await badges_of(doors, "ada")


async def shows(system: System, states: dict[str, Any]) -> bool:
    """Whether Ada is told so of each badge that was pushed."""
    answer = orjson.loads((await ask(system, "GET", "/learners/ada/programs", own(system))).content)
    return {one["credential_id"]: (one["state"], one["cause"]) for one in answer["pushed_badges"]} == states


async def _erased(system: System) -> bool:
    told = await records_of(system, "pushed-badges")
    return len([one for one in told if one.value is None]) == 2 and not await rows(
        system, "awarding", "select from imported_badge"
    )

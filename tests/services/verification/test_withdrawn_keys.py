"""A key that was withdrawn later: what the log of issuance shows to be older stands, at every door (B8)."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from typer.testing import CliRunner

from deploy.cli import app
from libs.common.checking.bundle import TYPE, VERSION
from libs.common.checking.dialogue import Recall, Recorded
from libs.common.contracts import BadgeIssued, KeyPublished
from libs.common.credentials.checkpoint import verifier_key
from libs.common.credentials.jwt import JwtSigner, vc_jwt
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from libs.common.credentials.proof import sign
from libs.common.credentials.shape import Shapes
from libs.common.credentials.token_keys import token_key_id, token_multikey
from libs.common.sandbox import Sandbox
from services.verification.api.recalling import own_record
from tests.libs.common.checking.world import World
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    KEY,
    PUBLIC_URL,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    running,
)
from tests.services.verification.test_erasure import erase
from tests.services.verification.test_log import LOG_KEY, OLDER_LOG_KEY, hear, logged

P256 = derive_private_key(4711, SECP256R1())
TOKEN_KEY_ID = token_key_id(P256.public_key())
SIGNER = JwtSigner(P256, ADDRESSES.issuer_key_id("prairie", TOKEN_KEY_ID))
# All are dated a minute before the beginning, as a thief would too. The first is logged at the beginning, the second a
# minute later, the third never; the keys are withdrawn as of half a minute after the beginning.
OLD, LATE, UNLOGGED = (badge_issued(f"learner-{number}", minutes=-1, token_signer=SIGNER) for number in (1, 2, 3))
FORGED = badge_issued("nobody", minutes=-1)
UNHEARD = badge_issued("learner-4", minutes=-1)
AFTER = badge_issued("learner-5", minutes=2)
TOKEN_KEY = key_published(
    key_id=TOKEN_KEY_ID,
    public_key_multibase=token_multikey(P256.public_key()),
    public_key_jwk=json.dumps(SIGNER.public_jwk()),
)
PASSED = ("pass", "key-logged")
TOO_LATE = ("fail", "not-logged-before")
OTHERWISE = ("fail", "not-as-logged")
NOBODY_KNOWS = ("unknown", "key-revoked-later")


def withdrawn(key: KeyPublished) -> KeyPublished:
    """The key, revoked as of half a minute after the beginning."""
    return key.model_copy(update={"revoked_at": at(0.5)})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small internet, and a sandbox for its verifier."""
    sandbox = Sandbox()
    yield World(tmp_path / "web", sandbox)
    sandbox.close()


@pytest.fixture
async def service(database_dsn: str, tmp_path: Path) -> AsyncIterator[Service]:
    """Verification with badges whose keys were withdrawn."""
    async with running(database_dsn, tmp_path) as started:
        started.set_clock(at(60))
        await started.hear_all(ISSUER, ACHIEVEMENT, key_published(), TOKEN_KEY, OLD, LATE, UNLOGGED, AFTER)
        # The log's own key was changed in between.
        await hear(started, *logged(1, 1, badges=[OLD, LATE], signers=[OLDER_LOG_KEY, LOG_KEY]))
        await started.hear(*(event(withdrawn(key), minutes=6) for key in (key_published(), TOKEN_KEY)))
        yield started
        started.app.state.parts.verifier.close()


async def judged(service: Service, content: bytes | str) -> dict[str, Any]:
    """The verdict of `POST /verifications`."""
    sent = content.encode() if isinstance(content, str) else content
    headers = {"content-type": "application/octet-stream"}
    answer = await service.client.post("/verifications", content=sent, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def key_of(verdict: dict[str, Any]) -> tuple[str, str]:
    """What is said of the key."""
    (found,) = [finding for finding in verdict["findings"] if finding["name"] == "key"]
    return found["outcome"], found["reason"]


def token_of(badge: BadgeIssued) -> str:
    """The badge as VC-JWT."""
    assert badge.credential_jwt is not None
    return badge.credential_jwt


def stolen(badge: BadgeIssued = OLD) -> str:
    """What a thief makes of a badge: its id and date, other claims, and signatures that hold."""
    forged = badge_issued("learner-1", minutes=-1, shown_name="Mallory Example", token_signer=SIGNER)
    assert forged.badge_id == badge.badge_id
    return forged.credential


def stolen_token() -> str:
    """The same as VC-JWT."""
    document = json.loads(stolen())
    del document["proof"]
    return vc_jwt(document, int(at(-1).timestamp()), None, SIGNER)


BROUGHT = (
    ("older", OLD.credential, PASSED),
    ("as a wallet writes it", json.dumps(json.loads(OLD.credential), indent=2, sort_keys=True), PASSED),
    ("older, as a token", token_of(OLD), PASSED),
    ("logged later", LATE.credential, TOO_LATE),
    ("logged later, as a token", token_of(LATE), TOO_LATE),
    ("never logged", UNLOGGED.credential, TOO_LATE),
    ("signed after", AFTER.credential, ("fail", "key-revoked")),
    ("forged", stolen(), OTHERWISE),
    ("forged, as a token", stolen_token(), OTHERWISE),
    ("never heard of", UNHEARD.credential, NOBODY_KNOWS),
)


async def test_what_was_brought_is_told_by_our_own_log(service: Service) -> None:
    for why, content, found in BROUGHT:
        verdict = await judged(service, content)
        assert key_of(verdict) == found, why
        answers = {"pass": "genuine", "fail": "not-genuine", "unknown": "cannot-tell"}
        assert verdict["answer"] == answers[found[0]], why
        assert (verdict["shown"] is not None) == (found == PASSED), why  # what is not genuine is not repeated


async def test_a_badge_that_only_its_learner_sees_is_known_as_well(service: Service) -> None:
    await service.database.pool.execute(
        "insert into badge_share (badge_id, audience, shows_name, shows_evidence, changed_at)"
        " select badge_id, 'private', true, true, now() from badge"
    )
    assert key_of(await judged(service, OLD.credential)) == PASSED
    assert (await judged(service, ADDRESSES.badge(OLD.badge_id)))["answer"] != "genuine"  # its address shows nothing


async def test_nobody_learns_whether_a_private_badge_exists(service: Service) -> None:
    """The record answers a stranger alike, and an issuer here, whether there is a badge of another's or none (M1.3)."""
    recall = own_record(service.app, ADDRESSES)
    kept, none = ADDRESSES.badge(OLD.badge_id), ADDRESSES.badge(UUID(int=4711))
    for stranger in ("did:web:evil.example", ADDRESSES.issuer_did(""), ADDRESSES.issuer_did("prairie") + "/x"):
        assert await recall(Recall(kept, stranger)) == await recall(Recall(none, stranger))
    assert await recall(Recall(kept, "did:web:evil.example")) is None
    assert await recall(Recall(kept, ADDRESSES.issuer_did("another"))) == Recorded(None, None)
    assert isinstance(own := await recall(Recall(kept, ADDRESSES.issuer_did("prairie"))), Recorded)
    assert own.credential == OLD.credential.encode()


async def test_one_of_an_erased_learner_cannot_be_told(service: Service) -> None:
    await erase(service, minutes=30)
    assert key_of(await judged(service, OLD.credential)) == NOBODY_KNOWS


async def test_every_door_says_the_same(service: Service) -> None:
    for badge, genuine in ((OLD, True), (LATE, False), (UNLOGGED, False)):
        page = await service.get(f"/badges/{badge.badge_id}", "text/html")
        assert ("Not genuine" not in page.text) is genuine
        form = await service.client.post("/verify", data={"text": badge.credential}, headers={"accept": "text/html"})
        assert ('id="verdict">Genuine and current' in form.text) is genuine
        headers = {**service.mint.headers("badges.verify"), "content-type": "application/jsonl"}
        for line in (str(badge.badge_id), json.dumps(json.loads(badge.credential))):
            bulk = await service.client.post("/verifications/bulk", content=line, headers=headers)
            row = json.loads(bulk.text)
            assert (row["answer"] == "genuine") is genuine, row
            if not genuine:
                assert [finding["reason"] for finding in row["findings"]] == ["not-logged-before"]
    french = await service.client.post("/verify?lang=fr", data={"text": OLD.credential})
    assert "le journal d’émission montre qu’il est plus ancien" in french.text


@pytest.fixture
async def site(service: Service, tmp_path: Path) -> Path:
    """The issuer's site as others see it, in a folder."""
    return await copied(service, tmp_path / "site", OLD, LATE, UNLOGGED)


async def copied(service: Service, folder: Path, *badges: BadgeIssued) -> Path:
    """The folder, with what of the issuer's site it takes to verify these badges."""
    paths = ["/issuers/prairie/did.json", f"/issuers/prairie/keys/{TOKEN_KEY_ID}"]
    for path in [*paths, "/log/key", *(f"/badges/{badge.badge_id}/bundle" for badge in badges)]:
        answer = await service.get(path)
        assert answer.status_code == 200, path
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.content)
    return folder


def verify(site: Path, content: str, file: Path) -> tuple[int, tuple[str, str]]:
    """The exit code of `cairn verify`, and what it says of the key. In a thread that has no loop."""
    file.write_text(content)
    arguments = ["verify", str(file), "--json", "--map", f"{PUBLIC_URL}={site}"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        result = pool.submit(CliRunner().invoke, app, arguments).result()
    return result.exit_code, key_of(json.loads(result.stdout))


def test_the_command_asks_the_issuer_for_the_proof(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    codes = {"pass": 0, "fail": 1, "unknown": 2}  # what was never heard of is 404 at its address
    for why, content, found in BROUGHT:
        assert verify(site, content, tmp_path / "badge") == (codes[found[0]], found), why


@pytest.mark.parametrize(
    ("site", "log_key", "answer"),
    [
        (PUBLIC_URL, "", "genuine"),
        (PUBLIC_URL, "older", "genuine"),  # the head was signed before the log's key was changed
        (PUBLIC_URL, "another", "cannot-tell"),  # anybody can keep a log, and sign its head
        (PUBLIC_URL, "none", "cannot-tell"),
        ("https://evil.example", "", "cannot-tell"),
        (f"{PUBLIC_URL}/users/mallory", "", "cannot-tell"),  # another's folder on the same host
        (f"{PUBLIC_URL}/badges/../users/mallory", "", "cannot-tell"),
    ],
)
async def test_only_the_issuers_own_place_and_log_prove_anything(
    world: World, site: str, log_key: str, answer: str
) -> None:
    """Who has a stolen key can keep a log as well, and name it in the badge."""
    document = json.loads(FORGED.credential)
    del document["proof"]
    document["id"] = f"{site}/badges/{FORGED.badge_id}"
    signed = sign(document, LocalSigner(KEY, ADDRESSES.issuer_did("prairie")), at(-1), Shapes()).document
    badge = FORGED.model_copy(update={"credential": json.dumps(signed)})
    (told,) = logged(1, badges=[badge])
    proof = {
        "index": 0, "size": 1, "hashes": [], "checkpoint": told.checkpoint, "verifier_key": told.verifier_key,
        "digest": "sha256:" + hashlib.sha256(badge.credential.encode()).hexdigest(),
        "salt": told.badges[0].salt, "entry": told.badges[0].entry,
    }  # fmt: skip
    bundle = {"type": TYPE, "version": VERSION, "made_at": at(1).isoformat(), "credential": badge.credential,
              "documents": [], "log": proof}  # fmt: skip
    world.put(f"{document['id']}/bundle", bundle)
    for place in {site, PUBLIC_URL}:
        if log_key != "none":
            another = verifier_key(told.verifier_key.partition("+")[0], bytes(32))
            keys = {"": [told.verifier_key], "older": [another, told.verifier_key], "another": [another]}[log_key]
            world.put(f"{place}/log/key", "".join(f"{key}\n" for key in keys).encode())
    public_key = LocalSigner(KEY, "did:web:unused").public_key
    keys = did_document(ADDRESSES.issuer_did("prairie"), [PublishedKey(public_key, revoked_at=at(0.5))])
    world.put(f"{ADDRESSES.issuer('prairie')}/did.json", keys)
    assert (await world.judge(badge.credential.encode())).answer == answer


def test_without_the_proof_nobody_can_tell(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    bundle = site / "badges" / str(OLD.badge_id) / "bundle"
    told = json.loads(bundle.read_bytes())
    told["log"]["hashes"] = [told["log"]["entry"]]
    for content in (json.dumps(told), "{}"):
        bundle.write_text(content)
        assert verify(site, OLD.credential, tmp_path / "badge") == (2, ("unknown", "log-unproven"))
    bundle.unlink()
    assert verify(site, OLD.credential, tmp_path / "badge") == (2, NOBODY_KNOWS)

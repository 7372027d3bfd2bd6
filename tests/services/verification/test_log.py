"""The log of issuance as verification serves it, and the bundle that is checked without a network (B6, B8)."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.verifying.offline import verify_bundle
from libs.common.checking import Terms
from libs.common.checking.bundle import MEDIA_TYPE
from libs.common.checking.strict import Fault
from libs.common.contracts import BadgeIssued, BadgesLogged, LoggedBadge
from libs.common.credentials.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint, verifier_key
from libs.common.credentials.identifiers import log_salt
from libs.common.credentials.keys import LocalSigner
from libs.common.credentials.log import Frontier, append, commitment, extends, includes, leaf_hash
from libs.common.messaging.work import begin
from services.verification.handlers.log import NotAsLogged, on_badges_logged
from services.verification.store import log as log_store
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    PEPPER,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    running,
)

ORIGIN = "badges.example/log"
LOG_KEY = LocalSigner(bytes(range(3, 35)), ORIGIN)
VERIFIER_KEY = verifier_key(ORIGIN, LOG_KEY.public_key)
OLDER_LOG_KEY = LocalSigner(bytes(range(4, 36)), ORIGIN)
OLDER_VERIFIER_KEY = verifier_key(ORIGIN, OLDER_LOG_KEY.public_key)
BADGES = [badge_issued(f"learner-{number}") for number in range(5)]


def logged(*sizes: int, badges: list[BadgeIssued] = BADGES, signers: Sequence[LocalSigner] = ()) -> list[BadgesLogged]:
    """What awarding tells when it logs the badges, so many at a time; `signers` sign the heads, else the log's key."""
    frontier, told, first = Frontier(), list[BadgesLogged](), 0
    for number, (size, signer) in enumerate(zip(sizes, signers or [LOG_KEY] * len(sizes), strict=True)):
        entries = [_entry(badge) for badge in badges[first : first + size]]
        frontier = append(frontier, [leaf_hash(base64.b64decode(entry.entry)) for entry in entries]).frontier
        seconds = int(at(number).timestamp())
        checkpoint = Checkpoint(ORIGIN, frontier.size, frontier.root, (f"time {seconds}",))
        told.append(
            BadgesLogged(
                first_index=first, badges=tuple(entries), checkpoint=sign_checkpoint(checkpoint, signer),
                verifier_key=verifier_key(ORIGIN, signer.public_key), logged_at=at(number),
            )
        )  # fmt: skip
        first += size
    return told


def _entry(badge: BadgeIssued) -> LoggedBadge:
    salt = log_salt(PEPPER, badge.badge_id)
    entry = commitment(hashlib.sha256(badge.credential.encode()).digest(), salt)
    return LoggedBadge(
        badge_id=badge.badge_id, entry=base64.b64encode(entry).decode(), salt=base64.b64encode(salt).decode()
    )


@pytest.fixture
async def service(database_dsn: str, tmp_path: Path) -> AsyncIterator[Service]:
    """Verification with five badges in the log, which had three heads."""
    async with running(database_dsn, tmp_path) as started:
        await started.hear_all(ISSUER, ACHIEVEMENT, key_published(), *BADGES)
        await hear(started, *logged(2, 2, 1))
        yield started


async def hear(service: Service, *told: BadgesLogged) -> None:
    """Hear what was logged, as one batch."""
    async with begin(service.database) as work:
        await on_badges_logged(work, [event(content) for content in told])


async def test_heads_and_proofs_hold(service: Service) -> None:
    note = await service.get("/log/checkpoint")
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    assert "max-age=5" in note.headers["cache-control"]
    head = read_checkpoint(note.text, ORIGIN, LOG_KEY.public_key)
    assert (await service.get("/log/key")).text == f"{VERIFIER_KEY}\n"
    for index, badge in enumerate(BADGES):
        for query, size in (("", [2, 2, 4, 4, 5][index]), ("?size=5", 5)):
            proof = (await service.get(f"/log/proofs/{badge.badge_id}{query}")).json()
            assert (proof["index"], proof["size"]) == (index, size)
            found = read_checkpoint(proof["checkpoint"], ORIGIN, LOG_KEY.public_key)
            hashes = [base64.b64decode(text) for text in proof["hashes"]]
            leaf = leaf_hash(base64.b64decode(proof["entry"]))
            assert includes(leaf, index, size, hashes, found.root)
    old = read_checkpoint(logged(2)[0].checkpoint, ORIGIN, LOG_KEY.public_key)
    answer = (await service.get("/log/consistency?first=2&second=5")).json()
    assert extends(2, old.root, 5, head.root, [base64.b64decode(text) for text in answer["hashes"]])


async def test_every_key_that_signed_a_head_is_published(database_dsn: str, tmp_path: Path) -> None:
    """Newest first, each once; a key that comes back is the newest again."""
    async with running(database_dsn, tmp_path) as started:
        await started.hear_all(ISSUER, ACHIEVEMENT, key_published(), *BADGES)
        assert (await started.get("/log/key")).status_code == 404
        older, newer = OLDER_VERIFIER_KEY, VERIFIER_KEY
        heads = logged(1, 1, 1, 1, signers=[OLDER_LOG_KEY, LOG_KEY, LOG_KEY, OLDER_LOG_KEY])
        expected = [f"{older}\n", f"{newer}\n{older}\n", f"{newer}\n{older}\n", f"{older}\n{newer}\n"]
        for head, keys in zip(heads, expected, strict=True):
            await hear(started, head)
            answer = await started.get("/log/key")
            assert (answer.text, answer.headers["content-type"]) == (keys, "text/plain; charset=utf-8")


async def test_after_a_rotation_who_verifies_offline_names_the_keys_that_they_trust(
    database_dsn: str, tmp_path: Path
) -> None:
    """Neither the key in the bundle nor a newer one stands in for a key that is not named (B6, B8)."""
    async with running(database_dsn, tmp_path) as started:
        started.set_clock(at(60))
        await started.hear_all(ISSUER, ACHIEVEMENT, key_published(), *BADGES)
        await hear(started, *logged(2, 3, signers=[OLDER_LOG_KEY, LOG_KEY]))
        content = json.dumps(await bundle_of(started)).encode()
        for keys, answer, reason in (
            ([OLDER_VERIFIER_KEY, VERIFIER_KEY], "genuine", "logged"),
            ([VERIFIER_KEY], "not-genuine", "log-key"),
        ):
            verdict = await verify_bundle(content, Terms(at(70)), keys=[], log_keys=keys)
            assert not isinstance(verdict, Fault)
            assert (verdict.judgement.answer, verdict.logged.reason) == (answer, reason)


async def test_what_does_not_fit_is_refused(service: Service) -> None:
    assert (await service.get("/log/consistency?first=2&second=6")).status_code == 400
    assert (await service.get(f"/log/proofs/{BADGES[4].badge_id}?size=4")).status_code == 404
    assert (await service.get("/log/proofs/0c0f24a6-3f0b-4b0e-9d7e-0d6f2a1b3c4d")).status_code == 404
    more = [badge_issued(f"more-{number}") for number in range(2)]
    later = logged(5, 1, badges=[*BADGES, *more])[1]
    with pytest.raises(NotAsLogged, match="expected to go on at 5, found 6"):
        await hear(service, logged(5, 1, 1, badges=[*BADGES, *more])[2])
    with pytest.raises(NotAsLogged, match="expected the head"):
        await hear(service, later.model_copy(update={"checkpoint": logged(5)[0].checkpoint}))
    await hear(service, *logged(2, 2, 1), later)  # what is known changes nothing
    assert read_checkpoint((await service.get("/log/checkpoint")).text, ORIGIN, LOG_KEY.public_key).size == 6


async def test_the_time_of_logging_is_that_of_the_first_head(service: Service) -> None:
    times = await log_store.logged_at(service.database.pool, [badge.badge_id for badge in BADGES])
    assert [times[badge.badge_id] for badge in BADGES] == [at(0), at(0), at(1), at(1), at(2)]


async def bundle_of(service: Service, badge: BadgeIssued = BADGES[0]) -> dict[str, Any]:
    """The bundle of a badge."""
    answer = await service.get(f"/badges/{badge.badge_id}/bundle")
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    assert answer.headers["content-disposition"] == f'attachment; filename="{badge.badge_id}.badge-bundle.json"'
    return answer.json()


async def test_a_bundle_is_checked_without_any_network(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.set_clock(at(60))
    bundle = await bundle_of(service)
    assert bundle["credential"] == BADGES[0].credential

    def refuse(*_: Any) -> None:
        raise AssertionError("the network was asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    file = tmp_path / "badge.json"
    file.write_text(json.dumps(bundle))
    key = key_published().public_key_multibase
    code, said = verify(str(file), "--key", key, "--log-key", VERIFIER_KEY)
    assert (code, said.splitlines()[0]) == (0, "Genuine, but we do not know this issuer.")
    assert "✓ in the log of issuance, since 2026-01-05T09:00:00+00:00" in said
    assert "As of 2026-01-05T10:00:00+00:00" in said
    assert "as good as this file" not in said
    code, said = verify(str(file))
    assert code == 0
    assert "The keys are as good as this file" in said
    assert verify(str(file), "--key", "z6MkOther")[0] == 1
    assert verify(str(file), "--log-key", VERIFIER_KEY.replace("badges.", "other."))[0] == 1
    code, said = verify(str(file), "--json")
    assert (json.loads(said)["log"]["reason"], json.loads(said)["anchored"]) == ("logged", False)


def verify(*arguments: str) -> tuple[int, str]:
    """`cairn verify --offline …`, in a thread that has no loop."""
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        result = pool.submit(CliRunner().invoke, app, ["verify", "--offline", *arguments]).result()
    return result.exit_code, result.stdout


def _change(place: str, change: Callable[[str], str]) -> Callable[[dict[str, Any]], None]:
    def alter(bundle: dict[str, Any]) -> None:
        *path, name = place.split("/")
        found: Any = bundle
        for part in path:
            found = found[int(part) if part.isdigit() else part]
        found[name] = change(found[name])

    return alter


def _drop_log(bundle: dict[str, Any]) -> None:
    bundle["log"] = None


def _other_key(text: str) -> str:
    stolen = key_published(bytes(range(9, 41))).public_key_multibase
    return text.replace(key_published().public_key_multibase, stolen)


@pytest.mark.parametrize(
    ("alter", "answer", "log"),
    [
        (_change("credential", lambda text: text.replace("Coaching", "Flying")), "not-genuine", "log-digest"),
        (_change("documents/0/content", _other_key), "not-genuine", "logged"),
        (_change("documents/0/content", lambda text: "{}"), "not-genuine", "logged"),
        (_change("documents/0/url", lambda text: text + "x"), "cannot-tell", "logged"),
        (_change("log/salt", lambda text: base64.b64encode(bytes(32)).decode()), "not-genuine", "log-entry"),
        (_change("log/entry", lambda text: base64.b64encode(bytes(32)).decode()), "not-genuine", "log-entry"),
        (_change("log/index", lambda number: number + 1), "not-genuine", "log-proof"),
        (_change("log/hashes", lambda hashes: hashes[1:]), "not-genuine", "log-proof"),
        (_change("log/checkpoint", lambda text: text.replace("\n2\n", "\n3\n")), "not-genuine", "log-checkpoint"),
        (_change("log/verifier_key", lambda text: text[:-2] + "A="), "not-genuine", "log-checkpoint"),
        (_change("log/hashes", lambda hashes: 7), "not-genuine", "log-malformed"),
        (_drop_log, "genuine", "not-logged"),
    ],
)
async def test_each_part_that_was_tampered_with_is_told(
    service: Service, alter: Callable[[dict[str, Any]], None], answer: str, log: str
) -> None:
    service.set_clock(at(60))
    bundle = await bundle_of(service)
    alter(bundle)
    verdict = await verify_bundle(json.dumps(bundle).encode(), Terms(at(70)), keys=[], log_keys=[])
    assert not isinstance(verdict, Fault)
    assert (verdict.judgement.answer, verdict.logged.reason) == (answer, log)
    if answer == "genuine":  # who asks for the log does not take its absence for an answer
        strict = await verify_bundle(json.dumps(bundle).encode(), Terms(at(70)), keys=[], log_keys=[VERIFIER_KEY])
        assert not isinstance(strict, Fault)
        assert strict.judgement.answer == "cannot-tell"


@pytest.mark.parametrize(("revoked_at", "answer"), [(at(30), "genuine"), (at(-10), "not-genuine")])
async def test_a_stolen_key_cannot_date_a_badge_back(service: Service, revoked_at: datetime, answer: str) -> None:
    """What the log proves to be older than the theft stands; the date in the badge proves nothing (B8)."""
    service.set_clock(at(60))
    bundle = await bundle_of(service)
    document = json.loads(bundle["documents"][0]["content"])
    document["verificationMethod"][0]["revoked"] = revoked_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    bundle["documents"][0]["content"] = json.dumps(document)
    verdict = await verify_bundle(json.dumps(bundle).encode(), Terms(at(70)), keys=[], log_keys=[VERIFIER_KEY])
    assert not isinstance(verdict, Fault)
    assert verdict.judgement.answer == answer


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"type": "CairnBadgeBundle", "version": 2}'])
async def test_what_is_no_bundle_is_said(content: bytes) -> None:
    assert isinstance(await verify_bundle(content, Terms(at(0)), keys=[], log_keys=[]), Fault)

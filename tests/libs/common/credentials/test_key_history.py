"""Keys over time: rotation loses nothing, a compromise undoes what the log cannot prove, and no more (B8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.credentials.checkpoint import Checkpoint, cosign, read_cosignature, sign_checkpoint
from libs.common.credentials.identifiers import log_salt
from libs.common.credentials.issue import Template
from libs.common.credentials.key_history import (
    LOG_DELAY,
    KeyTrust,
    key_state_at,
    key_trust,
    revoked,
    rotated,
    signing_key_at,
)
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document, jwks
from libs.common.credentials.log import (
    Frontier,
    append,
    commitment,
    includes,
    inclusion_proof,
    leaf_hash,
)
from libs.common.credentials.proof import verify_proof
from tests.libs.common.credentials.samples import BADGE, CLAIM, ISSUER, PEPPER, TERMS

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
instants = st.integers(-50, 500).map(lambda hours: START + hours * HOUR)


def day(number: int) -> datetime:
    """Day `number` of the story."""
    return START + timedelta(days=number)


@st.composite
def histories(draw: st.DrawFn) -> tuple[PublishedKey, ...]:
    """A history of one to five keys, each rotated in after the last, some revoked."""
    keys: tuple[PublishedKey, ...] = ()
    at = START
    for number in range(draw(st.integers(1, 5))):
        keys = rotated(keys, bytes([number]) * 32, at, draw(st.integers(0, 30)) * HOUR)
        at += draw(st.integers(1, 100)) * HOUR
    for key in draw(st.sets(st.sampled_from(keys))):
        keys = revoked(keys, key.public_key, draw(instants))
    return keys


def unrevoked(keys: tuple[PublishedKey, ...]) -> tuple[PublishedKey, ...]:
    """The history as it would be had no key leaked."""
    return tuple(PublishedKey(key.public_key, key.valid_from, key.valid_until) for key in keys)


@given(histories(), instants)
def test_from_the_first_key_on_there_is_always_one_to_sign_with(keys: tuple[PublishedKey, ...], at: datetime) -> None:
    found = signing_key_at(unrevoked(keys), at)
    assert (found is not None) == (at >= START)
    chosen = signing_key_at(keys, at)
    assert chosen is None or key_state_at(chosen, at) == "active"


@given(histories(), instants, st.integers(0, 10))
def test_a_rotation_changes_nothing_before_it_and_removes_no_key(
    keys: tuple[PublishedKey, ...], at: datetime, overlap: int
) -> None:
    moment = START + 1_000 * HOUR
    longer = rotated(keys, b"n" * 32, moment, overlap * HOUR)
    assert [key.public_key for key in longer[:-1]] == [key.public_key for key in keys]
    for before, after in zip(keys, longer, strict=False):
        assert key_state_at(before, at) == key_state_at(after, at)
    assert signing_key_at(longer, moment) == longer[-1]
    later = [key for key in longer[:-1] if key_state_at(key, moment + overlap * HOUR) == "active"]
    assert later == []


@given(histories(), st.data(), instants, instants, st.none() | instants)
def test_a_revocation_never_makes_a_signature_stand(
    keys: tuple[PublishedKey, ...],
    choice: st.DataObject,
    revoked_at: datetime,
    signed_at: datetime,
    logged_at: datetime | None,
) -> None:
    number = choice.draw(st.integers(0, len(keys) - 1))
    after = revoked(keys, keys[number].public_key, revoked_at)
    for old, new in zip(keys, after, strict=True):
        trust, before = key_trust(new, signed_at, logged_at), key_trust(old, signed_at, logged_at)
        assert before.stands or not trust.stands
        if new.revoked_at is None or (logged_at is not None and logged_at < new.revoked_at):
            assert trust == before, "what was logged before the leak is as good as it was"
        else:
            assert trust == KeyTrust(False, "revoked-and-not-logged-before")
    assert after == revoked(after, keys[number].public_key, day(999)), "a revocation is never put off"


@given(histories(), instants, instants)
def test_what_the_log_proves_does_not_depend_on_the_date_in_the_badge(
    keys: tuple[PublishedKey, ...], signed_at: datetime, logged_at: datetime
) -> None:
    for key in keys:
        trust = key_trust(key, signed_at, logged_at)
        assert trust == key_trust(key, logged_at, logged_at)
        if key_state_at(key, logged_at) == "active" and key.revoked_at is None:
            assert trust == KeyTrust(True, "logged-in-its-time")


@given(histories(), instants)
def test_without_the_log_a_signature_stands_where_its_key_was_active(
    keys: tuple[PublishedKey, ...], signed_at: datetime
) -> None:
    for key in unrevoked(keys):
        assert key_trust(key, signed_at).stands == (key_state_at(key, signed_at) == "active")


def test_the_ends_of_a_window() -> None:
    old, new = rotated([PublishedKey(b"o" * 32, day(0))], b"n" * 32, day(10), timedelta(days=1))
    assert [key_state_at(old, at) for at in (day(0) - HOUR, day(0), day(11) - HOUR, day(11))] == [
        "upcoming",
        "active",
        "active",
        "retired",
    ]
    assert key_trust(new, day(9)).ground == "too-early"
    assert key_trust(old, day(11)).ground == "too-late"
    # Signed in the last second of the window, and logged a little later.
    assert key_trust(old, day(11), day(11) + LOG_DELAY / 2).stands
    assert key_trust(old, day(11), day(11) + LOG_DELAY).ground == "too-late"
    [shut] = revoked([old], old.public_key, day(5))
    assert key_state_at(shut, day(5)) == "revoked"
    assert key_state_at(PublishedKey(b"k" * 32), day(0)) == "active"


@pytest.mark.parametrize(
    ("what", "call"),
    [
        ("public_key", lambda keys: rotated(keys, keys[0].public_key, day(20))),
        ("overlap", lambda keys: rotated(keys, b"n" * 32, day(20), -HOUR)),
        ("at", lambda keys: rotated(keys, b"n" * 32, day(0))),
        ("public_key", lambda keys: revoked(keys, b"n" * 32, day(20))),
    ],
)
def test_impossible_changes_are_refused_by_name(what: str, call: object) -> None:
    keys = rotated([], b"k" * 32, day(0))
    with pytest.raises(ValueError, match=rf"^{what}: expected"):
        call(keys)  # type: ignore[operator]


def test_every_key_stays_published_with_its_times() -> None:
    keys = rotated([PublishedKey(b"\7" * 32, day(0))], b"\x08" * 32, day(10), timedelta(days=1))
    keys = revoked(keys, b"\7" * 32, day(5))
    old, new = did_document(ISSUER.id, keys)["verificationMethod"]
    # No `expires`: verifiers must not use a method after it, not even for what it signed in its time.
    assert "expires" not in old
    assert old["revoked"] == "2026-01-06T00:00:00Z"
    assert not {"expires", "revoked"} & new.keys()
    old, new = jwks(keys)["keys"]
    assert (old["nbf"], old["exp"]) == (day(0).timestamp(), day(11).timestamp())
    assert old["revoked"] == {"revoked_at": int(day(5).timestamp())}
    assert new["nbf"] == day(10).timestamp()
    assert not {"exp", "revoked"} & new.keys()
    orjson.dumps(jwks(keys))


def test_the_drill_of_a_compromise() -> None:
    """A key leaks: the badge that the log holds stays good, the thief's backdated one does not."""
    stolen = LocalSigner(b"\x0a" * 32, ISSUER.id)
    log_key = LocalSigner(b"\x0b" * 32, "did:web:log.example")
    witness = LocalSigner(b"\x0c" * 32, "did:web:witness.example")
    keys = rotated([], stolen.public_key, day(0))

    genuine = Template(ISSUER, TERMS).issue(CLAIM, stolen)
    entry = commitment(bytes.fromhex(genuine.digest), log_salt(PEPPER, BADGE))
    leaves = [leaf_hash(b"another badge"), leaf_hash(entry), leaf_hash(b"one more")]
    frontier, nodes = append(Frontier(), leaves)
    note = sign_checkpoint(Checkpoint("badges.example/log", frontier.size, frontier.root), log_key)
    note = cosign(note, "witness.example", witness, day(1))

    keys = revoked(keys, stolen.public_key, day(2))
    # Dated long before the leak, as the genuine one is.
    forged = Template(ISSUER, TERMS).issue(replace(CLAIM, subject_id="urn:x:the-thief"), stolen)

    seen = read_cosignature(note, "badges.example/log", "witness.example", witness.public_key)
    proof = inclusion_proof(1, 3, dict(nodes))
    assert includes(leaf_hash(entry), 1, seen.checkpoint.size, proof, seen.checkpoint.root)
    for badge, logged_at, stands in ((genuine, seen.seen_at, True), (forged, None, False)):
        assert verify_proof(badge.credential, {stolen.verification_method: stolen.public_key}.get).ok
        assert key_trust(keys[0], CLAIM.valid_from, logged_at).stands is stands
    assert signing_key_at(keys, day(3)) is None
    keys = rotated(keys, b"n" * 32, day(3))
    assert signing_key_at(keys, day(3)) == keys[-1]

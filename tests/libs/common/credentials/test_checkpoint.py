"""Checkpoints of the log: notes as others read and write them, and nothing altered passes (B8, SR-20)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.credentials.checkpoint import (
    Checkpoint,
    Cosigned,
    NotACheckpoint,
    cosign,
    read_checkpoint,
    read_cosignature,
    sign_checkpoint,
    verifier_key,
)
from libs.common.credentials.keys import LocalSigner
from libs.common.credentials.log import EMPTY_ROOT

ORIGIN = "badges.example/log"
LOG = LocalSigner(b"\1" * 32, "did:web:badges.example")
WITNESS = LocalSigner(b"\2" * 32, "did:web:witness.example")
CHECKPOINT = Checkpoint(ORIGIN, 42, bytes(range(32)))
NOTE = sign_checkpoint(CHECKPOINT, LOG)
SEEN_AT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def test_the_lines_of_a_note() -> None:
    origin, size, head, empty, signature, end = NOTE.split("\n")
    assert (origin, size, empty, end) == (ORIGIN, "42", "", "")
    assert base64.b64decode(head) == CHECKPOINT.root
    assert signature.startswith(f"— {ORIGIN} ")
    assert sign_checkpoint(CHECKPOINT, LOG) == NOTE


def test_the_key_of_the_published_note() -> None:
    # The verifier key in the documentation of Go's sumdb/note, which the C2SP specification generalises.
    published = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    public_key = base64.b64decode(published.split("+")[2])[1:]
    assert verifier_key("PeterNeumann", public_key) == published


@given(st.integers(0, 10**18), st.binary(min_size=32, max_size=32), st.lists(st.text("abc 123", min_size=1)))
def test_there_and_back(size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root, tuple(extensions))
    assert read_checkpoint(sign_checkpoint(checkpoint, LOG), ORIGIN, LOG.public_key) == checkpoint


def test_a_witness_adds_the_time() -> None:
    note = cosign(NOTE, "witness.example", WITNESS, SEEN_AT)
    assert note.startswith(NOTE)
    assert read_checkpoint(note, ORIGIN, LOG.public_key) == CHECKPOINT
    cosigned = read_cosignature(note, ORIGIN, "witness.example", WITNESS.public_key)
    assert cosigned == Cosigned(CHECKPOINT, SEEN_AT)
    with pytest.raises(NotACheckpoint, match=r"cosignature of witness\.example"):
        read_cosignature(NOTE, ORIGIN, "witness.example", WITNESS.public_key)


def test_signatures_of_strangers_are_ignored() -> None:
    [stranger] = sign_checkpoint(CHECKPOINT, WITNESS).split("\n\n")[1].splitlines()
    note = NOTE + stranger + "\n— somebody.example AAAAAAAA\n"
    assert read_checkpoint(note, ORIGIN, LOG.public_key) == CHECKPOINT


def test_nothing_altered_passes() -> None:
    content = cosign(NOTE, "witness.example", WITNESS, SEEN_AT).encode()
    signed = len(NOTE.encode())
    for position in range(len(content)):
        altered = content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        text = altered.decode(errors="replace")
        if position < signed:
            with pytest.raises(NotACheckpoint):
                read_checkpoint(text, ORIGIN, LOG.public_key)
        else:
            with pytest.raises(NotACheckpoint):
                read_cosignature(text, ORIGIN, "witness.example", WITNESS.public_key)


@pytest.mark.parametrize(
    ("why", "note"),
    [
        ("empty", ""),
        ("no signature", CHECKPOINT.text),
        ("no line end", NOTE[:-1]),
        ("another log", NOTE.replace(ORIGIN, "another.example/log")),
        ("another size", NOTE.replace("\n42\n", "\n43\n")),
        ("a size with a zero before it", NOTE.replace("\n42\n", "\n042\n")),
        ("a control character", NOTE.replace("42", "4\t2")),
        ("too long", NOTE + "— a.example AAAAAAAA\n" * 2_000),
        ("no base64", NOTE.replace("— " + ORIGIN + " ", "— " + ORIGIN + " A")),
    ],
)
def test_what_is_no_signed_checkpoint_is_refused(why: str, note: str) -> None:
    with pytest.raises(NotACheckpoint):
        read_checkpoint(note, ORIGIN, LOG.public_key)


def test_another_logs_signed_head_is_not_taken_for_ours() -> None:
    other = sign_checkpoint(Checkpoint("another.example/log", 42, EMPTY_ROOT), LOG)
    with pytest.raises(NotACheckpoint, match="signature of badges"):
        read_checkpoint(other, ORIGIN, LOG.public_key)
    cosigned = cosign(other, "witness.example", WITNESS, SEEN_AT)
    with pytest.raises(NotACheckpoint, match=r"checkpoint of badges\.example/log"):
        read_cosignature(cosigned, ORIGIN, "witness.example", WITNESS.public_key)


@pytest.mark.parametrize(
    ("what", "make"),
    [
        ("name", lambda: Checkpoint("a b", 1, EMPTY_ROOT)),
        ("name", lambda: Checkpoint("a+b", 1, EMPTY_ROOT)),
        ("name", lambda: cosign(NOTE, "", WITNESS, SEEN_AT)),
        ("size", lambda: Checkpoint(ORIGIN, -1, EMPTY_ROOT)),
        ("root", lambda: Checkpoint(ORIGIN, 1, b"short")),
        ("extensions", lambda: Checkpoint(ORIGIN, 1, EMPTY_ROOT, ("two\nlines",))),
    ],
)
def test_values_that_no_note_could_carry_are_refused_by_name(what: str, make: object) -> None:
    with pytest.raises(ValueError, match=rf"^{what}: expected"):
        make()  # type: ignore[operator]

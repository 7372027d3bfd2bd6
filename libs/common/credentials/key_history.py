"""The keys of an issuer over time: rotation, revocation, and which signatures stand (B8; SR-6, SR-7).

Keys are only ever added, and shut: each stays published, so that what it signed in its time can be verified for
ever. A key that leaked is revoked from an instant on. Whoever has it can date a forgery as early as they like, so
from then on only the log of issuance tells genuine from forged: what it proves to be older stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeVar

from libs.common.credentials.keys import PublishedKey

KeyState = Literal["upcoming", "active", "retired", "revoked"]
Ground = Literal["in-its-time", "logged-in-its-time", "too-early", "too-late", "revoked-and-not-logged-before"]

# A badge is logged after it was signed, and a checkpoint comes after that (SR-20: within 60 s; twice is allowed).
LOG_DELAY = timedelta(minutes=2)


class Timed(Protocol):
    """Any key with the times of its life: may sign from `valid_from` until before `valid_until`."""

    @property
    def valid_from(self) -> datetime | None: ...

    @property
    def valid_until(self) -> datetime | None: ...

    @property
    def revoked_at(self) -> datetime | None: ...


TimedKey = TypeVar("TimedKey", bound=Timed)


@dataclass(frozen=True, slots=True)
class KeyTrust:
    """Whether a signature that holds was also made by somebody entitled to, and the ground for it."""

    stands: bool
    ground: Ground


def key_state_at(key: Timed, at: datetime) -> KeyState:
    """The state of `key` at the aware instant `at`; intervals include their beginning, not their end."""
    if key.revoked_at is not None and at >= key.revoked_at:
        return "revoked"
    if key.valid_from is not None and at < key.valid_from:
        return "upcoming"
    if key.valid_until is not None and at >= key.valid_until:
        return "retired"
    return "active"


def signing_key_at(keys: Sequence[TimedKey], at: datetime) -> TimedKey | None:
    """The key to sign with at `at`: of the active ones that which became valid last; None if none is active."""
    found: TimedKey | None = None
    for key in keys:
        if key_state_at(key, at) == "active" and (found is None or _later(key, found)):
            found = key
    return found


def key_trust(key: Timed, signed_at: datetime, logged_at: datetime | None = None) -> KeyTrust:
    """Whether a signature by `key` stands.

    `signed_at` is the instant that the signer names, which proves nothing. `logged_at` is the earliest instant
    by which the log of issuance, as seen by a witness (`checkpoint.read_cosignature`), is proven to hold the
    badge; None if it is not proven to.
    """
    if key.revoked_at is not None and (logged_at is None or logged_at >= key.revoked_at):
        return KeyTrust(False, "revoked-and-not-logged-before")
    begins, ends = key.valid_from, key.valid_until
    if logged_at is None:
        at, late = signed_at, ends
    else:
        # Dates in the badge may lie far back (a replay of old events); when it came into being, the log says.
        at, late = logged_at, None if ends is None else ends + LOG_DELAY
    if begins is not None and at < begins:
        return KeyTrust(False, "too-early")
    if late is not None and at >= late:
        return KeyTrust(False, "too-late")
    return KeyTrust(True, "in-its-time" if logged_at is None else "logged-in-its-time")


def rotated(
    keys: Sequence[PublishedKey], public_key: bytes, at: datetime, overlap: timedelta = timedelta(0)
) -> tuple[PublishedKey, ...]:
    """`keys` with a new one that signs from `at` on; the others may sign until `overlap` has passed as well.

    Raises `ValueError` if `public_key` is in use already, or if `at` is before the beginning of another key.
    """
    if any(key.public_key == public_key for key in keys):
        raise ValueError("public_key: expected a new key, found one of this history")
    if overlap < timedelta(0):
        raise ValueError(f"overlap: expected none or more, found {overlap}")
    for key in keys:
        if key.valid_from is not None and key.valid_from >= at:
            raise ValueError(f"at: expected an instant after {key.valid_from.isoformat()}, found {at.isoformat()}")
    end = at + overlap
    closed = [
        replace(key, valid_until=end) if key.valid_until is None or key.valid_until > end else key for key in keys
    ]
    return (*closed, PublishedKey(public_key, valid_from=at))


def revoked(keys: Sequence[PublishedKey], public_key: bytes, at: datetime) -> tuple[PublishedKey, ...]:
    """`keys` with one of them revoked from `at` on; a revocation may be set earlier, never later.

    Raises `ValueError` if `public_key` is not among them.
    """
    if all(key.public_key != public_key for key in keys):
        raise ValueError("public_key: expected one of this history")
    return tuple(
        replace(key, revoked_at=at if key.revoked_at is None else min(at, key.revoked_at))
        if key.public_key == public_key
        else key
        for key in keys
    )


def _later(key: Timed, other: Timed) -> bool:
    if key.valid_from is None or other.valid_from is None:
        return other.valid_from is None
    return key.valid_from >= other.valid_from

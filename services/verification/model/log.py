"""The log of issuance, as verification keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LogHead:
    """A signed head of the log of issuance: `note` is its text (C2SP tlog-checkpoint) for `size` entries.

    `verifier_key` is the public key that it is signed with, `logged_at` when it was.
    """

    size: int
    note: str
    verifier_key: str
    logged_at: datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A badge's place in the log; `entry` commits to its digest under `salt`, None where its learner was erased."""

    index: int
    entry: bytes
    salt: bytes | None

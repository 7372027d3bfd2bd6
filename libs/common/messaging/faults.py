"""Which faults pass by themselves, so that the batch is tried again, and which are the event's own."""

from __future__ import annotations

import random
from collections.abc import Iterator

import asyncpg

# SQLSTATE classes and codes (PostgreSQL, appendix A) of a server that is away, busy, full or failing over; and 42, a
# statement that does not fit the tables or may not touch them: between a migration and a rollout that is nobody's
# event's fault, and waiting loses nothing.
_PASSING_CLASSES = ("08", "40", "42", "53", "57", "58")
_PASSING_CODES = frozenset({"55P03", "25006"})  # lock not available; read-only: a standby that takes over


def is_passing(fault: BaseException) -> bool:
    """Whether trying the same again later may succeed: the connection, the server or a lock was at fault."""
    if isinstance(fault, asyncpg.PostgresError):
        code = fault.sqlstate or ""
        return code.startswith(_PASSING_CLASSES) or code in _PASSING_CODES
    if isinstance(fault, asyncpg.InterfaceError):
        return not isinstance(fault, ValueError)  # a ValueError is a wrong argument; the rest, a lost connection
    # A fault may say so of itself: a key that lies elsewhere and cannot be reached.
    return isinstance(fault, OSError | TimeoutError | MemoryError) or getattr(fault, "passing", False) is True


class TooSlow(Exception):
    """A statement of a batch took longer than it may: the server is slow, or the batch is too much at once."""

    passing = True


# Why an event is set aside that is slow alone, while the server answers others.
SLOW = "expected every statement within its time, found one that took longer each time, alone"


def backoff_seconds(*, first: float = 0.05, most: float = 5.0) -> Iterator[float]:
    """Waits between attempts, for ever: doubled up to `most`, each jittered by half."""
    wait = first
    while True:
        yield wait * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
        wait = min(wait * 2, most)


def name_of(fault: BaseException) -> str:
    """A fault as logs name it: its type and SQLSTATE. Its message may quote what someone sent, so it stays out."""
    code = getattr(fault, "sqlstate", None)
    return f"{type(fault).__name__} {code}" if code else type(fault).__name__

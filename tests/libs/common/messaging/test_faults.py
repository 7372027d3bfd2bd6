"""Only faults that pass by themselves have a batch tried again; waits grow, and differ."""

from __future__ import annotations

from itertools import islice

import asyncpg
import pytest

from libs.common.messaging.faults import backoff_seconds, is_passing, name_of


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.AdminShutdownError(), asyncpg.CannotConnectNowError(), asyncpg.SerializationError(),
        asyncpg.DeadlockDetectedError(), asyncpg.ConnectionDoesNotExistError(), asyncpg.LockNotAvailableError(),
        asyncpg.QueryCanceledError(), asyncpg.DiskFullError(), asyncpg.TooManyConnectionsError(),
        asyncpg.ReadOnlySQLTransactionError(), asyncpg.InterfaceError("connection is closed"),
        asyncpg.UndefinedColumnError(), asyncpg.UndefinedTableError(), asyncpg.InsufficientPrivilegeError(),
        ConnectionResetError(), TimeoutError(), OSError(), MemoryError(),
    ],
    ids=name_of,
)  # fmt: skip
def test_a_passing_fault(fault: Exception) -> None:
    assert is_passing(fault)


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.UniqueViolationError(), asyncpg.CharacterNotInRepertoireError(),
        asyncpg.exceptions.DataError("a wrong argument"), asyncpg.DivisionByZeroError(), ValueError(), KeyError(),
        AssertionError(), RecursionError(),
    ],
    ids=name_of,
)  # fmt: skip
def test_a_fault_of_the_event_itself(fault: Exception) -> None:
    assert not is_passing(fault)


def test_waits_grow_to_a_bound() -> None:
    waits = list(islice(backoff_seconds(first=0.1, most=2.0), 50))
    assert all(0.05 <= wait <= 3.0 for wait in waits)
    assert min(waits[10:]) >= 1.0
    assert len(set(waits)) > 40

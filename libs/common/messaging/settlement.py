"""Giving events to their handlers, and finding the ones that a batch fails on (B9)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from libs.common.contracts.topics import PRIVATE
from libs.common.messaging import store
from libs.common.messaging.faults import is_passing, name_of
from libs.common.messaging.hearing import Entry, Hearing, Received, Unusable
from libs.common.messaging.store import Place
from libs.common.messaging.work import Work

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection


async def run(hearing: Hearing, work: Work, entries: Sequence[Entry]) -> None:
    """Give the events to their handlers, in order: consecutive events of one row are one call."""
    for row, group in groupby(entries, key=lambda entry: entry.row):
        received: list[Received[Any]] = []
        for entry in group:
            entry.attempts += 1
            assert entry.received is not None
            received.append(entry.received)
        await hearing.rows[row].handle(work, received)


class Settlement:
    """Runs events in savepoints, halving the ones that fail until each culprit stands alone.

    Afterwards `handled` holds the events that succeeded, `culprits` those that fail by themselves and why, and
    `waiting` those that come after a culprit of the same topic and key where order matters.
    """

    def __init__(self, hearing: Hearing) -> None:
        self.handled: list[Entry] = []
        self.culprits: list[tuple[Entry, Unusable]] = []
        self.waiting: list[Entry] = []
        self._hearing = hearing
        self._closed: set[Place] = set()

    async def settle(self, work: Work, entries: Sequence[Entry]) -> None:
        """Run `entries` in order. Raises a passing fault as it is: then nothing is anyone's blame."""
        free: list[Entry] = []
        for entry in entries:
            if self._hearing.place_of(entry) in self._closed:
                self.waiting.append(entry)
            elif entry.given_up is not None:
                self._close(entry, entry.given_up)
            else:
                free.append(entry)
        if not free:
            return
        fault = await self._attempt(work, free)
        if fault is None:
            self.handled += free
        elif len(free) == 1:
            self._blame(free[0], fault)
        else:
            half = len(free) // 2
            await self.settle(work, free[:half])
            await self.settle(work, free[half:])

    async def _attempt(self, work: Work, entries: Sequence[Entry]) -> Exception | None:
        await work.flush()
        try:
            async with work.connection.transaction():
                await run(self._hearing, work, entries)
                # What would fail at the commit must fail here, where it has an owner.
                await work.flush()
                await work.connection.execute(store.SQL["check_constraints"])
        except Exception as fault:
            work.forget()
            if is_passing(fault) or work.connection.is_closed():
                raise
            return fault
        return None

    def _blame(self, entry: Entry, fault: Exception) -> None:
        event = entry.received.event if entry.received else None
        # A database quotes what it could not keep; what the topic with personal data holds stays out of reasons.
        why = name_of(fault) if entry.record.topic in PRIVATE else f"{type(fault).__name__}: {fault}"
        self._close(entry, Unusable("handler", why, event))

    def _close(self, entry: Entry, why: Unusable) -> None:
        self.culprits.append((entry, why))
        place = self._hearing.place_of(entry)
        if place is not None:
            self._closed.add(place)


async def bury(connection: Connection, service: str, hearing: Hearing, entry: Entry, why: Unusable) -> int:
    """Make a dead letter of `entry`; if it failed in a handler, park its key where order matters. Returns its id."""
    dead_letter_id = await store.add_dead_letter(connection, service, entry, why)
    place = hearing.place_of(entry)
    if why.stage == "handler" and place is not None:
        await store.park_key(connection, place, dead_letter_id)
    return dead_letter_id

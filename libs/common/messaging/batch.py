"""One attempt at a batch: the steps of its transaction, and what becomes of each record if it commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.contracts.topics import PRIVATE
from libs.common.messaging import store
from libs.common.messaging.hearing import Entry, Hearing, Unusable
from libs.common.messaging.settlement import Settlement, bury, run
from libs.common.messaging.store import Partition, Place
from libs.common.messaging.work import Work

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection


class Batch:
    """The records of one batch by their fate. Made anew for each attempt, so that a rollback leaves no trace."""

    def __init__(self, service: str, hearing: Hearing) -> None:
        self.fenced: list[Entry] = []
        self.duplicates: list[Entry] = []
        self.handled: list[Entry] = []
        self.parked: list[Entry] = []
        self.dead: list[tuple[Entry, Unusable]] = []
        self.next_offsets: dict[Partition, int] = {}
        self._service = service
        self._hearing = hearing

    async def take(self, work: Work, entries: Sequence[Entry], *, careful: bool) -> None:
        """Do everything but the commit. With `careful`, events are settled in savepoints, else all at once."""
        connection = work.connection
        fresh = await self._fence(connection, entries)
        if not fresh:
            return
        readable: list[Entry] = []
        for entry in fresh:
            if entry.unusable is None:
                readable.append(entry)
            else:
                self.dead.append((entry, entry.unusable))
        erased = [entry.record.key for entry in fresh if _erases(entry) and entry.record.key]
        if erased:
            await store.erase_parked(connection, erased)
        new = await self._drop_seen(connection, readable)
        free = await self._hold_back(connection, new)
        free.sort(key=lambda entry: self._hearing.ranks[entry.row])
        if careful:
            await self._settle(work, free)
        else:
            await run(self._hearing, work, free)
            self.handled = free
        for entry, why in self.dead:
            await bury(connection, self._service, self._hearing, entry, why)
        if erased:  # also of what became a dead letter in this very batch
            await store.erase_dead_letters(connection, erased)
        if self.parked:
            self.parked.sort(key=lambda entry: (entry.record.partition, entry.record.offset))
            await store.park_events(connection, self.parked)
        await store.advance_partitions(connection, self.next_offsets)

    async def _fence(self, connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
        ends: dict[Partition, int] = {}
        for entry in entries:
            record = entry.record
            place = (record.topic, record.partition)
            ends[place] = max(ends.get(place, 0), record.offset + 1)
        begins = await store.lock_partitions(connection, sorted(ends))
        self.next_offsets = {place: max(end, begins[place]) for place, end in ends.items()}
        fresh: list[Entry] = []
        for entry in entries:
            is_fresh = entry.record.offset >= begins[entry.record.topic, entry.record.partition]
            (fresh if is_fresh else self.fenced).append(entry)
        return fresh

    async def _drop_seen(self, connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
        rows = self._hearing.rows
        passing = [entry for entry in entries if rows[entry.row].knows_seen]
        first: dict[UUID, Entry] = {}
        for entry in entries:
            if not rows[entry.row].knows_seen and first.setdefault(_id_of(entry), entry) is not entry:
                self.duplicates.append(entry)
        if not first:
            return passing
        new = await store.note_seen(connection, list(first))
        if len(new) == len(first):
            return [*passing, *first.values()]
        kept = set(new)
        self.duplicates += [entry for event_id, entry in first.items() if event_id not in kept]
        return [*passing, *(entry for event_id, entry in first.items() if event_id in kept)]

    async def _hold_back(self, connection: Connection, entries: list[Entry]) -> list[Entry]:
        places = [place for entry in entries if (place := self._hearing.place_of(entry)) is not None]
        held = await store.lock_parked_keys(connection, places) if places else set[Place]()
        if not held:
            return entries
        free: list[Entry] = []
        for entry in entries:
            (self.parked if self._hearing.place_of(entry) in held else free).append(entry)
        return free

    async def _settle(self, work: Work, entries: Sequence[Entry]) -> None:
        settlement = Settlement(self._hearing)
        await settlement.settle(work, entries)
        self.handled = settlement.handled
        self.dead += settlement.culprits
        self.parked += settlement.waiting


def _erases(entry: Entry) -> bool:
    """Whether it is the tombstone of a learner."""
    return entry.record.topic in PRIVATE and entry.record.value is None


def _id_of(entry: Entry) -> UUID:
    assert entry.received is not None
    return entry.received.event_id

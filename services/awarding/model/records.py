"""Learner records (CLR 2.0): what goes into them, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class RecordBadge(NamedTuple):
    """A badge that holds: what it stands on (badge ids), and how many bytes its credential has."""

    badge_id: UUID
    achievement_id: str
    version: int
    issuer_id: str
    valid_from: datetime
    valid_until: datetime | None
    stands_on: Sequence[UUID]
    size: int


class RecordWish(NamedTuple):
    """Which record: of all badges of an issuer, or of the badge `root_id` with all that it stands on."""

    learner_id: str
    issuer_id: str
    root_id: UUID | None = None


class RecordAsked(NamedTuple):
    """A record that waits to be signed."""

    wish: RecordWish
    record_id: UUID
    asked_at: datetime


class RecordNow(NamedTuple):
    """A record as it is kept: `badge_ids` is None while it waits to be signed, `refusal` says why it was not.

    `is_named` is false where the learner now wants another name in it, or none.
    """

    record_id: UUID
    badge_ids: list[UUID] | None
    refusal: str | None
    is_named: bool


class RecordPart(NamedTuple):
    """One signed part, and its place in the issuer's status lists.

    `record_id`, `number` (from 1) and `credential` are None where only the place is remembered.
    """

    part_id: UUID
    learner_id: str
    issuer_id: str
    badge_ids: tuple[UUID, ...]
    status_list: int
    status_index: int
    record_id: UUID | None = None
    number: int | None = None
    credential: str | None = None


class ShownRecord(NamedTuple):
    """A part of a record to serve, of so many, or why there is none; then `is_open` says whether to ask once more."""

    credential: str | None
    parts: int = 0
    refusal: str | None = None
    is_open: bool = False

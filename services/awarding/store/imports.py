"""Badges of other issuers that learners brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from libs.common.contracts import ImportedBadgeWithdrawn
from services.awarding.model import Due, ForeignBadge, Import, Pushed, Remembered
from services.awarding.store import IMPORTS

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader

_PLAIN = [name for name in Import.__dataclass_fields__ if name not in ("badge", "person")]
_SAID = list(ForeignBadge.__dataclass_fields__)


async def keep_import(connection: Connection, imported: Import) -> bool:
    """Keep a badge that a learner brought; answers False, and keeps nothing, where it is there already."""
    kept = await connection.fetchval(
        IMPORTS["keep_import"],
        imported.import_id, imported.learner_id, imported.state, imported.brought, imported.digest,
        *(imported.person or (None, None)), imported.is_vouched, imported.actor, imported.asked_at,
        *_said(imported.badge), imported.checked_at, imported.next_check_at, imported.traceparent,
    )  # fmt: skip
    return kept is not None


async def refill_import(connection: Connection, imported: Import) -> Import | None:
    """Complete an import that is remembered without the badge itself; None where there is none."""
    credential = None if imported.badge is None else imported.badge.credential
    row = await connection.fetchrow(
        IMPORTS["refill_import"],
        imported.learner_id, imported.digest, imported.brought, credential, imported.next_check_at,
    )  # fmt: skip
    return None if row is None else _import(row)


async def import_twin(connection: Connection, imported: Import) -> bool:
    """Whether the same badge was imported before: by anybody where it says what it is, else by the learner."""
    badge = imported.badge
    names = (None, None) if badge is None else (badge.issuer, badge.credential)
    return await connection.fetchval(
        IMPORTS["import_twin"], imported.learner_id, *names, imported.digest, imported.import_id
    )


async def imports_of(reader: Reader, learner_id: str) -> list[Import]:
    """All that a learner brought, in order."""
    return [_import(row) for row in await reader.fetch(IMPORTS["imports_of"], learner_id)]


async def import_count(reader: Reader, learner_id: str) -> int:
    """How many imports of a learner are kept, in whatever state."""
    return await reader.fetchval(IMPORTS["import_count"], learner_id)


async def import_of(reader: Reader, learner_id: str, import_id: UUID) -> Import | None:
    """One import of a learner, or None."""
    row = await reader.fetchrow(IMPORTS["import"], learner_id, import_id)
    return None if row is None else _import(row)


async def leave_import(connection: Connection, learner_id: str, import_id: UUID, at: datetime) -> bool:
    """Mark an import to be taken out; answers whether the learner has it."""
    return await connection.fetchval(IMPORTS["leave_import"], learner_id, import_id, at) is not None


async def recheck_import(
    connection: Connection, learner_id: str, import_id: UUID, person: tuple[str, str] | None, *, is_vouched: bool
) -> bool:
    """Have an import looked at now, as awarded to `person` if that is said; answers whether it can be."""
    values = (learner_id, import_id, *(person or (None, None)), is_vouched)
    return await connection.fetchval(IMPORTS["recheck_import"], *values) is not None


async def waiting_imports(connection: Connection, most: int) -> list[tuple[Import, bytes | None]]:
    """Up to `most` imports that wait to be counted or taken out, each with the digest of its learner's e-mail address;
    the learners are locked now."""
    return [(_import(row), row["email_digest"]) for row in await connection.fetch(IMPORTS["waiting_imports"], most)]


async def due_imports(connection: Connection, most: int, lease_seconds: float) -> list[Due]:
    """Up to `most` imports to look at again; nobody else is given them for `lease_seconds`."""
    rows = await connection.fetch(IMPORTS["due_imports"], most, lease_seconds)
    return [Due(_import(row), row["email_digest"], row["is_awaited"]) for row in rows]


async def locked_import(connection: Connection, learner_id: str, import_id: UUID) -> Import | None:
    """One import, with its learner locked, or None when it is gone."""
    row = await connection.fetchrow(IMPORTS["locked_import"], learner_id, import_id)
    return None if row is None else _import(row)


async def change_imports(connection: Connection, imports: Sequence[Import]) -> None:
    """Keep what became of imports."""
    if not imports:
        return
    rows = [
        (
            one.import_id, one.state, one.brought, *(one.person or (None, None)), *_said(one.badge), one.revision,
            one.counted_by, one.cause, one.checked_at, one.next_check_at, one.checks, one.digest, one.later,
            one.is_vouched, one.watch,
        )
        for one in imports
    ]  # fmt: skip
    await connection.execute(IMPORTS["change_imports"], *_columns(rows))


async def keep_pushes(connection: Connection, pushes: Sequence[Pushed]) -> set[UUID]:
    """Keep badges that were pushed; answers which are new. What was there is renewed where it is another."""
    if not pushes:
        return set()
    rows = [
        (one.import_id, one.learner_id, one.content, one.digest, one.credential, one.pushed_at, one.cause,
         one.traceparent)
        for one in pushes
    ]  # fmt: skip
    added = {row["import_id"] for row in await connection.fetch(IMPORTS["keep_pushes"], *_columns(rows))}
    again = [(one.import_id, one.content, one.digest, one.pushed_at) for one in pushes if one.import_id not in added]
    if again:
        await connection.execute(IMPORTS["renew_pushes"], *_columns(again))
    return added


async def leave_pushes(connection: Connection, import_ids: Sequence[UUID]) -> None:
    """Mark pushed badges to be taken out."""
    await connection.execute(IMPORTS["leave_pushes"], list(import_ids))


async def wake_pushes(connection: Connection, learner_ids: Sequence[str]) -> None:
    """Have a look at pushed badges that could not be told to be these learners' so far."""
    await connection.execute(IMPORTS["wake_pushes"], list(learner_ids))


async def drop_imports(connection: Connection, import_ids: Sequence[UUID]) -> None:
    """Forget imports."""
    await connection.execute(IMPORTS["drop_imports"], list(import_ids))


async def forget_imports(connection: Connection, erased: Mapping[str, datetime]) -> None:
    """Forget all that these learners brought, and what was pushed for them until they were erased.

    What was pushed since is of somebody who registered again: another topic tells it, perhaps earlier.
    """
    await connection.execute(IMPORTS["forget_imports"], list(erased), list(erased.values()))


async def remember_imports(connection: Connection, told: Sequence[Remembered]) -> None:
    """Keep imports as they were told. Those with a watch are looked at as soon as somebody looks."""
    if not told:
        return
    rows = [
        (
            one.import_id, one.learner_id, one.digest, at, one.issuer, one.issuer_name, one.achievement, one.name,
            one.standard, one.valid_from, one.valid_until, one.revision, event_id, watch,
        )
        for one, event_id, at, watch in told
    ]  # fmt: skip
    await connection.execute(IMPORTS["remember_imports"], *_columns(rows))


async def counted_since(
    connection: Connection, learner_id: str, counted_by: UUID
) -> tuple[datetime, str | None] | None:
    """When the event by which an import counts was, with its traceparent; None where no fact of it is left."""
    row = await connection.fetchrow(IMPORTS["counted_since"], learner_id, counted_by)
    return None if row is None else (row["occurred_at"], row["traceparent"])


async def imported_objects(connection: Connection, told: Sequence[ImportedBadgeWithdrawn]) -> dict[UUID, list[str]]:
    """What the facts are about that followed from the events which are superseded, by the ids of these."""
    found: dict[UUID, list[str]] = {}
    rows = [(one.learner_id, one.supersedes) for one in told]
    for row in await connection.fetch(IMPORTS["imported_objects"], *_columns(rows)):
        found.setdefault(row["event_id"], []).append(row["object_id"])
    return found


async def withdrawn_events(
    connection: Connection, told: Sequence[tuple[str, UUID]]
) -> dict[UUID, tuple[UUID, datetime]]:
    """Which of these (learner, event by which an import counted) were withdrawn: by the event, by what and when."""
    rows = await connection.fetch(IMPORTS["withdrawn_events"], *_columns(told))
    return {row["event_id"]: (row["voided_by"], row["occurred_at"]) for row in rows}


async def take_imports_back(connection: Connection, told: Sequence[tuple[ImportedBadgeWithdrawn, datetime]]) -> None:
    """Forget imports that were taken back at these times while they counted by the events that are superseded. What
    was pushed later is to be looked at in their place."""
    if told:
        rows = _columns([(one.import_id, one.supersedes, at) for one, at in told])
        await connection.execute(IMPORTS["resume_pushes"], *rows)
        await connection.execute(IMPORTS["drop_withdrawn"], rows[0], rows[1])


async def drop_uncounted(connection: Connection, told: Sequence[tuple[UUID, datetime]]) -> None:
    """Forget imports that do not count and were taken back at these times; not what was pushed later."""
    await connection.execute(IMPORTS["drop_uncounted"], *_columns(told))


async def lose_imports(connection: Connection, told: Sequence[ImportedBadgeWithdrawn]) -> None:
    """Keep that imports do not count any more."""
    rows = [(one.import_id, one.cause, one.supersedes) for one in told]
    await connection.execute(IMPORTS["lose_imports"], *_columns(rows))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _said(badge: ForeignBadge | None) -> list[Any]:
    return [None if badge is None else getattr(badge, name) for name in _SAID]


def _import(row: Any) -> Import:
    badge = None if row["issuer"] is None else ForeignBadge(**{name: row[name] for name in _SAID})
    person = None if row["person_kind"] is None else (row["person_kind"], row["person_identity"])
    return Import(**{name: row[name] for name in _PLAIN}, badge=badge, person=person)

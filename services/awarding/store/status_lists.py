"""Status lists: positions, which lists there are, which are due, and what they have to say."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.awarding.model import ListPlace, StatusListNow
from services.awarding.store import STATUS_LISTS

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection


async def take_positions(connection: Connection, count: int) -> list[int]:
    """So many positions that nobody else is given."""
    return await connection.fetchval(STATUS_LISTS["take_positions"], count)


async def next_position(connection: Connection) -> int:
    """The position that is given next, or was meanwhile."""
    return await connection.fetchval(STATUS_LISTS["next_position"])


async def known_lists(connection: Connection, issuer_ids: Collection[str]) -> set[ListPlace]:
    """The lists that these issuers have."""
    rows = await connection.fetch(STATUS_LISTS["known_lists"], sorted(issuer_ids))
    return {ListPlace(row["issuer_id"], row["number"], row["purpose"]) for row in rows}


async def keep_new_lists(connection: Connection, lists: Collection[ListPlace], valid_until: datetime) -> set[str]:
    """Keep lists that begin; answers the ids of those that nobody else began."""
    new = sorted(lists)
    rows = await connection.fetch(
        STATUS_LISTS["keep_new_lists"],
        [place.list_id for place in new],
        [place.issuer_id for place in new],
        [place.number for place in new],
        [place.purpose for place in new],
        valid_until,
    )
    return {row["list_id"] for row in rows}


async def note_due(connection: Connection, badge_ids: Sequence[UUID]) -> None:
    """Have the lists of these badges signed anew."""
    await connection.execute(STATUS_LISTS["note_due"], list(badge_ids))


async def note_due_issuer(connection: Connection, issuer_id: str) -> None:
    """Have all lists of an issuer signed anew."""
    await connection.execute(STATUS_LISTS["note_due_issuer"], issuer_id)


async def note_due_old(connection: Connection, seconds: float) -> None:
    """Have the lists signed anew that were signed longer ago than that."""
    await connection.execute(STATUS_LISTS["note_due_old"], seconds)


async def take_due(connection: Connection, most: int) -> set[tuple[str, int]]:
    """Take up to `most` notes off the list of what is due; answers (issuer id, number)."""
    rows = await connection.fetch(STATUS_LISTS["take_due"], most)
    return {(row["issuer_id"], row["number"]) for row in rows}


async def lock_lists(
    connection: Connection, due: Collection[tuple[str, int]]
) -> tuple[datetime | None, list[StatusListNow]]:
    """The lists of these (issuer id, number), locked until this transaction ends, and its time."""
    rows = await connection.fetch(STATUS_LISTS["lock_lists"], *_columns(due))
    lists = [StatusListNow(ListPlace(row["issuer_id"], row["number"], row["purpose"]), row["revision"]) for row in rows]
    return (rows[0]["now"] if rows else None), lists


async def withdrawn(connection: Connection, due: Collection[tuple[str, int]]) -> dict[tuple[str, int, int], list[int]]:
    """The indices of badges and records that do not hold, by (issuer id, number, state as a number)."""
    rows = await connection.fetch(STATUS_LISTS["withdrawn"], *_columns(due))
    return {(row["issuer_id"], row["number"], row["state"]): row["indices"] for row in rows}


async def keep_lists(connection: Connection, lists: Sequence[StatusListNow], valid_until: datetime) -> None:
    """Note the lists as signed, each with its new revision."""
    list_ids = [found.place.list_id for found in lists]
    await connection.execute(STATUS_LISTS["keep_lists"], list_ids, [found.revision for found in lists], valid_until)


async def restore_lists(connection: Connection, lists: Sequence[StatusListNow]) -> None:
    """Keep the lists that were told before, each with its highest revision; they are due to be signed anew."""
    places = [found.place for found in lists]
    await connection.execute(
        STATUS_LISTS["restore_lists"],
        [place.list_id for place in places],
        [place.issuer_id for place in places],
        [place.number for place in places],
        [place.purpose for place in places],
        [found.revision for found in lists],
    )


async def restored_places(connection: Connection) -> list[tuple[int, int]]:
    """The places of all badges and records: (number, index)."""
    return [(row["number"], row["index"]) for row in await connection.fetch(STATUS_LISTS["restored_places"])]


async def resume_positions(connection: Connection, last: int) -> None:
    """Give no position up to and with `last` again."""
    await connection.execute(STATUS_LISTS["resume_positions"], last)


def _columns(due: Collection[tuple[str, int]]) -> tuple[list[str], list[int]]:
    chosen = sorted(due)
    return [issuer_id for issuer_id, _ in chosen], [number for _, number in chosen]

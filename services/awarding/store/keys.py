"""The keys of issuers: their history, what workers have at hand, and what operators did."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.awarding.model import FreeKey, IssuerKey, KeyAct
from services.awarding.store import KEYS

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection
    from services.awarding.store import Reader


async def lock_keys(connection: Connection) -> datetime:
    """Have the keys alone until this transaction ends; answers the transaction's time."""
    row = await connection.fetchrow(KEYS["lock_keys"])
    assert row is not None
    return row["now"]


async def keys_of(connection: Reader, issuer_ids: Collection[str]) -> dict[str, list[IssuerKey]]:
    """The key histories of these issuers, each in order of beginning."""
    found: dict[str, list[IssuerKey]] = {}
    for row in await connection.fetch(KEYS["keys_of"], sorted(issuer_ids)):
        found.setdefault(row["issuer_id"], []).append(IssuerKey(**dict(row)))
    return found


async def keys_now(connection: Connection, issuer_ids: Collection[str]) -> tuple[datetime, dict[str, list[IssuerKey]]]:
    """The time of this transaction, and the key histories of these issuers."""
    return await connection.fetchval(KEYS["transaction_time"]), await keys_of(connection, issuer_ids)


async def keep_keys(connection: Connection, keys: Sequence[IssuerKey]) -> None:
    """Keep new keys, and the new ends of known ones."""
    await connection.execute(
        KEYS["keep_keys"],
        [key.issuer_id for key in keys],
        [key.key_id for key in keys],
        [key.multibase for key in keys],
        [key.jwk for key in keys],
        [key.valid_from for key in keys],
        [key.valid_until for key in keys],
        [key.revoked_at for key in keys],
        [key.signs for key in keys],
    )


async def keep_keys_at_hand(connection: Connection, keys: Sequence[FreeKey]) -> None:
    """Keep which keys the worker that starts has at hand, in the order of its settings."""
    await connection.execute(KEYS["clear_keys_at_hand"])
    await connection.execute(
        KEYS["keep_keys_at_hand"],
        [key.issuer_id for key in keys],
        [key.key_id for key in keys],
        [key.multibase for key in keys],
        [key.jwk for key in keys],
        [key.signs for key in keys],
    )


async def keys_at_hand(connection: Reader) -> list[FreeKey]:
    """Which keys workers have at hand, in the order of their settings."""
    return [FreeKey(**dict(row)) for row in await connection.fetch(KEYS["keys_at_hand"])]


async def keep_key_act(connection: Connection, act: KeyAct) -> bool:
    """Keep what an operator did; answers whether it is new."""
    found = await connection.fetchval(
        KEYS["keep_key_act"],
        act.act_id, act.kind, act.issuer_id, act.key_id, act.at, act.reason, act.actor, act.asked_at,
    )  # fmt: skip
    return found is not None


async def is_key_act_known(connection: Reader, act_id: UUID) -> bool:
    """Whether an operator's act was carried out before."""
    return await connection.fetchval(KEYS["is_key_act_known"], act_id)


async def key_acts(connection: Reader, issuer_id: str) -> list[KeyAct]:
    """What operators did to the keys of an issuer, in order."""
    return [KeyAct(**dict(row)) for row in await connection.fetch(KEYS["key_acts"], issuer_id)]

"""Our own record of our badges: what a key that was withdrawn later had signed before stands (B8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import cast
from uuid import UUID

from fastapi import FastAPI

from libs.common.checking.dialogue import Recall, Recorded, Unreachable
from libs.common.credentials.addresses import Addresses
from libs.common.postgres.database import Database
from libs.common.problems import AWAY
from libs.common.verifying import OwnRecord
from services.verification import store
from services.verification.model import Key
from services.verification.rules.verdict import earliest
from services.verification.store import log as log_store


def own_record(app: FastAPI, addresses: Addresses) -> OwnRecord:
    """Answers from the badges and the log that are kept here, whoever may see them: the badge was brought."""

    async def record(asked: Recall) -> Recorded | Unreachable | None:
        badge_id = badge_of(asked.credential_id, addresses)
        # Whoever signs with a key of their own may write any id: whether there is a badge of it, they do not learn.
        if badge_id is None or not asked.issuer.startswith(addresses.issuer_did("") + ":"):
            return None
        pool = cast("Database", app.state.database).pool
        try:
            badge = await store.badge(pool, badge_id)
            # An issuer here learns nothing of a badge of another either: the record of its own has none of that id.
            if badge is None or asked.issuer != addresses.issuer_did(badge.issuer_id):
                return Recorded(None, None)
            logged = (await log_store.logged_at(pool, [badge_id])).get(badge_id)
            return Recorded(badge.signed.content, earliest(badge.awarded_at, logged))
        except AWAY as fault:
            return Unreachable("away", type(fault).__name__)

    return record


async def logged_if_needed(
    reader: store.Reader, badge_ids: Collection[UUID], keys: Iterable[Key]
) -> Mapping[UUID, datetime]:
    """When each badge was logged, where that matters: only of what a withdrawn key signed is it asked."""
    if all(key.revoked_at is None for key in keys):
        return {}
    return await log_store.logged_at(reader, badge_ids)


def badge_of(credential_id: str, addresses: Addresses) -> UUID | None:
    """The id of a badge of ours by the id of its credential or assertion; None if it is neither."""
    folder, _, name = credential_id.rpartition("/")
    if folder not in (addresses.badge("x")[:-2], addresses.assertion("x")[:-2]):
        return None
    try:
        return UUID(name)
    except ValueError:
        return None

"""Every badge gets a place in the log of issuance, and the log's signed head is told (B8, SR-20)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from libs.common.contracts import BadgesLogged, LoggedBadge
from libs.common.credentials.checkpoint import Checkpoint, sign_checkpoint, verifier_key
from libs.common.credentials.identifiers import log_salt
from libs.common.credentials.keys import Signer
from libs.common.credentials.log import append, commitment, leaf_hash
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.award import SOURCE
from services.awarding.store import logbook as logbook_store

KEY = "log"


class NotAsLogged(Exception):
    """What was told of the log does not fit what is known of it."""


class Logbook:
    """The log of a deployment: `origin` names it (a URL without its scheme), `signer` signs its heads.

    `pepper` is the secret under which each entry's salt is derived.
    """

    def __init__(self, origin: str, signer: Signer, pepper: bytes) -> None:
        self.origin = origin
        self.signer = signer
        self.pepper = pepper
        self.verifier_key = verifier_key(origin, signer.public_key)


async def record_logged(logbook: Logbook, work: Work, *, most: int, now: datetime) -> int:
    """Give up to `most` badges their places, sign the head after them, and tell it; answers how many."""
    waiting = await logbook_store.unlogged_badges(work.connection, most)
    if not waiting:
        return 0
    before = await logbook_store.log_head(work.connection)
    salts = [log_salt(logbook.pepper, badge.badge_id) for badge in waiting]
    entries = [commitment(badge.digest, salt) for badge, salt in zip(waiting, salts, strict=True)]
    head = append(before, [leaf_hash(entry) for entry in entries]).frontier
    logged_at = now.replace(microsecond=0)
    checkpoint = Checkpoint(logbook.origin, head.size, head.root, (f"time {int(logged_at.timestamp())}",))
    # Wherever the key lies, events go on meanwhile.
    note = await asyncio.to_thread(sign_checkpoint, checkpoint, logbook.signer)
    badge_ids = [badge.badge_id for badge in waiting]
    await logbook_store.keep_logged(work.connection, before.size, list(zip(badge_ids, entries, strict=True)), head)
    told = tuple(
        LoggedBadge(badge_id=badge_id, entry=base64.b64encode(entry).decode(), salt=base64.b64encode(salt).decode())
        for badge_id, entry, salt in zip(badge_ids, entries, salts, strict=True)
    )
    work.tell(_told(logbook, BadgesLogged(
        first_index=before.size, badges=told, checkpoint=note, verifier_key=logbook.verifier_key, logged_at=logged_at,
    )))  # fmt: skip
    return len(waiting)


async def on_badges_logged(work: Work, events: Sequence[Received[BadgesLogged]]) -> None:
    """Keep the places that were given out before, in their order. Raises `NotAsLogged` on a gap."""
    head = await logbook_store.log_head(work.connection)
    for heard in events:
        told = heard.content
        if told is None or told.first_index + len(told.badges) <= head.size:
            continue
        if told.first_index != head.size:
            raise NotAsLogged(f"the log: expected to go on at {head.size}, found {told.first_index}")
        entries = [(badge.badge_id, base64.b64decode(badge.entry)) for badge in told.badges]
        head = append(head, [leaf_hash(entry) for _, entry in entries]).frontier
        await logbook_store.keep_logged(work.connection, told.first_index, entries, head)


def _told(logbook: Logbook, content: BadgesLogged) -> Outgoing:
    return Outgoing(
        topic=BadgesLogged.TOPIC,
        key=KEY,
        event_id=uuid5(NAMESPACE_URL, f"{SOURCE}/{logbook.origin}/{content.first_index}"),
        type=BadgesLogged.TYPE,
        source=SOURCE,
        subject=KEY,
        time=content.logged_at,
        value=content.model_dump_json(exclude_none=True).encode(),
    )

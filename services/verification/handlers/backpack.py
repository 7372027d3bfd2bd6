"""What programs bring for a learner: badges of others, which awarding hears of, and the profile."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from libs.common.contracts.verification import BadgePushed
from libs.common.messaging.work import LARGEST_VALUE_BYTES, Outgoing, Work
from services.verification.model.imports import ImportWord
from services.verification.store import backpack as store
from services.verification.store import imports as import_store
from services.verification.store.backpack import Held

SOURCE = "/cairn/verification"
TOO_LARGE = "too-large"
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:cairn:verification")


async def keep_pushed_badge(
    work: Work, learner_id: str, credential_id: str, held: Held, *, issued_at: datetime, at: datetime, most: int
) -> bool | None:
    """Keep a badge that was found genuine, and tell of it; whether it is new.

    The same as was told before is not told again, unless the learner took it back since. None, and nothing kept, if
    the learner has `most`, or lets no program in any more.
    """
    push_id = uuid5(_NAMESPACE, f"pushed|{learner_id}|{credential_id}")
    digest = "sha256:" + hashlib.sha256(held.content).hexdigest()
    added = await store.keep_pushed_badge(
        work.connection, learner_id, credential_id, held, issued_at=issued_at, at=at, push_id=push_id
    )
    if added is None:
        return None
    if added and await store.pushed_count(work.connection, learner_id) > most:
        await store.forget_pushed_badge(work.connection, learner_id, credential_id)
        return None
    if await store.note_told(work.connection, learner_id, credential_id, digest):
        await _tell(work, BadgePushed(
            push_id=push_id, learner_id=learner_id, credential_id=credential_id, content=held.content.decode(),
            digest=digest, pushed_at=at,
        ))  # fmt: skip
    return added


async def tell_pushed_since(work: Work, taken_back: Sequence[ImportWord]) -> None:
    """Tell anew of badges that were pushed again after their learners had taken them back, and before that was heard.

    `taken_back` are the words on that, which are kept. They were not told when they came: the same had been told.
    """
    for told in await store.note_told_since(work.connection, taken_back):
        await _tell(work, told)


async def keep_profile(work: Work, learner_id: str, document: bytes, at: datetime) -> bool:
    """Keep the profile that a program put; False, and nothing kept, if the learner lets no program in any more."""
    return await store.keep_profile(work.connection, learner_id, document, at)


def tell_erased(work: Work, push_ids: Sequence[UUID], at: datetime) -> None:
    """Tell that pushed badges are erased: a tombstone takes each from the topic (B7)."""
    for push_id in push_ids:
        work.tell(_outgoing(push_id, uuid5(push_id, f"erased {at.isoformat()}"), at, None))


async def _tell(work: Work, told: BadgePushed) -> None:
    value = told.model_dump_json(exclude_none=True).encode()
    event_id = uuid5(told.push_id, f"{told.digest} {told.pushed_at.isoformat()}")
    if len(value) <= LARGEST_VALUE_BYTES:
        work.tell(_outgoing(told.push_id, event_id, told.pushed_at, value))
        return
    detail = f"Expected a badge of at most {LARGEST_VALUE_BYTES} bytes."
    word = ImportWord(
        told.push_id, told.learner_id, "refused", TOO_LARGE, detail, told.digest, told.pushed_at, event_id
    )  # fmt: skip
    await import_store.keep_import_words(work.connection, [word])


def _outgoing(push_id: UUID, event_id: UUID, at: datetime, value: bytes | None) -> Outgoing:
    return Outgoing(
        topic=BadgePushed.TOPIC, key=str(push_id), event_id=event_id, type=BadgePushed.TYPE, source=SOURCE,
        subject=str(push_id), time=at, value=value,
    )  # fmt: skip

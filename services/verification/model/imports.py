"""Badges of other issuers that programs pushed, and what awarding says of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

# The cause that awarding gives where the learner took a badge back.
TAKEN_BACK = "taken-back"
PushState = Literal["kept", "waiting", "counting", "lost", "refused"]


class ImportWord(NamedTuple):
    """One word of awarding on a badge of another issuer: `cause` is a short code, `detail` a sentence in English."""

    import_id: UUID
    learner_id: str
    state: PushState
    cause: str | None
    detail: str | None
    digest: str | None
    told_at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class PushedBadge:
    """A badge that a program pushed, to the byte, with the last word on it, if there is one.

    `push_id` and `digest` are None for one that was never told to awarding; `told_digest` is that of the bytes which
    the word is about, where it says so.
    """

    credential_id: str
    content: bytes
    is_token: bool
    kept_at: datetime
    push_id: UUID | None
    digest: str | None
    state: PushState | None
    cause: str | None
    detail: str | None
    told_digest: str | None
    told_at: datetime | None

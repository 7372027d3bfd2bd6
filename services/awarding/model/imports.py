"""Badges of other issuers that learners bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from libs.common.contracts import BadgeImported

ImportState = Literal["unclear", "genuine", "counting", "lost", "refused", "leaving"]
LossCause = Literal["revoked", "suspended", "expired", "taken-back"]


@dataclass(frozen=True, slots=True)
class ForeignBadge:
    """What a genuine badge of another issuer says; ids as the badge itself writes them."""

    issuer: str
    issuer_name: str | None
    achievement: str | None
    credential: str | None
    name: str
    standard: str
    valid_from: datetime | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Import:
    """A badge that a learner brought, and what became of it.

    `brought` is what is checked again, `digest` is `sha256:<hex>` of it. `person` is whom it should be awarded to
    (kind, identity), kept until that is settled; `is_vouched`: an authorised person answers for that. `revision` says
    how often it came to count, `counted_by` by which event it counts now, `cause` why it does not. `is_pushed`: a
    program brought it; `later` is what was pushed in its place while it counts. `watch` is what its issuer is asked
    again (`watching.watch_of`, as JSON), as it was told; None before that.
    """

    import_id: UUID
    learner_id: str
    state: ImportState
    brought: bytes | None
    digest: str
    person: tuple[str, str] | None
    is_vouched: bool
    actor: str
    asked_at: datetime
    badge: ForeignBadge | None
    checked_at: datetime
    revision: int = 0
    counted_by: UUID | None = None
    cause: str | None = None
    next_check_at: datetime | None = None
    checks: int = 1
    traceparent: str | None = None
    is_pushed: bool = False
    later: bytes | None = None
    watch: bytes | None = None


class Pushed(NamedTuple):
    """A badge that a program pushed, to be looked at; `cause` says why that would be in vain, if it would."""

    import_id: UUID
    learner_id: str
    content: bytes
    digest: str
    credential: str
    pushed_at: datetime
    cause: str | None
    traceparent: str | None


class Due(NamedTuple):
    """An import that is to be looked at again, with the digest of its learner's e-mail address.

    Not `is_awaited` is one that was pushed for a learner who is not registered yet.
    """

    imported: Import
    email_digest: bytes | None
    is_awaited: bool


class Remembered(NamedTuple):
    """An import as awarding told it, with the event's id and time, and what its issuer is asked again, if told."""

    told: BadgeImported
    event_id: UUID
    at: datetime
    watch: bytes | None


class KnownLearner(NamedTuple):
    """A learner as they are registered: since when, by which keyed digest their e-mail address is recognised, and the
    name that they want in their badges."""

    learner_id: str
    registered_at: datetime
    email_digest: bytes | None = None
    shown_name: str | None = None


@dataclass(frozen=True, slots=True)
class NotImported:
    """A badge cannot be imported, or not any more: a short code, and a sentence."""

    why: str
    detail: str

"""What issuers say for achievements and badges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EndorsementAsked:
    """What `actor` wants an issuer to say: `comment`, for an achievement version or for a badge.

    `refusal` says why it was not signed, `signed_at` when it was.
    """

    endorsement_id: UUID
    issuer_id: str
    achievement_id: str | None
    version: int | None
    badge_id: UUID | None
    comment: str
    actor: str
    asked_at: datetime
    traceparent: str | None = None
    signed_at: datetime | None = None
    refusal: str | None = None


class SignedEndorsement(NamedTuple):
    """An endorsement as it was signed, and its Open Badges 2.0 twin; each as exact text."""

    endorsement_id: UUID
    credential: str
    open_badge_2: str
    credential_jwt: str | None

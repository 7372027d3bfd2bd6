"""What a learner offers to a wallet of theirs: one of their badges, once, for a few minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Offer:
    """The last offer of a badge, good until `ends_at` for the first wallet that shows its code.

    `pin_digest` is None where no PIN is asked for; `taken_at` is when a wallet showed the code, and got a token that
    is good until `token_ends_at`.
    """

    badge_id: UUID
    pin_digest: bytes | None
    wrong_pins: int
    ends_at: datetime
    taken_at: datetime | None
    token_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """An offer as only its learner ever sees it: the `reference` that leads to it, and the PIN in clear, if any."""

    reference: str
    pin: str | None
    ends_at: datetime


# What comes of showing a code: good, or why not.
Redemption = Literal["good", "gone", "reused", "no-pin", "wrong-pin", "needless-pin"]

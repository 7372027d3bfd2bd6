"""What the catalogue tells: issuers, achievements, and the pictures that they show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.verification.model.claims import Alignment


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """An uploaded picture that is kept here: the digest of its bytes, PNG or SVG, and what it shows in words."""

    digest: str
    media_type: str
    caption: str


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """The bytes of an uploaded picture; `drawn` is what an SVG looks like, as PNG."""

    media_type: str
    content: bytes
    drawn: bytes | None
    told_at: datetime

    @property
    def png(self) -> bytes:
        """The picture as PNG."""
        return self.content if self.drawn is None else self.drawn


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer as the catalogue names it."""

    issuer_id: str
    name: str
    url: str
    email: str | None
    description: str | None
    told_at: datetime
    picture: NamedPicture | None = None


@dataclass(frozen=True, slots=True)
class Achievement:
    """One published version of an achievement. `level` is 1 to 4, `hours` the effort (M1.9)."""

    achievement_id: str
    version: int
    kind: str
    issuer_id: str
    name: str
    description: str
    criteria: str
    language: str
    tags: tuple[str, ...]
    alignments: tuple[Alignment, ...]
    level: int | None
    hours: Decimal | None
    credits: Decimal | None
    published_at: datetime
    told_at: datetime
    picture: NamedPicture | None = None

"""The keys of issuers over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

KeyActKind = Literal["rotate", "revoke"]


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A key of an issuer: it may sign from `valid_from` until before `valid_until`; nothing stands from `revoked_at`.

    `key_id` names it in the issuer's documents, `multibase` is the Multikey text. With a public `jwk` (JSON text) it
    signs VC-JWTs, without one embedded proofs.
    """

    issuer_id: str
    key_id: str
    multibase: str
    jwk: str | None
    valid_from: datetime
    valid_until: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def signs_tokens(self) -> bool:
        """Whether it signs VC-JWTs, else embedded proofs."""
        return self.jwk is not None


@dataclass(frozen=True, slots=True)
class FreeKey:
    """A key that a worker has at hand: of one issuer, or of all (`issuer_id` None). The rest is as in `IssuerKey`."""

    issuer_id: str | None
    key_id: str
    multibase: str
    jwk: str | None

    @property
    def signs_tokens(self) -> bool:
        """Whether it signs VC-JWTs, else embedded proofs."""
        return self.jwk is not None


@dataclass(frozen=True, slots=True)
class KeyAct:
    """What an operator does to a key: from which instant on (`at`, aware), why, and who asked when."""

    act_id: UUID
    kind: KeyActKind
    issuer_id: str
    key_id: str
    at: datetime
    reason: str
    actor: str
    asked_at: datetime

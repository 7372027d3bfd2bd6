"""The keys of issuers over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

KeyActKind = Literal["rotate", "revoke"]
# Embedded proofs, VC-JWTs, or signed Open Badges 2.0: the keys of each use follow one another by themselves.
KeyUse = Literal["proofs", "tokens", "assertions"]
KEY_USES: tuple[KeyUse, ...] = ("proofs", "tokens", "assertions")


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A key of an issuer: it may sign from `valid_from` until before `valid_until`; nothing stands from `revoked_at`.

    `key_id` names it in the issuer's documents, `multibase` is the Multikey text, `jwk` the public JWK (JSON text) of a
    key that `signs` tokens or assertions.
    """

    issuer_id: str
    key_id: str
    multibase: str
    jwk: str | None
    valid_from: datetime
    valid_until: datetime | None = None
    revoked_at: datetime | None = None
    signs: KeyUse = "proofs"


@dataclass(frozen=True, slots=True)
class FreeKey:
    """A key that a worker has at hand: of one issuer, or of all (`issuer_id` None). The rest is as in `IssuerKey`."""

    issuer_id: str | None
    key_id: str
    multibase: str
    jwk: str | None
    signs: KeyUse = "proofs"


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

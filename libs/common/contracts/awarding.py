"""What awarding tells: badges with their signed bytes, what becomes of them, and the keys that signed them."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from libs.common.contracts.contract import Contract, Identifier, Text
from libs.common.contracts.topics import BADGE_ISSUED


class BadgeIssued(Contract):
    """A badge was issued. Key: the badge id.

    `credential` is the signed Open Badges 3.0 document and `open_badge_2` the hosted Open Badges 2.0 assertion,
    each as the exact text that was signed or fixed: kept and served as it is, never rebuilt.
    `digest` is `sha256:<hex>` of `credential`.
    """

    TYPE: ClassVar[str] = "cairn.badge-issued.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    achievement_id: Identifier
    version: Annotated[int, Field(ge=1)]
    cycle: Annotated[int, Field(ge=0)]
    issuer_id: Identifier
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None
    credential: str
    open_badge_2: str
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class BadgeRevoked(Contract):
    """A badge does not hold any more, for good. Key: the badge id."""

    TYPE: ClassVar[str] = "cairn.badge-revoked.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    reason: Text


class BadgeSuspended(Contract):
    """A badge does not hold for now. Key: the badge id."""

    TYPE: ClassVar[str] = "cairn.badge-suspended.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    reason: Text


class BadgeReinstated(Contract):
    """A suspended badge holds again. Key: the badge id."""

    TYPE: ClassVar[str] = "cairn.badge-reinstated.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    reason: Text


class KeyPublished(Contract):
    """A public key with which an issuer signs, or signed, its badges. Key: `key:<issuer_id>`.

    `key_id` is the fragment of the verification method, `public_key_multibase` an Ed25519 Multikey (z6Mk…).
    The key is good for badges issued from `valid_from` until before `valid_until`, where that is set.
    """

    TYPE: ClassVar[str] = "cairn.key-published.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    issuer_id: Identifier
    key_id: Identifier
    public_key_multibase: Annotated[str, Field(pattern=r"^z[1-9A-HJ-NP-Za-km-z]+$")]
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None

"""What awarding tells: badges with their signed bytes, what becomes of them, and the keys that signed them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from libs.common.contracts.contract import Contract, Identifier, Label, Part, Text
from libs.common.contracts.topics import BADGE_ISSUED


class BadgeIssued(Contract):
    """A badge was issued. Key: the badge id.

    `credential` is the signed Open Badges 3.0 document and `open_badge_2` the hosted Open Badges 2.0 assertion,
    each as the exact text that was signed or fixed: kept and served as it is, never rebuilt.
    `digest` is `sha256:<hex>` of `credential`. `credential_jwt` is the same badge as a VC-JWT, where the issuer has
    a key for one. `awarded_at` is when it was signed; `valid_from` may lie years before it.

    What follows is awarding's own memory, so that it can be rebuilt from this topic without signing anything anew
    (B2): `status_index` is the badge's place in the status lists that the credential names; `evidence_event_ids` and
    `evidence_badge_ids` are what it stands on, `trigger_event_id` the event that completed it; `is_grounded` is false
    where a person gave it, by the act `act_id`.
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
    credential_jwt: str | None = None
    awarded_at: AwareDatetime | None = None
    status_index: Annotated[int, Field(ge=0)] | None = None
    evidence_event_ids: tuple[UUID, ...] = ()
    evidence_badge_ids: tuple[UUID, ...] = ()
    trigger_event_id: UUID | None = None
    is_grounded: bool = True
    act_id: UUID | None = None


class BadgeRevoked(Contract):
    """A badge does not hold any more, for good. Key: the badge id.

    `cause_id` is the event or act behind it, `by_hand` whether a person decided so. `is_over`: it may be earned again,
    as the next cycle.
    """

    TYPE: ClassVar[str] = "cairn.badge-revoked.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    reason: Text
    cause_id: UUID | None = None
    by_hand: bool = False
    is_over: bool = False


class BadgeSuspended(Contract):
    """A badge does not hold for now. Key: the badge id.

    `cause_id` is the event or act behind it, `by_hand` whether a person decided so.
    """

    TYPE: ClassVar[str] = "cairn.badge-suspended.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    reason: Text
    cause_id: UUID | None = None
    by_hand: bool = False


class BadgeReinstated(Contract):
    """A suspended badge holds again. Key: the badge id.

    `cause_id` is the event or act behind it, `by_hand` whether a person decided so.
    """

    TYPE: ClassVar[str] = "cairn.badge-reinstated.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    reason: Text
    cause_id: UUID | None = None
    by_hand: bool = False


class BadgeExpired(Contract):
    """The time of a badge has run out at `expired_at`, its `valid_until`. Key: the badge id."""

    TYPE: ClassVar[str] = "cairn.badge-expired.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    expired_at: AwareDatetime


class MilestoneReached(Contract):
    """A learner reached a milestone on the way to an achievement. Key: `milestone:<learner_id>`.

    `step_id` is the step of the achievement's requirement that is marked as a milestone, `name` its words.
    """

    TYPE: ClassVar[str] = "cairn.milestone-reached.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    learner_id: Identifier
    achievement_id: Identifier
    version: Annotated[int, Field(ge=1)]
    step_id: Identifier
    name: Label
    reached_at: AwareDatetime


class StatusListSigned(Contract):
    """A status list as it is now (Bitstring Status List 1.0). Key: `status-list:<list_id>`; the last one counts.

    `credential` is the signed BitstringStatusListCredential as exact text; `revision` counts its versions from 1.
    """

    TYPE: ClassVar[str] = "cairn.status-list-signed.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    list_id: Identifier
    issuer_id: Identifier
    purpose: Literal["revocation", "suspension"]
    revision: Annotated[int, Field(ge=1)]
    credential: str
    credential_jwt: str | None = None


class LoggedBadge(Part):
    """A badge's place in the log of issuance.

    `entry` is the 32-byte commitment to the badge's digest under `salt`, which is this badge's alone; both base64.
    """

    badge_id: UUID
    entry: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
    salt: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{22,}={0,2}$", max_length=128)]


class BadgesLogged(Contract):
    """Badges were added to the log of issuance (RFC 6962; B8), in this order from `first_index` on. Key: `log`.

    `checkpoint` is the signed head of the log after them (C2SP tlog-checkpoint) as exact text, whose extension line
    `time <seconds since 1970>` is `logged_at`; `verifier_key` is the public key that it is signed with
    (`name+id+key`, C2SP signed-note).
    """

    TYPE: ClassVar[str] = "cairn.badges-logged.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    first_index: Annotated[int, Field(ge=0)]
    badges: tuple[LoggedBadge, ...]
    checkpoint: str
    verifier_key: str
    logged_at: AwareDatetime


class KeyPublished(Contract):
    """A public key with which an issuer signs, or signed, its badges. Key: `key:<issuer_id>`.

    `key_id` is the fragment of the verification method, `public_key_multibase` a Multikey: Ed25519 (z6Mk…) for
    embedded proofs, P-256 (zDn…) or RSA for VC-JWT, where `public_key_jwk` holds the same key as a JWK in JSON.
    The key is good for badges issued from `valid_from` until before `valid_until`, where that is set. A key that
    leaked is good for nothing from `revoked_at` on, but for what the log of issuance proves to be older (B8).
    `signs` is told where that is not all: `assertions` is a key of signed Open Badges 2.0 alone, and of no VC-JWT.
    """

    TYPE: ClassVar[str] = "cairn.key-published.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    issuer_id: Identifier
    key_id: Identifier
    public_key_multibase: Annotated[str, Field(pattern=r"^z[1-9A-HJ-NP-Za-km-z]+$")]
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None
    public_key_jwk: str | None = None
    revoked_at: AwareDatetime | None = None
    signs: Literal["proofs", "tokens", "assertions"] | None = None


class EndorsementSigned(Contract):
    """An issuer speaks for an achievement version or a badge. Key: `endorsement:<endorsement_id>`.

    `issuer_id` is who endorses. Either `achievement_id` and `version`, or `badge_id`, say what. `credential` is the
    signed EndorsementCredential and `open_badge_2` its Open Badges 2.0 twin, each as exact text; `credential_jwt` is
    the same as a VC-JWT, where the endorser has a key for one.
    """

    TYPE: ClassVar[str] = "cairn.endorsement-signed.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    endorsement_id: UUID
    issuer_id: Identifier
    achievement_id: Identifier | None = None
    version: Annotated[int, Field(ge=1)] | None = None
    badge_id: UUID | None = None
    comment: Text
    endorsed_at: AwareDatetime
    credential: str
    open_badge_2: str
    credential_jwt: str | None = None


class AssertionSigned(Contract):
    """A badge was signed in the form of Open Badges 2.0, as its learner asked. Key: the badge id.

    `assertion` is the signed Assertion as a compact JWS, exact text; `key_id` names the issuer's key that signed it.
    """

    TYPE: ClassVar[str] = "cairn.assertion-signed.v1"
    TOPIC: ClassVar[str] = BADGE_ISSUED

    badge_id: UUID
    learner_id: Identifier
    issuer_id: Identifier
    key_id: str
    assertion: str

"""What verification speaks about: kept badges, what became of them, their issuers and keys, and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.checking.model import Outcome
from services.verification.model.catalogue import Achievement as Achievement
from services.verification.model.catalogue import Issuer as Issuer
from services.verification.model.catalogue import KeptPicture as KeptPicture
from services.verification.model.catalogue import NamedPicture as NamedPicture
from services.verification.model.claims import Alignment as Alignment
from services.verification.model.claims import Claims as Claims
from services.verification.model.claims import Evidence as Evidence
from services.verification.model.claims import ShownResult as ShownResult
from services.verification.model.keys import Key as Key
from services.verification.model.keys import TokenKey as TokenKey


@dataclass(frozen=True, slots=True)
class Change:
    """The last word on one aspect of a badge: whether it `holds` (is revoked, is suspended), why, since when."""

    holds: bool
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """Who may see a badge, as its learner decided: everybody (`until` an instant, if set), or nobody else (M1.3)."""

    audience: Literal["public", "private"]
    until: datetime | None
    shows_name: bool
    shows_evidence: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision about who may see a badge, with the badge that it is about and its learner."""

    badge_id: UUID
    learner_id: str
    share: Share


@dataclass(frozen=True, slots=True)
class ShareLink:
    """A link that shows a badge to whoever has its `secret`, `until` an instant if set; `purpose` is the learner's."""

    link_id: UUID
    badge_id: UUID
    secret: str
    purpose: str
    until: datetime | None
    shows_name: bool
    shows_evidence: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class View:
    """What a caller may see of a badge, and by what right."""

    by: Literal["owner", "link", "public"]
    shows_name: bool
    shows_evidence: bool


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """The signed bytes of a badge, with the digest that was told with them and the span that told them.

    `share` says who may see it, where the learner has decided.
    """

    content: bytes
    digest: str
    issued_at: datetime
    traceparent: str | None
    learner_id: str
    share: Share | None


@dataclass(frozen=True, slots=True)
class Badge:
    """A kept badge with the last words on it. `open_badge_2` is the Open Badges 2.0 assertion as it was fixed.

    `awarded_at` is when awarding signed it, where it said so.
    """

    badge_id: UUID
    learner_id: str
    achievement_id: str
    version: int
    issuer_id: str
    valid_from: datetime
    valid_until: datetime | None
    signed: SignedDocument
    open_badge_2: bytes
    revocation: Change | None
    suspension: Change | None
    awarded_at: datetime | None

    @property
    def changed_at(self) -> datetime:
        """When what is known of the badge last changed."""
        changes = (self.revocation, self.suspension)
        return max([self.signed.issued_at, *(change.at for change in changes if change is not None)])


@dataclass(frozen=True, slots=True)
class StatusList:
    """A status list as it was signed last, with its embedded proof and, where there is one, as VC-JWT."""

    list_id: str
    revision: int
    credential: bytes
    token: str | None
    told_at: datetime


@dataclass(frozen=True, slots=True)
class HeldBadge:
    """One badge on a learner's wall; the words of the catalogue are None while they are not known here."""

    badge_id: UUID
    achievement_id: str
    version: int
    issuer_id: str
    valid_from: datetime
    valid_until: datetime | None
    issued_at: datetime
    name: str | None
    kind: str | None
    level: int | None
    language: str | None
    issuer_name: str | None
    picture: NamedPicture | None
    revocation: Change | None
    suspension: Change | None


@dataclass(frozen=True, slots=True)
class TrustList:
    """A list of issuers that somebody vouches for: where it is from, who imported it when, how many are on it."""

    list_name: str
    source: str
    imported_by: str
    imported_at: datetime
    issuers: int


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer on such a list, by the id that its badges carry: a DID or a URL."""

    issuer_id: str
    name: str


State = Literal["current", "revoked", "suspended", "expired", "not-yet"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a badge stands at an instant: its state, and for a withdrawn one why and since when."""

    state: State
    reason: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check of a verdict.

    `name` is signature, key, status, dates or issuer; `outcome` pass, fail or unknown; `detail` an English
    sentence, the key of its translations.
    """

    number: int
    name: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks add up to.

    Authentic (was it signed, unchanged, by the issuer), current (does it hold now) and trusted (do we know who
    issued it) are separate answers, and each may be unknown (B6). `sentence` says the verdict in plain English.
    """

    checks: tuple[Check, ...]
    authentic: Outcome
    current: Outcome
    trusted: Outcome
    sentence: str

    @property
    def tone(self) -> Literal["good", "caution", "bad"]:
        """How the verdict is to be shown."""
        if self.authentic == "fail":
            return "bad"
        return "good" if (self.authentic, self.current, self.trusted) == ("pass", "pass", "pass") else "caution"

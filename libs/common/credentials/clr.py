"""Comprehensive Learner Records (CLR 2.0): several signed badges in one signed credential.

For a stack, a pathway, or all that a learner holds. Each badge goes in as it was signed, with its own proof.

A record is bounded by what is read of one (`canonical.RECORD_BOUNDS`). Who holds more has a record in several parts,
each of which names the one before it and its digest.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.common.credentials.allowed import require_iri, require_text
from libs.common.credentials.canonical import RECORD_BOUNDS, RECORD_TYPE, Json, parse_json
from libs.common.credentials.contexts import CLR_2, CREDENTIALS_V2, OPEN_BADGES_3, OPEN_BADGES_EXTENSIONS
from libs.common.credentials.documents import (
    achievement,
    instant,
    learner_identifiers,
    present,
    profile,
    status_entry,
)
from libs.common.credentials.model import (
    AchievementTerms,
    HashedIdentity,
    IssuerProfile,
    ShownIdentifier,
    StatusEntry,
)

# CLR 2.0 certification looks at the first three by position.
CLR_CONTEXTS = (CREDENTIALS_V2, CLR_2, OPEN_BADGES_3, OPEN_BADGES_EXTENSIONS)
CLR_SCHEMA_URL = "https://purl.imsglobal.org/spec/clr/v2p0/schema/json/clr_v2p0_clrcredential_schema.json"

# How much one record holds; the bytes are those of its badges, and leave room for what is around them.
MOST_BADGES = 500
MOST_BYTES = RECORD_BOUNDS.bytes - 256 * 1024

AssociationKind = Literal[
    "exactMatchOf", "isChildOf", "isParentOf", "isPartOf", "isPeerOf", "isRelatedTo", "precedes", "replacedBy"
]


@dataclass(frozen=True, slots=True)
class Association:
    """How two achievements of the record relate: `source` is `kind` `target`; both are ids of achievements."""

    kind: AssociationKind
    source: str
    target: str

    def __post_init__(self) -> None:
        require_iri(source=self.source, target=self.target)


@dataclass(frozen=True, slots=True)
class PartBefore:
    """The part of a record before this one: its id, and the digest of its signed bytes (`sha384-<base64>`)."""

    url: str
    digest_sri: str

    def __post_init__(self) -> None:
        require_iri(url=self.url)
        require_text(digest_sri=self.digest_sri)


@dataclass(frozen=True, slots=True)
class LearnerRecord:
    """One record of a learner.

    `url` is the credential's id; `subject_id` the learner's pairwise id towards `issuer`; `badges` are signed
    credentials in JSON, at least one; `achievements` further ones that the associations speak of, by the same
    issuer; `partial` says that the learner holds more than is shown here, and `before` where the rest begins.
    """

    url: str
    name: str
    issuer: IssuerProfile
    subject_id: str
    recipient: HashedIdentity
    valid_from: datetime
    badges: tuple[bytes, ...]
    associations: tuple[Association, ...] = ()
    achievements: tuple[AchievementTerms, ...] = ()
    valid_until: datetime | None = None
    description: str | None = None
    partial: bool = False
    shown_name: str | None = None
    shown_identifiers: tuple[ShownIdentifier, ...] = ()
    status: tuple[StatusEntry, ...] = ()
    refresh_url: str | None = None
    before: PartBefore | None = None

    def __post_init__(self) -> None:
        require_iri(url=self.url, subject_id=self.subject_id, refresh_url=self.refresh_url)
        require_text(name=self.name, description=self.description, shown_name=self.shown_name)
        if not self.badges:
            raise ValueError("badges: expected at least one")
        for name, at in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            if at is not None and at.tzinfo is None:
                raise ValueError(f"{name}: expected an aware instant, found {at.isoformat()}")


def clr_credential(record: LearnerRecord) -> Json:
    """The unsigned ClrCredential of `record`; sign it with `proof.sign` or `jwt.vc_jwt`.

    Raises `NotCanonical` if a badge is no JSON object.
    """
    entries = [status_entry(entry) for entry in record.status]
    return present(
        **{"@context": list(CLR_CONTEXTS)},
        id=record.url,
        type=["VerifiableCredential", RECORD_TYPE],
        name=record.name,
        description=record.description,
        partial=record.partial or None,
        issuer=profile(record.issuer),
        validFrom=instant(record.valid_from),
        validUntil=None if record.valid_until is None else instant(record.valid_until),
        credentialSubject=_subject(record),
        credentialSchema=[{"id": CLR_SCHEMA_URL, "type": "1EdTechJsonSchemaValidator2019"}],
        # The published schema takes one entry alone: two only where the deployment wants both.
        credentialStatus=entries[0] if len(entries) == 1 else entries,
        refreshService=None
        if record.refresh_url is None
        else {"id": record.refresh_url, "type": "1EdTechCredentialRefresh"},
        # VCDM 2.0, section 5.3.
        relatedResource=None
        if record.before is None
        else [{"id": record.before.url, "digestSRI": record.before.digest_sri}],
    )


def _subject(record: LearnerRecord) -> Json:
    return present(
        id=record.subject_id,
        type=["ClrSubject"],
        identifier=learner_identifiers(record.recipient, record.shown_name, record.shown_identifiers),
        achievement=[achievement(record.issuer, terms) for terms in record.achievements],
        verifiableCredential=[parse_json(badge) for badge in dict.fromkeys(record.badges)],
        association=[_association(entry) for entry in dict.fromkeys(record.associations)],
    )


def _association(entry: Association) -> Json:
    return {
        "type": "Association",
        "associationType": entry.kind,
        "sourceId": entry.source,
        "targetId": entry.target,
    }

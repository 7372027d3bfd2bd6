"""Comprehensive Learner Records (CLR 2.0): several signed badges in one signed credential.

For a stack, a pathway, or all that a learner holds. Each badge goes in as it was signed, with its own proof.

The embedded proof of a record is bounded like that of any document (`canonical.MAX_NODES`): about twenty-five plain
badges. A larger record is signed as a VC-JWT (`jwt.vc_jwt`), which has no such bound, or in parts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.common.credentials.allowed import require_iri, require_text
from libs.common.credentials.canonical import Json, parse_json
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
class LearnerRecord:
    """One record of a learner.

    `url` is the credential's id; `subject_id` the learner's pairwise id towards `issuer`; `badges` are signed
    credentials in JSON, at least one; `achievements` further ones that the associations speak of, by the same
    issuer; `partial` says that the learner holds more than is shown here.
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
    status: StatusEntry | None = None
    refresh_url: str | None = None

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
    return present(
        **{"@context": list(CLR_CONTEXTS)},
        id=record.url,
        type=["VerifiableCredential", "ClrCredential"],
        name=record.name,
        description=record.description,
        partial=record.partial or None,
        issuer=profile(record.issuer),
        validFrom=instant(record.valid_from),
        validUntil=None if record.valid_until is None else instant(record.valid_until),
        credentialSubject=_subject(record),
        credentialSchema=[{"id": CLR_SCHEMA_URL, "type": "1EdTechJsonSchemaValidator2019"}],
        credentialStatus=None if record.status is None else status_entry(record.status),
        refreshService=None
        if record.refresh_url is None
        else {"id": record.refresh_url, "type": "1EdTechCredentialRefresh"},
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

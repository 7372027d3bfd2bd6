"""Endorsements: what one organisation or person says, signed, for another's achievement, badge or issuer.

A signed EndorsementCredential goes into what it endorses (`AchievementTerms.endorsements`, `Claim.endorsements`),
as JSON with its own proof or as a VC-JWT; its proof is the endorser's, and holds wherever the credential is put.

What is said of an achievement may go in either way. What is said of the badge itself should go in as a VC-JWT:
strict readers refuse a badge in which another credential makes statements about the badge.
"""

from dataclasses import dataclass
from datetime import datetime

from libs.common.credentials.allowed import require_iri, require_text
from libs.common.credentials.canonical import Json
from libs.common.credentials.documents import CONTEXTS, instant, present, profile, status_entry
from libs.common.credentials.model import IssuerProfile, StatusEntry

ENDORSEMENT_SCHEMA_URL = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_endorsementcredential_schema.json"


@dataclass(frozen=True, slots=True)
class Endorsement:
    """What `endorser` says for `endorsed`, the id of an achievement, a badge or an issuer.

    `url` is the credential's id, `open_badge_2_url` that of its Open Badges 2.0 twin; `comment` may be Markdown.
    """

    url: str
    open_badge_2_url: str
    endorser: IssuerProfile
    endorsed: str
    comment: str
    valid_from: datetime
    valid_until: datetime | None = None
    name: str = "Endorsement"
    status: StatusEntry | None = None

    def __post_init__(self) -> None:
        require_iri(url=self.url, open_badge_2_url=self.open_badge_2_url, endorsed=self.endorsed)
        require_text(comment=self.comment, name=self.name)
        for name, at in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            if at is not None and at.tzinfo is None:
                raise ValueError(f"{name}: expected an aware instant, found {at.isoformat()}")


def endorsement_credential(endorsement: Endorsement) -> Json:
    """The unsigned EndorsementCredential (OB 3.0, section B.1.8); sign it with `proof.sign` or `jwt.vc_jwt`."""
    until = endorsement.valid_until
    return present(
        **{"@context": list(CONTEXTS)},
        id=endorsement.url,
        type=["VerifiableCredential", "EndorsementCredential"],
        name=endorsement.name,
        issuer=profile(endorsement.endorser),
        validFrom=instant(endorsement.valid_from),
        validUntil=None if until is None else instant(until),
        credentialSubject={
            "id": endorsement.endorsed,
            "type": ["EndorsementSubject"],
            "endorsementComment": endorsement.comment,
        },
        credentialSchema=[{"id": ENDORSEMENT_SCHEMA_URL, "type": "1EdTechJsonSchemaValidator2019"}],
        credentialStatus=None if endorsement.status is None else status_entry(endorsement.status),
    )

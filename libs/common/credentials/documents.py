"""Open Badges 3.0 documents (OB 3.0.3 on the VC Data Model 2.0), without their proof.

Sets are arrays, as the formal JSON schema wants; what is absent is left out (OB 3.0, section 8.2).
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from libs.common.credentials.canonical import Json, parse_json
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3, OPEN_BADGES_EXTENSIONS
from libs.common.credentials.model import (
    AchievementTerms,
    Alignment,
    Claim,
    Evidence,
    HashedIdentity,
    IssuerProfile,
    Result,
    ResultDescription,
    RubricLevel,
    ShownIdentifier,
    StatusEntry,
)

CONTEXTS = (CREDENTIALS_V2, OPEN_BADGES_3, OPEN_BADGES_EXTENSIONS)
SCHEMA_URL = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"


@lru_cache(maxsize=1024)
def instant(value: datetime) -> str:
    """An aware instant as xsd:dateTime in UTC, to the second (later digits are cut off)."""
    return value.astimezone(UTC).isoformat(timespec="seconds")[:-6] + "Z"


def present(**members: Any) -> Json:
    """The `members` that are there: neither None nor empty."""
    return {name: value for name, value in members.items() if value is not None and value != []}


def open_badge_3(issuer: IssuerProfile, terms: AchievementTerms, claim: Claim) -> Json:
    """The unsigned OpenBadgeCredential of one badge."""
    return assemble(fixed_parts(issuer, terms), terms.name, claim)


def fixed_parts(issuer: IssuerProfile, terms: AchievementTerms) -> Json:
    """The members of the credential that every badge of the achievement version shares.

    `assemble` puts these very objects into each document, so that they can be told by identity.
    """
    return {
        "@context": list(CONTEXTS),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": profile(issuer),
        "achievement": achievement(issuer, terms),
        "credentialSchema": [{"id": SCHEMA_URL, "type": "1EdTechJsonSchemaValidator2019"}],
    }


def assemble(fixed: Json, name: str, claim: Claim) -> Json:
    """The unsigned credential of `claim` around its `fixed` parts; `name` is used if the claim has none."""
    document: Json = {
        "@context": fixed["@context"],
        "id": claim.badge_url,
        "type": fixed["type"],
        "name": claim.name or name,
        "issuer": fixed["issuer"],
        "validFrom": instant(claim.valid_from),
    }
    if claim.valid_until is not None:
        document["validUntil"] = instant(claim.valid_until)
    document["credentialSubject"] = _subject(fixed["achievement"], claim)
    if claim.endorsements:
        document["endorsement"] = [parse_json(content) for content in claim.endorsements]
    if claim.endorsement_jwts:
        document["endorsementJwt"] = list(claim.endorsement_jwts)
    if claim.evidence:
        document["evidence"] = [_evidence(entry) for entry in claim.evidence]
    document["credentialSchema"] = fixed["credentialSchema"]
    if claim.status:
        entries = [status_entry(entry) for entry in claim.status]
        document["credentialStatus"] = entries[0] if len(entries) == 1 else entries
    if claim.refresh_url is not None:
        document["refreshService"] = {"id": claim.refresh_url, "type": "1EdTechCredentialRefresh"}
    return document


def profile(issuer: IssuerProfile) -> Json:
    """The issuer as a Profile object: 1EdTech's checks refuse a bare URI."""
    return present(
        id=issuer.id,
        type=["Profile"],
        name=issuer.name,
        url=issuer.url,
        description=issuer.description,
        email=issuer.email,
        image=None if issuer.image is None else _image(issuer.image, issuer.image_caption),
    )


def achievement(issuer: IssuerProfile, terms: AchievementTerms) -> Json:
    """The achievement, with the issuer as its creator unless the terms name another."""
    return present(
        id=terms.id,
        type=["Achievement"],
        achievementType=terms.type,
        name=terms.name,
        description=terms.description,
        criteria={"id": terms.criteria_url, "narrative": terms.criteria_narrative},
        image=_image(terms.image, terms.image_caption),
        creator=profile(terms.creator or issuer),
        inLanguage=terms.language,
        version=terms.version,
        tag=list(dict.fromkeys(terms.tags)),
        # Twice the same alignment says nothing more, and its blank nodes could not be told apart.
        alignment=[_alignment(entry) for entry in dict.fromkeys(terms.alignments)],
        resultDescription=[_result_description(entry) for entry in terms.results],
        humanCode=terms.human_code,
        fieldOfStudy=terms.field_of_study,
        specialization=terms.specialization,
        creditsAvailable=terms.credits_available,
        endorsement=[parse_json(content) for content in terms.endorsements],
        endorsementJwt=list(terms.endorsement_jwts),
    )


def status_entry(status: StatusEntry) -> Json:
    """The `credentialStatus` object (Bitstring Status List 1.0, section 2.1)."""
    return {
        "id": f"{status.list_url}#{status.index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": status.purpose,
        "statusListIndex": str(status.index),
        "statusListCredential": status.list_url,
    }


def _subject(achievement_part: Json, claim: Claim) -> Json:
    subject: Json = {"id": claim.subject_id, "type": ["AchievementSubject"]}
    identifiers = learner_identifiers(claim.recipient, claim.shown_name, claim.shown_identifiers)
    if identifiers:
        subject["identifier"] = identifiers
    if claim.narrative is not None:
        subject["narrative"] = claim.narrative
    if claim.credits_earned is not None:
        subject["creditsEarned"] = claim.credits_earned
    if claim.results:
        subject["result"] = [_result(entry) for entry in claim.results]
    subject["achievement"] = achievement_part
    return subject


def learner_identifiers(
    recipient: HashedIdentity, shown_name: str | None, shown: tuple[ShownIdentifier, ...]
) -> list[Json]:
    """The learner's identifiers: an e-mail address hashed, and in plain text what they chose to show."""
    found: list[Json] = []
    if recipient.kind == "emailAddress":  # the subject's own id says all that a hash of it would
        found.append(
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityHash": recipient.identity_hash,
                "identityType": recipient.kind,
                "salt": recipient.salt,
            }
        )
    if shown_name is not None:
        shown = (ShownIdentifier("name", shown_name), *shown)
    # Each once: two that are alike could not be told apart as blank nodes.
    for entry in dict.fromkeys(shown):
        found.append(
            {"type": "IdentityObject", "hashed": False, "identityHash": entry.value, "identityType": entry.kind}
        )
    return found


def _evidence(entry: Evidence) -> Json:
    return present(
        id=entry.id,
        type=["Evidence"],
        name=entry.name,
        description=entry.description,
        narrative=entry.narrative,
        genre=entry.genre,
        audience=entry.audience,
    )


def _result(entry: Result) -> Json:
    return present(
        type=["Result"],
        resultDescription=entry.description,
        value=entry.value,
        status=entry.status,
        achievedLevel=entry.achieved_level,
    )


def _result_description(entry: ResultDescription) -> Json:
    return present(
        id=entry.id,
        type=["ResultDescription"],
        name=entry.name,
        resultType=entry.type,
        allowedValue=list(entry.allowed_values),
        requiredLevel=entry.required_level,
        requiredValue=entry.required_value,
        valueMin=entry.value_min,
        valueMax=entry.value_max,
        rubricCriterionLevel=[_level(level) for level in entry.levels],
    )


def _level(entry: RubricLevel) -> Json:
    return present(
        id=entry.id,
        type=["RubricCriterionLevel"],
        name=entry.name,
        description=entry.description,
        level=entry.level,
        points=entry.points,
    )


def _alignment(entry: Alignment) -> Json:
    return present(
        type=["Alignment"],
        targetName=entry.name,
        targetUrl=entry.url,
        targetDescription=entry.description,
        targetFramework=entry.framework,
        targetCode=entry.code,
        targetType=entry.type,
    )


def _image(url: str, caption: str | None = None) -> Json:
    return present(id=url, type="Image", caption=caption)

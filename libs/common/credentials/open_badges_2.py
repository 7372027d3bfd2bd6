"""Open Badges 2.0 hosted documents: Assertion, BadgeClass, issuer Profile. For older backpacks (M1.39).

Hosted means that the documents prove nothing by themselves: a verifier fetches them again at their ids.
"""

from libs.common.credentials.canonical import Json
from libs.common.credentials.contexts import OPEN_BADGES_2
from libs.common.credentials.documents import instant, present
from libs.common.credentials.model import AchievementTerms, Alignment, Claim, Evidence, IssuerProfile

# OB 2.0 names the learner's identifier by the property of a Profile that holds it.
_RECIPIENT_TYPES = {"emailAddress": "email", "url": "url"}


def assertion(terms: AchievementTerms, claim: Claim) -> Json:
    """The hosted Assertion of one badge; its recipient is hashed with the badge's own salt."""
    return present(
        **{"@context": OPEN_BADGES_2},
        id=claim.assertion_url,
        type="Assertion",
        recipient={
            "type": _RECIPIENT_TYPES[claim.recipient.kind],
            "hashed": True,
            "salt": claim.recipient.salt,
            "identity": claim.recipient.identity_hash,
        },
        badge=terms.badge_class_url,
        verification={"type": "HostedBadge"},
        issuedOn=instant(claim.valid_from),
        expires=None if claim.valid_until is None else instant(claim.valid_until),
        narrative=claim.narrative,
        evidence=[_evidence(entry) for entry in claim.evidence],
        # The same achievement as a signed credential (OB 2.0, "related": 2.1 and later readers follow it).
        related=[{"id": claim.badge_url}],
    )


def badge_class(issuer: IssuerProfile, terms: AchievementTerms) -> Json:
    """The BadgeClass of one achievement version."""
    return present(
        **{"@context": OPEN_BADGES_2},
        id=terms.badge_class_url,
        type="BadgeClass",
        name=terms.name,
        description=terms.description,
        image=terms.image if terms.image_caption is None else {"id": terms.image, "caption": terms.image_caption},
        criteria={"id": terms.criteria_url, "narrative": terms.criteria_narrative},
        issuer=issuer.open_badge_2_url,
        tags=list(dict.fromkeys(terms.tags)),
        alignment=[_alignment(entry) for entry in dict.fromkeys(terms.alignments)],
        version=terms.version,
        **{"@language": terms.language},
    )


def issuer_profile(issuer: IssuerProfile) -> Json:
    """The issuer's Profile; the standard requires an e-mail address, so give the issuer one."""
    return present(
        **{"@context": OPEN_BADGES_2},
        id=issuer.open_badge_2_url,
        type="Issuer",
        name=issuer.name,
        url=issuer.url,
        email=issuer.email,
        description=issuer.description,
        image=issuer.image,
        verification={"type": "HostedBadge"},
    )


def _evidence(entry: Evidence) -> Json:
    return present(
        id=entry.id,
        type="Evidence",
        name=entry.name,
        description=entry.description,
        narrative=entry.narrative,
        genre=entry.genre,
        audience=entry.audience,
    )


def _alignment(entry: Alignment) -> Json:
    return present(
        targetName=entry.name,
        targetUrl=entry.url,
        targetDescription=entry.description,
        targetFramework=entry.framework,
        targetCode=entry.code,
    )

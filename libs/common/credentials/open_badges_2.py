"""Open Badges 2.0 documents: Assertion, BadgeClass, issuer Profile, keys, revocations, endorsements (M1.39).

For older backpacks. Hosted documents prove nothing by themselves: a verifier fetches them again at their ids. A
signed assertion is a JWS, whose key must be published in a document of its own and listed by the issuer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.common.credentials.canonical import Json
from libs.common.credentials.contexts import OPEN_BADGES_2
from libs.common.credentials.documents import instant, present
from libs.common.credentials.endorsement import Endorsement
from libs.common.credentials.jwt import TokenSigner, compact_jws
from libs.common.credentials.model import AchievementTerms, Alignment, Claim, Evidence, IssuerProfile

# OB 2.0 names the learner's identifier by the property of a Profile that holds it.
_RECIPIENT_TYPES = {"emailAddress": "email", "url": "url"}


@dataclass(frozen=True, slots=True)
class RevokedAssertion:
    """An entry of a RevocationList: the assertion's id, and why, if that may be told."""

    assertion_url: str
    reason: str | None = None


def assertion(terms: AchievementTerms, claim: Claim, *, endorsements: Sequence[str] = ()) -> Json:
    """The hosted Assertion of one badge; its recipient is hashed with the badge's own salt.

    `endorsements` are the URLs of what others say for this badge.
    """
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
        endorsement=list(endorsements),
    )


def signed_assertion(terms: AchievementTerms, claim: Claim, signer: TokenSigner, creator: str) -> str:
    """The signed Assertion of one badge as a compact JWS (OB 2.0, "SignedBadge").

    `creator` is the URL of the signer's CryptographicKey, which the issuer's profile must list. RS256 is the
    algorithm that each verifier knows; ES256 is known to some.
    """
    return sign_hosted(assertion(terms, claim), signer, creator)


def sign_hosted(hosted: Json, signer: TokenSigner, creator: str) -> str:
    """What the hosted Assertion `hosted` says, signed; see `signed_assertion`."""
    payload = {**hosted, "verification": {"type": "SignedBadge", "creator": creator}}
    return compact_jws({"alg": signer.algorithm}, payload, signer)


def cryptographic_key(creator: str, issuer: IssuerProfile, public_key_pem: str) -> Json:
    """The CryptographicKey to be served at `creator`: the issuer's public key."""
    return {
        "@context": OPEN_BADGES_2,
        "id": creator,
        "type": "CryptographicKey",
        "owner": issuer.open_badge_2_url,
        "publicKeyPem": public_key_pem,
    }


def revocation_list(url: str, issuer: IssuerProfile, revoked: Sequence[RevokedAssertion]) -> Json:
    """The RevocationList to be served at `url`: the only way to revoke a signed assertion."""
    return {
        "@context": OPEN_BADGES_2,
        "id": url,
        "type": "RevocationList",
        "issuer": issuer.open_badge_2_url,
        "revokedAssertions": [present(id=entry.assertion_url, revocationReason=entry.reason) for entry in revoked],
    }


def endorsement(given: Endorsement, endorsed: str) -> Json:
    """The hosted Endorsement; `endorsed` is the Open Badges 2.0 URL of what is endorsed."""
    return {
        "@context": OPEN_BADGES_2,
        "id": given.open_badge_2_url,
        "type": "Endorsement",
        "claim": {"id": endorsed, "endorsementComment": given.comment},
        "issuer": given.endorser.open_badge_2_url,
        "issuedOn": instant(given.valid_from),
        "verification": {"type": "HostedBadge"},
    }


def badge_class(issuer: IssuerProfile, terms: AchievementTerms, *, endorsements: Sequence[str] = ()) -> Json:
    """The BadgeClass of one achievement version; `endorsements` are the URLs of what others say for it."""
    return present(
        **{"@context": OPEN_BADGES_2},
        id=terms.badge_class_url,
        type="BadgeClass",
        name=terms.name,
        description=terms.description,
        image=_image(terms.image, terms.image_caption),
        criteria={"id": terms.criteria_url, "narrative": terms.criteria_narrative},
        issuer=issuer.open_badge_2_url,
        tags=list(dict.fromkeys(terms.tags)),
        alignment=[_alignment(entry) for entry in dict.fromkeys(terms.alignments)],
        version=terms.version,
        endorsement=list(endorsements),
        **{"@language": terms.language},
    )


def issuer_profile(
    issuer: IssuerProfile,
    *,
    public_keys: Sequence[str] = (),
    revocations: str | None = None,
    endorsements: Sequence[str] = (),
) -> Json:
    """The issuer's Profile; the standard requires an e-mail address, so give the issuer one.

    `public_keys` are the URLs of all its CryptographicKeys, old ones too; `revocations` that of its RevocationList.
    """
    return present(
        **{"@context": OPEN_BADGES_2},
        id=issuer.open_badge_2_url,
        type="Issuer",
        name=issuer.name,
        url=issuer.url,
        email=issuer.email,
        description=issuer.description,
        image=None if issuer.image is None else _image(issuer.image, issuer.image_caption),
        publicKey=list(public_keys),
        revocationList=revocations,
        endorsement=list(endorsements),
        verification={"type": "HostedBadge"},
    )


def _image(url: str, caption: str | None) -> str | Json:
    return url if caption is None else {"id": url, "caption": caption}


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

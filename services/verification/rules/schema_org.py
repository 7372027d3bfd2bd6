"""What search engines read of a badge: schema.org's EducationalOccupationalCredential (M1.3)."""

from __future__ import annotations

from typing import Any

from services.verification.model import Badge, Claims

Json = dict[str, Any]


def schema_org(badge: Badge, claims: Claims, *, address: str, image: str) -> Json:
    """The badge as schema.org says it, by the claims that may be seen; `address` is its page, `image` its picture."""
    document: Json = {
        "@context": "https://schema.org",
        "@type": "EducationalOccupationalCredential",
        "@id": address,
        "url": address,
        "name": claims.name,
        "description": claims.description,
        "image": image,
        "inLanguage": claims.language,
        "credentialCategory": claims.kind,
        "dateCreated": badge.valid_from.isoformat(),
        "validFrom": badge.valid_from.isoformat(),
        "recognizedBy": {"@type": "Organization", "name": claims.issuer_name},
        "competencyRequired": [
            {"@type": "DefinedTerm", "name": entry.name, "url": entry.url} for entry in claims.alignments
        ]
        or list(claims.tags),
    }
    if claims.issuer_url:
        document["recognizedBy"]["url"] = claims.issuer_url
    if badge.valid_until is not None:
        document["expires"] = badge.valid_until.isoformat()
    if claims.shown_name:
        document["about"] = {"@type": "Person", "name": claims.shown_name}
    return {name: value for name, value in document.items() if value not in ("", [])}

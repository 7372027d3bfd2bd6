"""A link that fills in LinkedIn's form for a licence or certification; nothing is told to LinkedIn before a click."""

from __future__ import annotations

from urllib.parse import urlencode

from services.verification.model import Badge, Claims

_FORM = "https://www.linkedin.com/profile/add"


def linkedin_address(badge: Badge, claims: Claims, *, address: str, code: str) -> str:
    """The address of the form, filled in with what the badge says; `code` becomes the credential's id."""
    fields = {
        "startTask": "CERTIFICATION_NAME",
        "name": claims.name,
        "organizationName": claims.issuer_name,
        "issueYear": str(badge.valid_from.year),
        "issueMonth": str(badge.valid_from.month),
        "certUrl": address,
        "certId": code,
    }
    if badge.valid_until is not None:
        fields |= {"expirationYear": str(badge.valid_until.year), "expirationMonth": str(badge.valid_until.month)}
    return f"{_FORM}?{urlencode(fields)}"

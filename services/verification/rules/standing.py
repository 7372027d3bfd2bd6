"""Where a badge stands at an instant."""

from __future__ import annotations

from datetime import datetime

from services.verification.model import Change, Standing


def decide_standing(
    now: datetime,
    *,
    valid_from: datetime,
    valid_until: datetime | None,
    revocation: Change | None,
    suspension: Change | None,
) -> Standing:
    """The standing of a badge at the instant `now`.

    A revocation is for good and outranks all; then a suspension; then the dates. A badge holds from `valid_from`
    up to and including `valid_until` (VC Data Model 2.0, section 4.9).
    """
    if revocation is not None:
        return Standing("revoked", revocation.reason, revocation.at)
    if suspension is not None and suspension.holds:
        return Standing("suspended", suspension.reason, suspension.at)
    if valid_until is not None and now > valid_until:
        return Standing("expired", None, valid_until)
    if now < valid_from:
        return Standing("not-yet", None, valid_from)
    return Standing("current")

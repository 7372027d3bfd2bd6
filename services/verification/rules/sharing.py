"""What a caller may see of a badge: its learner decides, until when, and can take it back (M1.3, M2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hmac import compare_digest
from typing import Literal

from services.verification.model import Claims, Share, ShareLink, View


def decide_view(
    share: Share | None,
    now: datetime,
    *,
    default: Literal["public", "private"],
    owner: bool = False,
    link: ShareLink | None = None,
) -> View | None:
    """What a caller may see at the instant `now`, or None for nothing: such a badge is as one that is not there.

    `share` is what the learner decided, None where they have not: then `default` holds. `owner` says whether the
    caller is the learner; `link` is the link by which they come. Of several rights the one that shows most counts.
    """
    if owner:
        return View("owner", shows_name=True, shows_evidence=True)
    if link is not None and (link.until is None or now < link.until):
        return View("link", link.shows_name, link.shows_evidence)
    if share is None:
        return View("public", shows_name=True, shows_evidence=True) if default == "public" else None
    if share.audience == "public" and (share.until is None or now < share.until):
        return View("public", share.shows_name, share.shows_evidence)
    return None


def find_link(links: Sequence[ShareLink], secret: str) -> ShareLink | None:
    """The link with this secret."""
    return next((link for link in links if compare_digest(link.secret.encode(), secret.encode())), None)


def show(claims: Claims, view: View) -> Claims:
    """The claims that `view` lets be seen. Results tell how well somebody did: they go with the evidence."""
    shown = claims if view.shows_name else replace(claims, shown_name=None)
    return shown if view.shows_evidence else replace(shown, narrative=None, evidence=(), results=())


def may_see_signed(claims: Claims | None, view: View) -> bool:
    """Whether the signed document may be seen whole: what is signed cannot be cut, so it may tell nothing hidden.

    `claims` are what it says, None where it cannot be read.
    """
    if view.shows_name and view.shows_evidence:
        return True
    return claims is not None and show(claims, view) == claims

"""Which badge a request may see, and how much of it: every public face of a badge asks here first (M1.3)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from opentelemetry import trace
from starlette.requests import Request

from libs.common.security import Principal, caller
from libs.common.telemetry import span_context_of
from libs.common.web.documents import PRIVATE
from libs.common.web.refusals import not_found
from services.verification import store
from services.verification.api.parts import badge_id_of, database_of, parts_of
from services.verification.model import Badge, Claims, SignedDocument, View
from services.verification.rules.claims import read_claims
from services.verification.rules.sharing import decide_view, find_link, may_see_signed, show
from services.verification.store import sharing as sharing_store

# The query parameter that carries the secret of a link.
LINK = "share"


class Seen(NamedTuple):
    """A badge, and what the caller may see of it."""

    badge: Badge
    view: View

    @property
    def claims(self) -> Claims | None:
        """What the badge says, as far as the caller may see it; None when it cannot be read."""
        claims = read_claims(self.badge.signed.content)
        return None if claims is None else show(claims, self.view)

    @property
    def whole(self) -> bool:
        """Whether the caller may see the signed document too."""
        return _may_see(self.badge.signed, self.view)


async def seen_badge(request: Request, badge_id: str, *, whole: bool = False) -> Seen:
    """The badge with this id, if the caller may see it, and with `whole` its signed document too.

    Raises the one 404 for what is unknown, erased or not shared with the caller.
    """
    badge = await store.badge(database_of(request).pool, badge_id_of(badge_id))
    if badge is None:
        raise not_found()
    seen = Seen(badge, await _view(request, badge.badge_id, badge.signed))
    if whole:
        _require_whole(badge.signed, seen.view)
    _link_to(badge.signed.traceparent)
    return seen


async def seen_document(request: Request, badge_id: str) -> tuple[SignedDocument, View]:
    """The signed document of a badge, if the caller may see the whole of it: one indexed row. Else the one 404."""
    found = badge_id_of(badge_id)
    signed = await store.signed_document(database_of(request).pool, found)
    if signed is None:
        raise not_found()
    view = await _view(request, found, signed)
    _require_whole(signed, view)
    _link_to(signed.traceparent)
    return signed, view


async def own_badge(request: Request, badge_id: str, principal: Principal | None) -> Badge:
    """The badge of `principal`, the caller; anybody else's is as one that is not there. Raises the one 404."""
    badge = await store.badge(database_of(request).pool, badge_id_of(badge_id))
    if badge is None or principal is None or principal.learner_id != badge.learner_id:
        raise not_found()
    return badge


def is_public(signed: SignedDocument, request: Request) -> bool:
    """Whether everybody may see the whole signed document, whoever asks."""
    parts = parts_of(request)
    view = decide_view(signed.share, parts.now(), default=parts.sharing)
    return view is not None and _may_see(signed, view)


def is_owner(request: Request, signed: SignedDocument) -> bool:
    """Whether the caller is the learner whose badge it is."""
    principal = caller(request)
    return principal is not None and principal.learner_id == signed.learner_id


def cached(policy: str, view: View) -> str:
    """`policy`, a Cache-Control, for what everybody may see; for what one may see, no cache at all."""
    return policy if view.by == "public" else PRIVATE


def query_of(request: Request) -> str:
    """The query with which further faces of this badge are seen by the same link: `?share=…`, or nothing."""
    secret = request.query_params.get(LINK, "")
    return f"?{LINK}={secret}" if secret.isascii() and secret.replace("-", "").replace("_", "").isalnum() else ""


async def _view(request: Request, badge_id: UUID, signed: SignedDocument) -> View:
    parts = parts_of(request)
    secret = request.query_params.get(LINK)
    link = None
    if secret is not None:
        link = find_link(await sharing_store.links_of_badge(database_of(request).pool, badge_id), secret)
    view = decide_view(
        signed.share, parts.now(), default=parts.sharing, owner=is_owner(request, signed), link=link
    )  # fmt: skip
    if view is None:
        raise not_found()
    return view


def _may_see(signed: SignedDocument, view: View) -> bool:
    # What hides nothing need not be read.
    return may_see_signed(None, view) or may_see_signed(read_claims(signed.content), view)


def _require_whole(signed: SignedDocument, view: View) -> None:
    if not _may_see(signed, view):
        raise not_found()


def _link_to(traceparent: str | None) -> None:
    """Tie the span of this request to the trace of the event that earned the badge (B9)."""
    context = span_context_of(traceparent)
    if context is not None:
        trace.get_current_span().add_link(context)

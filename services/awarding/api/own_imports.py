"""A learner's page of the badges of other issuers, where they say to which address a pushed one was awarded (B12).

It works without JavaScript. The address goes to the one row that waits for it, until that is settled, and nowhere else
(B7).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.credentials.addresses import Addresses
from libs.common.messaging.work import begin
from libs.common.security import form_token, sender
from libs.common.web.documents import PRIVATE
from libs.common.web.pages import Pages
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.desk import Desk
from services.awarding.api.requests import database_of
from services.awarding.model import Import
from services.awarding.rules.shown_imports import LONGEST_ADDRESS, address_in, import_shown, is_asked, is_awarded_to
from services.awarding.store import imports as import_store

router = APIRouter(prefix="/learners/{learner_id}/imported-badges", tags=["imported badges"])
_FORM_BYTES = 4 * 1024


def imports_page(
    request: Request, learner_id: str, imports: Sequence[Import], *, is_own: bool, wrong: UUID | None = None
) -> Response:
    """The page; `is_own` is whether it is the learner who reads it, `wrong` the import for which an address was said
    that it does not name."""
    pages, addresses = cast("Pages", request.app.state.pages), cast("Addresses", request.app.state.addresses)
    place = f"/learners/{learner_id}"
    return pages.respond(
        request, "imports.html", cache_control=PRIVATE, status=200 if wrong is None else 422,
        badges_url=f"{addresses.base_url}{place}/badges", place=f"{place}/imported-badges",
        imports=[import_shown(one) for one in imports], is_own=is_own, wrong=wrong, token=form_token(request),
        longest=LONGEST_ADDRESS,
    )  # fmt: skip


@router.post("/{import_id}/recipient", include_in_schema=False)
async def said(request: Request, learner_id: str, import_id: UUID) -> Response:
    """The form of the page: to which e-mail address a pushed badge was awarded. What the badge does not name is told at
    once, and kept nowhere; what it names is looked at by the worker, as if it were said at `…/check`."""
    async with request.form(max_files=0, max_fields=5, max_part_size=_FORM_BYTES) as form:
        token, text = form.get("token"), form.get("address")
    principal = sender(request, token if isinstance(token, str) else "")
    if principal is None or principal.learner_id != learner_id:
        raise not_found()
    await cast("Desk", request.app.state.desk).pace.take(principal.subject)
    pool = database_of(request).pool
    found = await import_store.import_of(pool, learner_id, import_id)
    if found is None:
        raise not_found()
    # Of one that waits no more, by whatever happened meanwhile, the page says what became of it.
    if is_asked(found):
        address = address_in(text) if isinstance(text, str) else None
        if address is None or not is_awarded_to(found, address):
            all_of_theirs = await import_store.imports_of(pool, learner_id)
            return imports_page(request, learner_id, all_of_theirs, is_own=True, wrong=import_id)
        async with begin(database_of(request)) as work:
            await handlers.schedule_import_check(work, learner_id, import_id, ("email", address))
    language = request.query_params.get("lang")
    query = f"?lang={language}" if language in ("en", "fr") else ""
    place = f"/learners/{learner_id}/imported-badges{query}"
    return Response(status_code=303, headers={"Location": place, "Cache-Control": "no-store"})

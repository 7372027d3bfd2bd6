"""The door for people and programs: public documents and pages, and a learner's own badges."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
from fastapi import FastAPI, Request
from pydantic import HttpUrl
from starlette.responses import Response

from libs.common.checking.dialogue import JSON_FIRST, Fetched
from libs.common.credentials.addresses import Addresses
from libs.common.fetching import Fetcher
from libs.common.messaging.operations import operations_router
from libs.common.rendering import Renderer
from libs.common.sandbox import Sandbox
from libs.common.service import create_app
from libs.common.settings import ServiceSettings
from libs.common.verifying import Own, Verifier
from libs.common.web import assets
from libs.common.web.access import AccessLinks
from libs.common.web.cross_origin import Preflight
from libs.common.web.pace import Pace, shared_turns
from libs.common.web.pages import Pages
from libs.common.web.public_files import PublicFiles
from libs.common.web.refusals import install_refusal_pages, not_found
from libs.common.web.shelf import FromShelf, Shelf
from services.verification.api import (
    assertions,
    badges,
    bulk,
    bundle,
    catalogue,
    codes,
    counts,
    embeds,
    endorsements,
    exchange,
    faces,
    granting,
    keys,
    learners,
    log,
    offers,
    pictures,
    programs,
    refreshing,
    sharing,
    shelving,
    status_lists,
    trust,
    verifications,
    wallet,
)
from services.verification.api.parts import Parts, database_of
from services.verification.api.proofs import Proofs
from services.verification.api.recalling import own_record
from services.verification.settings import VerificationSettings

TEMPLATES = Path(__file__).parent.parent / "pages"
# The faces of a badge come before its page, whose address would match theirs.
DOORS = (
    keys,
    assertions,
    status_lists,
    faces,
    embeds,
    badges,
    refreshing,
    sharing,
    offers,
    codes,
    catalogue,
    pictures,
    endorsements,
    learners,
    counts,
    verifications,
    bulk,
    trust,
    log,
    bundle,
    granting,
    wallet,
    programs,
    exchange,
)


def create(settings: ServiceSettings) -> FastAPI:
    """The app of verification; `settings` is a `VerificationSettings`."""
    assert isinstance(settings, VerificationSettings)
    files = _files(settings)
    aside = None if files is None else files.keep
    app = create_app("verification", settings, title="Cairn: verification", aside=aside)
    pages = Pages(TEMPLATES, navigation=(("Issuers", "/"), ("Verify", "/verify")), legal=settings.legal_pages())
    shelf = Shelf(settings.memory_bytes, settings.memory_seconds)
    shared = shared_turns(app, settings)
    addresses = Addresses(settings.public_url.rstrip("/"))
    app.state.parts = Parts(
        pages, shelf, Proofs(), addresses, lambda: datetime.now(UTC),
        Verifier(Fetcher(), Sandbox(), _own_documents(app, settings.public_url), own_record(app, addresses)),
        Pace(settings.verifications_per_minute, purpose="verifications", shared=shared),
        Pace(settings.codes_per_minute, purpose="codes", shared=shared),
        Renderer(settings.drawn_bytes), settings.sharing, files,
        *_named(settings.terms_url, settings.privacy_url, settings.awarding_url),
    )  # fmt: skip
    app.state.bulk = bulk.Bulk()
    app.include_router(badges.signed_router)
    for door in DOORS:
        app.include_router(door.router)
    app.include_router(operations_router("verification", database_of))
    _add_plain_routes(app)
    install_refusal_pages(app, pages)
    app.add_middleware(AccessLinks)
    app.add_middleware(Preflight, posts=wallet.POSTS)
    # In front of all else, Starlette's own layers too: what is in memory is answered before anything looks at the
    # request.
    from_shelf = FromShelf(
        app.build_middleware_stack(), shelf=shelf, key_of=badges.shelf_key, service="verification",
        route="/badges/{badge_id}.json",
    )  # fmt: skip
    app.middleware_stack = from_shelf
    app.state.at_once = from_shelf.at_once
    return app


def _files(settings: VerificationSettings) -> PublicFiles | None:
    if settings.public_files is None:
        return None
    files = PublicFiles(
        settings.public_files, shelving.FOLDER, largest_bytes=settings.memory_bytes,
        longest_seconds=settings.memory_seconds,
    )  # fmt: skip
    files.begin()
    return files


def _named(*addresses: HttpUrl | None) -> list[str | None]:
    return [None if address is None else str(address) for address in addresses]


def _own_documents(app: FastAPI, public_url: str) -> Own:
    """Our own addresses are answered here, by the same routes: a deployment need not reach itself from outside."""

    async def own(url: str) -> Fetched | None:
        path = verifications.path_of_own(url, public_url)
        if path is None:
            return None
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://own.invalid") as client:
            try:
                answer = await client.get(path, headers={"Accept": JSON_FIRST})
            except httpx.InvalidURL:
                return None
        return Fetched(answer.status_code, answer.headers.get("content-type", ""), answer.content)

    return own


def _add_plain_routes(app: FastAPI) -> None:
    @app.api_route(assets.ROUTE, methods=["GET", "HEAD"], include_in_schema=False)
    async def asset(request: Request, name: str) -> Response:
        answer = assets.serve(request, name)
        if answer is None:
            raise not_found()
        return answer

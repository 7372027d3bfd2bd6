"""The door for people: records of what was earned, and what authorised people do by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from libs.common.credentials.addresses import Addresses
from libs.common.fetching import Fetcher
from libs.common.messaging.operations import operations_router
from libs.common.sandbox import Sandbox
from libs.common.service import create_app
from libs.common.settings import ServiceSettings
from libs.common.verifying import Verifier
from libs.common.web.access import AccessLinks
from libs.common.web.pace import Pace, shared_turns
from libs.common.web.pages import Pages
from libs.common.web.refusals import install_refusal_pages
from services.awarding import handlers
from services.awarding.api import (
    acts,
    assertions,
    bulk,
    challenges,
    endorsements,
    imports,
    keys,
    own_imports,
    record,
    records,
    rehearsal,
)
from services.awarding.api.desk import Desk
from services.awarding.api.requests import database_of
from services.awarding.settings import AwardingSettings
from services.awarding.store import learners as learner_store

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

TEMPLATES = Path(__file__).parent.parent / "pages"


def create(settings: ServiceSettings) -> FastAPI:
    """The app of awarding; `settings` is an `AwardingSettings`."""
    assert isinstance(settings, AwardingSettings)
    app = create_app("awarding", settings, title="Cairn: awarding")
    addresses = Addresses(settings.public_url.rstrip("/"))
    app.state.addresses = addresses
    app.state.desk = Desk(
        Verifier(Fetcher(), Sandbox()),
        Pace(settings.imports_per_minute, purpose="imports", shared=shared_turns(app, settings)), addresses,
        timedelta(hours=settings.import_check_hours),
    )  # fmt: skip
    app.state.shelf = handlers.Shelf()
    app.state.pages = pages = Pages(TEMPLATES, home=f"{addresses.base_url}/", legal=settings.legal_pages())
    app.include_router(records.router)
    app.include_router(acts.router)
    app.include_router(bulk.router)
    app.include_router(bulk.versions_router)
    app.include_router(rehearsal.router)
    app.include_router(challenges.router)
    app.include_router(keys.router)
    app.include_router(imports.router)
    app.include_router(own_imports.router)
    app.include_router(record.router)
    app.include_router(assertions.router)
    app.include_router(endorsements.router)
    app.include_router(operations_router("awarding", database_of, also_waiting=_waiting))
    install_refusal_pages(app, pages)
    app.add_middleware(AccessLinks)
    return app


async def _waiting(connection: Connection) -> dict[str, int]:
    return {"recheck_learners": await learner_store.recheck_depth(connection)}

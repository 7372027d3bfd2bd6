"""The door for people and systems: learning events in, and what is known about them out."""

from __future__ import annotations

from fastapi import FastAPI

from libs.common.messaging.operations import operations_router
from libs.common.service import create_app
from libs.common.settings import ServiceSettings
from services.progress.api import events, learners


def create(settings: ServiceSettings) -> FastAPI:
    """The app of progress."""
    app = create_app("progress", settings, title="Cairn: progress")
    app.include_router(events.router)
    app.include_router(learners.router)
    app.include_router(operations_router("progress", lambda request: request.app.state.database))
    return app

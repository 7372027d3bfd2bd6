"""The door for people and systems: the catalogue, learners and enrolments."""

from __future__ import annotations

from fastapi import FastAPI

from libs.common.messaging.operations import operations_router
from libs.common.pictures import PictureDesk
from libs.common.service import create_app
from libs.common.settings import ServiceSettings
from services.enrollment.api import catalogue, learners, pictures


def create(settings: ServiceSettings) -> FastAPI:
    """The app of enrollment."""
    app = create_app("enrollment", settings, title="Cairn: enrollment")
    app.state.pictures = PictureDesk()
    app.include_router(catalogue.router)
    app.include_router(pictures.router)
    app.include_router(learners.router)
    app.include_router(operations_router("enrollment", lambda request: request.app.state.database))
    return app

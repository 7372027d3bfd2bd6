"""What the routes of awarding's api take from a request."""

from __future__ import annotations

from typing import cast

from fastapi import Request

from libs.common.postgres.database import Database


def database_of(request: Request) -> Database:
    """The database of the app that answers `request`."""
    return cast("Database", request.app.state.database)

"""The environment variables that progress reads."""

from __future__ import annotations

from pydantic import Field

from libs.common.settings import ServiceSettings


class ProgressSettings(ServiceSettings):
    """The settings of every service, and the limits of the door for learning events."""

    port: int = Field(8102, ge=0, le=65535, description="port on which the api listens")
    most_events_a_request: int = Field(5_000, ge=1, le=100_000, description="most events in one POST /events")


def read_settings() -> ProgressSettings:
    """The settings as the environment gives them. Raises pydantic's `ValidationError` naming what is wrong."""
    return ProgressSettings()  # pyright: ignore[reportCallIssue] - the fields come from the environment

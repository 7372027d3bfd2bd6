"""The environment variables that enrollment reads."""

from __future__ import annotations

from pydantic import Field

from libs.common.settings import ServiceSettings


class EnrollmentSettings(ServiceSettings):
    """The settings of every service, and the limits of the batch doors."""

    port: int = Field(8101, ge=0, le=65535, description="port on which the api listens")
    most_rows_a_request: int = Field(5_000, ge=1, le=100_000, description="most learners or enrolments in a batch")


def read_settings() -> EnrollmentSettings:
    """The settings as the environment gives them. Raises pydantic's `ValidationError` naming what is wrong."""
    return EnrollmentSettings()  # pyright: ignore[reportCallIssue] - the fields come from the environment

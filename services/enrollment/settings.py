"""The environment variables that enrollment reads."""

from __future__ import annotations

from pydantic import Field

from libs.common.settings import ServiceSettings
from services.enrollment.model import Demand, RehearsalPolicy


class EnrollmentSettings(ServiceSettings):
    """The settings of every service, and the limits of the batch doors."""

    port: int = Field(8101, ge=0, le=65535, description="port on which the api listens")
    most_rows_a_request: int = Field(5_000, ge=1, le=100_000, description="most learners or enrolments in a batch")
    rehearsal: Demand = Field(
        "binding",
        description="which versions need a rehearsal before they are published: `never`, `binding` (what changes the"
        " requirement and says upgrade or re-evaluate), or `always` (whatever changes it, first versions too)",
    )
    rehearsal_valid_seconds: float = Field(3600, gt=0, description="for how long a rehearsal lets its draft through")
    rehearsal_most_gain: int = Field(10_000, ge=0, description="most badges that a rehearsed version may award")
    rehearsal_most_lose: int = Field(100, ge=0, description="most badges that a rehearsed version may cost")

    def rehearsal_policy(self) -> RehearsalPolicy:
        """Which publications need a rehearsal, and what it may cost."""
        limits = (self.rehearsal_most_gain, self.rehearsal_most_lose)
        return RehearsalPolicy(self.rehearsal, self.rehearsal_valid_seconds, *limits)


def read_settings() -> EnrollmentSettings:
    """The settings as the environment gives them. Raises pydantic's `ValidationError` naming what is wrong."""
    return EnrollmentSettings()  # pyright: ignore[reportCallIssue] - the fields come from the environment

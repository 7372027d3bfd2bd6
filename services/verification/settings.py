"""Every environment variable that verification reads beside those of all services."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, HttpUrl

from libs.common.settings import ServiceSettings


class VerificationSettings(ServiceSettings):
    """Verification's settings: how much it keeps in memory, and how often it verifies for one caller."""

    port: int = Field(8104, ge=0, le=65535, description="port on which the api listens")
    memory_bytes: int = Field(64 * 1024 * 1024, ge=0, description="largest size of the signed documents in memory")
    memory_seconds: float = Field(60, ge=0, description="longest time that a document stays in memory unread anew")
    public_files: Path | None = Field(
        None,
        description="a folder of the api's own, in which signed documents that everybody may see lie as files for the "
        "web server in front; as large and as long as those in memory",
    )
    verifications_per_minute: int = Field(
        60, ge=1, le=100_000, description="how many badges one caller may have verified in a minute"
    )
    sharing: Literal["public", "private"] = Field(
        "public", description="who sees a badge until its learner decides: everybody who knows its address, or nobody"
    )
    codes_per_minute: int = Field(
        30,
        ge=1,
        le=100_000,
        description="how many short codes, and codes of offers to wallets, one caller may try in a minute",
    )
    program_untried_days: float = Field(
        7,
        gt=0,
        description="how long a program that registered for the Open Badges 3.0 API may wait for a first learner",
    )
    program_unused_days: float = Field(
        400, ge=91, description="how long a program is remembered after it last came for a code or a token"
    )
    awarding_url: HttpUrl | None = Field(
        None,
        description="http(s) address at which learners reach awarding: the page of programs leads there from a pushed"
        " badge of which they are asked to whom it was awarded",
    )
    drawn_bytes: int = Field(
        32 * 1024 * 1024, ge=0, description="largest size of the pictures and certificates in memory"
    )

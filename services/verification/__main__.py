"""Run a process of verification: `python -m services.verification api | worker | migrate | rebuild`."""

from __future__ import annotations

from pathlib import Path

from libs.common.process import command_line
from services.verification.settings import VerificationSettings

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"

if __name__ == "__main__":
    command_line(
        "verification",
        settings=VerificationSettings,  # pyright: ignore[reportArgumentType] - read from the environment
        api="services.verification.api:create",
        worker="services.verification.worker:run",
        migrations=[MIGRATIONS],
        plan="services.verification.worker:read_plan",
    )

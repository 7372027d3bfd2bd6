"""Run a process of awarding: `python -m services.awarding api | worker | migrate | rebuild`."""

from __future__ import annotations

from pathlib import Path

from libs.common.process import command_line
from services.awarding.settings import read_settings

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"

if __name__ == "__main__":
    command_line(
        "awarding",
        settings=read_settings,
        api="services.awarding.api:create",
        worker="services.awarding.worker:run",
        migrations=[MIGRATIONS],
        plan="services.awarding.worker:read_plan",
    )

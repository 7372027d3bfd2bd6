"""Run a process of progress: `python -m services.progress api | worker | migrate`."""

from __future__ import annotations

from pathlib import Path

from libs.common.process import command_line
from services.progress.settings import read_settings

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"

if __name__ == "__main__":
    command_line(
        "progress",
        settings=read_settings,
        api="services.progress.api:create",
        worker="services.progress.worker:run",
        migrations=[MIGRATIONS],
    )

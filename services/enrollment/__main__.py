"""Run a process of enrollment: `python -m services.enrollment api | worker | migrate`."""

from __future__ import annotations

from pathlib import Path

from libs.common.process import command_line
from services.enrollment.settings import read_settings

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"

if __name__ == "__main__":
    command_line(
        "enrollment",
        settings=read_settings,
        api="services.enrollment.api:create",
        worker="services.enrollment.worker:run",
        migrations=[MIGRATIONS],
    )

"""Run a process of awarding: `python -m services.awarding api | worker | migrate`."""

from __future__ import annotations

from pathlib import Path

from libs.common.service import command_line
from services.awarding import api, worker
from services.awarding.settings import read_settings

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"

if __name__ == "__main__":
    command_line(
        "awarding",
        settings=read_settings,
        api=api.create,
        worker=worker.run,
        migrations=[MIGRATIONS],
    )

"""Where the local run keeps what it downloads and what its servers write. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def home() -> Path:
    """`$CAIRN_HOME` if it is set, else `.cairn` in the repository. Not created here."""
    chosen = os.environ.get("CAIRN_HOME")
    return Path(chosen).expanduser().resolve() if chosen else REPOSITORY / ".cairn"


def megabytes_missing(directory: Path, wanted: int) -> int:
    """How many more megabytes the file system of `directory` would need to have `wanted` free; 0 if enough."""
    while not directory.exists():
        directory = directory.parent
    room = os.statvfs(directory)
    return max(0, wanted - room.f_bavail * room.f_frsize // 1_000_000)

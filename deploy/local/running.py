"""How a command finds the system that runs: a file in its state directory says where and which process."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson
import psutil

from deploy.doors import Access
from deploy.local.home import home
from deploy.local.identity import load_identity

_FILE = "system.json"


@dataclass(frozen=True, slots=True)
class Running:
    """A system that runs: its supervisor's process, its services' base URLs, its state directory.

    `settings` are the `CAIRN_` variables of each service's processes.
    """

    pid: int
    created: float
    urls: Mapping[str, str]
    directory: Path
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    def access(self, scopes: Sequence[str], *, subject: str = "cairn-command", hours: float = 12) -> Access:
        """The way in with these scopes, by a token that the state directory's own key signs."""
        identity = load_identity(self.directory / "secrets")
        return Access(self.urls, identity.mint_token(subject, scopes, hours=hours))


def note_running(
    directory: Path, urls: Mapping[str, str], settings: Mapping[str, Mapping[str, str]] | None = None
) -> Running:
    """Write down that this process runs the system in `directory`."""
    running = Running(os.getpid(), psutil.Process().create_time(), dict(urls), directory, settings or {})
    aside = directory / f"{_FILE}.new"
    aside.write_bytes(orjson.dumps(asdict(running), default=str))
    aside.replace(directory / _FILE)
    return running


def forget_running(directory: Path) -> None:
    """Take the note away."""
    (directory / _FILE).unlink(missing_ok=True)


def find_running(directory: Path | None = None) -> Running | None:
    """The system that runs in `directory`; without one, in a default place (of `cairn up`, of the demo)."""
    for place in [directory] if directory else [up_directory(), demo_directory()]:
        try:
            note = orjson.loads((place / _FILE).read_bytes())
            process = psutil.Process(note["pid"])
            # A pid is used again after a while, so the start time must agree too.
            if abs(process.create_time() - note["created"]) < 2 and process.is_running():
                return Running(note["pid"], note["created"], note["urls"], place, note.get("settings", {}))
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError, psutil.NoSuchProcess):
            continue
    return None


def up_directory() -> Path:
    """Where `cairn up` keeps its system."""
    return home() / "run"


def demo_directory() -> Path:
    """Where `cairn demo` keeps its system."""
    return home() / "demo"

"""Every service has the same rooms, its card, its queries and its migrations (rules 1 and 2)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SERVICES

# Each may be a module or, where it outgrew one, a folder of the same name.
ROOMS = ("__main__", "settings", "api", "worker", "handlers", "rules", "model", "store")
CARD = ("Owns", "Hears", "Tells", "Answers", "Runs")
MIGRATION = re.compile(r"^\d{4}_[a-z0-9_]+\.sql$")


def missing_from(service: Path) -> list[str]:
    """What the folder of a service lacks."""
    missing = [room for room in ROOMS if not (service / f"{room}.py").is_file() and not (service / room).is_dir()]
    if not list((service / "sql").glob("*.sql")):
        missing.append("sql/<name>.sql")
    migrations = sorted(path.name for path in (service / "sql" / "migrations").glob("*"))
    # Numbers may be left out: several people prepare migrations at once, and each takes one beforehand.
    if len({name[:4] for name in migrations}) < len(migrations) or not "".join(migrations[:1]).startswith("0001_"):
        missing.append(f"migrations numbered from 0001, each number once, found {migrations}")
    if not migrations or not all(MIGRATION.match(name) for name in migrations):
        missing.append(f"migrations named 0001_what.sql, found {migrations}")
    return missing + [f"README.md: ## {heading}" for heading in missing_headings(service / "README.md")]


def missing_headings(card: Path) -> list[str]:
    """The headings of a service's card that it lacks, or that stand in another order."""
    text = card.read_text() if card.is_file() else ""
    headings = [line.removeprefix("## ").strip() for line in text.splitlines() if line.startswith("## ")]
    return [] if headings == list(CARD) else [heading for heading in CARD if heading not in headings] or headings


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_every_room(service: str) -> None:
    assert missing_from(ROOT / "services" / service) == []


def test_there_are_four_services() -> None:
    found = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
    assert found == set(SERVICES)


def test_a_missing_room_is_caught(tmp_path: Path) -> None:
    for room in ROOMS[:-1]:
        (tmp_path / f"{room}.py").touch()
    (tmp_path / "store").mkdir()
    (tmp_path / "sql" / "migrations").mkdir(parents=True)
    (tmp_path / "sql" / "awarding.sql").touch()
    (tmp_path / "sql" / "migrations" / "0001_facts.sql").touch()
    (tmp_path / "README.md").write_text("# Awarding\n" + "".join(f"\n## {heading}\n" for heading in CARD))
    assert missing_from(tmp_path) == []

    (tmp_path / "rules.py").unlink()
    (tmp_path / "sql" / "migrations" / "0001_late.sql").touch()
    (tmp_path / "README.md").write_text("# Awarding\n\n## Owns\n")
    missing = missing_from(tmp_path)
    assert missing[0] == "rules"
    assert "each number once" in missing[1]
    assert missing[2:] == [f"README.md: ## {heading}" for heading in CARD[1:]]

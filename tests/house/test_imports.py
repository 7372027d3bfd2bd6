"""Who may import whom: the contracts of pyproject.toml hold, and they catch what they forbid."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SERVICES

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# What each contract must catch: the file that is planted, and what it says.
PLANTED = [
    ("libs", "libs/common/planted.py", "import services.awarding.model"),
    ("services", "services/progress/store.py", "import services.awarding.model"),
    ("deploy", "services/progress/store.py", "import deploy.local"),
    ("rooms", "services/awarding/model.py", "import services.awarding.rules"),
    ("rooms", "services/awarding/rules.py", "import services.awarding.store"),
    ("rooms", "services/awarding/api.py", "import services.awarding.worker"),
    ("rooms", "services/awarding/handlers.py", "import services.awarding.settings"),
    ("rooms", "services/awarding/cellar.py", "A_NEW_ROOM = True"),
    ("pure", "services/awarding/rules.py", "import time"),
    ("pure", "services/awarding/model.py", "import structlog"),
    ("pure", "libs/common/credentials/planted.py", "import asyncpg"),
    ("pure", "libs/common/contracts/planted.py", "import libs.common.settings"),
    ("api-without-kafka", "services/awarding/api.py", "import aiokafka"),
    ("api-without-kafka", "services/awarding/api.py", "import libs.common.planted_broker"),
    ("worker-without-http", "services/awarding/worker.py", "import fastapi"),
    ("sql", "services/awarding/handlers.py", "import asyncpg"),
    ("circles", "libs/common/planted_broker.py", "import libs.common.planted_circle"),
]


def _lint(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(LINT_IMPORTS), "--no-logo", "--no-cache", "--config", str(root / "pyproject.toml"), *arguments]
    return subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)


def test_every_import_runs_downhill() -> None:
    linted = _lint(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def _lenient(project: str) -> str:
    """The same contracts, where an import that is excused need not be there."""
    first, *contracts = project.split("[[tool.importlinter.contracts]]\n")
    alerting = 'unmatched_ignore_imports_alerting = "none"\n'
    excused = [alerting + text.replace(alerting, "") if "ignore_imports = [" in text else text for text in contracts]
    return "[[tool.importlinter.contracts]]\n".join([first, *excused])


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    """A house with every room and nothing in it, under the same contracts as the real one."""
    (tmp_path / "pyproject.toml").write_text(_lenient((ROOT / "pyproject.toml").read_text()))
    rooms = ("__main__", "api", "worker", "settings", "handlers", "rules", "store", "model")
    files = [f"services/{service}/{room}.py" for service in SERVICES for room in rooms]
    libs = ("checking", "contracts", "credentials", "messaging", "postgres", "web")
    files += [f"libs/common/{package}/__init__.py" for package in libs]
    files += [f"libs/common/{module}.py" for module in ("problems", "security", "service", "settings", "telemetry")]
    for file in [*files, "deploy/local/__init__.py"]:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for folder in {path.parent for path in tmp_path.rglob("*.py")} | {tmp_path / "services", tmp_path / "libs/common"}:
        for package in (folder, *folder.parents):
            if package.is_relative_to(tmp_path) and package != tmp_path:
                (package / "__init__.py").touch()
    (tmp_path / "libs/common/planted_broker.py").write_text("import faststream\n")
    (tmp_path / "libs/common/planted_circle.py").write_text("import libs.common.planted_broker\n")
    return tmp_path


def test_an_empty_house_keeps_every_contract(small_house: Path) -> None:
    linted = _lint(small_house)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(("contract", "path", "text"), PLANTED)
def test_a_planted_import_is_caught(small_house: Path, contract: str, path: str, text: str) -> None:
    (small_house / path).write_text(f"{text}\n")
    linted = _lint(small_house, "--contract", contract)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert "0 kept, 1 broken" in linted.stdout

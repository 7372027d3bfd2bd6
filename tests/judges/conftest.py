"""The judges' process, one for all questions."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.node import NodeMissing, install

FOLDER = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> Iterator[subprocess.Popen[str]]:
    """The judges' process; their libraries come from npm by a lock file."""
    try:
        install(FOLDER)
    except NodeMissing as fault:
        pytest.skip(f"needs the judges of others: {fault}")
    with subprocess.Popen(
        ["node", "judge.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()

"""One sandbox for all tests: it is made to be shared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.common.sandbox import Sandbox
from tests.libs.common.checking.world import World


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The process in which what strangers wrote is canonicalised."""
    started = Sandbox()
    yield started
    started.close()


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox) -> World:
    """An empty internet."""
    return World(tmp_path / "web", sandbox)

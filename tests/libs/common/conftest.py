"""What the tests of the common libraries share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.libs.common.serving import Served


@pytest.fixture
def served() -> Iterator[Served]:
    started = Served()
    started.wait()
    yield started
    if started.process.poll() is None:
        started.end(signal.SIGKILL)

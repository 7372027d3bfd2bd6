"""A worker as a process of its own, which hears one topic into the tally and tells another; tests kill it.

`python -m tests.libs.common.messaging.tally_worker SERVICE HEARD TOLD`, settings from the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import uvloop

from libs.common.contracts.progress import ActivityCompleted
from libs.common.messaging.delivery import Hears, Received
from libs.common.messaging.work import Work
from libs.common.messaging.worker_process import run_worker
from libs.common.settings import ServiceSettings
from libs.common.telemetry import start_telemetry
from tests.libs.common.messaging.records import tally


class _Renamed(Work):
    """Tells what the tally tells on the topic of the test."""

    def __init__(self, work: Work, topic: str) -> None:
        super().__init__(work.connection)
        self.tell = lambda event: work.tell(replace(event, topic=topic))  # type: ignore[method-assign]


def main() -> None:
    """Run until told to stop."""
    service, heard, told = sys.argv[1:]

    async def handle(work: Work, received: Sequence[Received[Any]]) -> None:
        await tally(_Renamed(work, told), received)

    start_telemetry(service, "worker", trace_file=None, log_level="info")
    settings = ServiceSettings()  # type: ignore[call-arg]
    uvloop.run(run_worker(service, settings, [Hears(heard, ActivityCompleted, handle, ordered=True)]))


if __name__ == "__main__":
    main()

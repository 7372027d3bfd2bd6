"""The door for events: enrollment hears none. Its worker relays what the api told."""

from __future__ import annotations

from libs.common.messaging.hearing import Hears
from libs.common.messaging.worker_process import run_worker
from libs.common.settings import ServiceSettings

HEARS: tuple[Hears, ...] = ()


async def run(settings: ServiceSettings) -> None:
    """Relay the outbox until the process is told to stop."""
    await run_worker("enrollment", settings, HEARS)

"""The door for events: what awarding tells of drafts that were tried. The worker also relays what the api told."""

from __future__ import annotations

from libs.common.contracts import RehearsalCompleted
from libs.common.contracts.topics import REHEARSALS
from libs.common.messaging.hearing import Hears
from libs.common.messaging.worker_process import run_worker
from libs.common.settings import ServiceSettings
from services.enrollment import handlers

HEARS = (Hears(REHEARSALS, RehearsalCompleted, handlers.on_rehearsal_completed),)


async def run(settings: ServiceSettings) -> None:
    """Hear events and relay the outbox until the process is told to stop."""
    await run_worker("enrollment", settings, HEARS)

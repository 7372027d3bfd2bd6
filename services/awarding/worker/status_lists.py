"""Status lists are signed anew beside the stream of events: all changes of a second in one signature."""

from __future__ import annotations

import asyncio

import structlog

from libs.common.messaging.faults import name_of
from libs.common.messaging.work import begin
from libs.common.postgres.database import Database
from services.awarding import handlers
from services.awarding.handlers import Office

log = structlog.get_logger(__name__)


async def work_off_status_lists(office: Office, database: Database, *, seconds: float = 1.0) -> None:
    """Sign what is due, every `seconds`, until cancelled. What fails stays due."""
    while True:
        try:
            async with begin(database) as work:
                await handlers.sign_status_lists(office, work)
        except Exception as fault:
            log.warning("status lists not signed", fault=name_of(fault))
        await asyncio.sleep(seconds)

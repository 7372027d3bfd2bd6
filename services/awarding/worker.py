"""The door for events: what awarding hears, and the backlog that it works off in between."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from libs.common.contracts import (
    AchievementPublished,
    ActivityCompleted,
    AssessmentScored,
    CompletionRetracted,
    EvidenceVerified,
    IssuerPublished,
    LearnerRegistered,
    ScoreVoided,
)
from libs.common.contracts.topics import ACTIVITY_COMPLETED, ASSESSMENT_SCORED, CATALOGUE, LEARNERS
from libs.common.credentials.addresses import Addresses
from libs.common.messaging.faults import backoff_seconds, is_passing, name_of
from libs.common.messaging.hearing import Hears
from libs.common.messaging.work import begin
from libs.common.messaging.worker_process import run_worker
from libs.common.postgres.database import Database
from libs.common.settings import ServiceSettings
from services.awarding import handlers
from services.awarding.handlers import Office
from services.awarding.rules.badge import Deployment
from services.awarding.settings import AwardingSettings

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.25
POSTPONED_SECONDS = 60.0


def hears(office: Office) -> tuple[Hears, ...]:
    """Topic + contract → handler. Rows are handled in this order within a batch: first what facts depend on, and
    scores before what voids them.

    No row is ordered: what is due depends on the set of facts, so nobody's events wait behind a dead letter. Only
    of the messages about one learner the last must win.
    """
    return (
        Hears(CATALOGUE, IssuerPublished, partial(handlers.on_issuer_published, office)),
        Hears(CATALOGUE, AchievementPublished, partial(handlers.on_achievement_published, office)),
        Hears(LEARNERS, LearnerRegistered, partial(handlers.on_learner_registered, office), ordered=True),
        Hears(ACTIVITY_COMPLETED, ActivityCompleted, partial(handlers.on_activity_completed, office)),
        Hears(ASSESSMENT_SCORED, AssessmentScored, partial(handlers.on_assessment_scored, office)),
        Hears(ASSESSMENT_SCORED, EvidenceVerified, partial(handlers.on_evidence_verified, office)),
        Hears(ACTIVITY_COMPLETED, CompletionRetracted, partial(handlers.on_completion_retracted, office)),
        Hears(ASSESSMENT_SCORED, ScoreVoided, partial(handlers.on_score_voided, office)),
    )


def open_office(settings: AwardingSettings) -> Office:
    """The office with the deployment's secrets. Raises `SettingsError` when one is missing or not kept safe."""
    return Office(
        Deployment(Addresses(settings.public_url.rstrip("/")), settings.pepper()),
        namespace=settings.namespace(),
        private_key=settings.signing_key(),
        key_valid_from=settings.signing_key_valid_from,
    )


async def run(settings: ServiceSettings) -> None:
    """Hear events, relay the outbox and work off the backlog until the process is told to stop."""
    assert isinstance(settings, AwardingSettings)
    office = open_office(settings)
    database = await Database.connect(
        settings.database_dsn.get_secret_value(),
        application_name="cairn-awarding-recheck",
        min_size=0,
        max_size=1,
    )
    backlog = asyncio.create_task(work_off_backlog(office, database, most=settings.recheck_learners))
    try:
        await run_worker("awarding", settings, hears(office))
    finally:
        backlog.cancel()
        await asyncio.gather(backlog, return_exceptions=True)
        await database.close()


async def work_off_backlog(office: Office, database: Database, *, most: int) -> None:
    """Tell the public key, then look again at waiting learners, `most` in one transaction, until cancelled.

    A passing fault is waited out. Any other is narrowed down to one learner, who is put off for a while, so that
    nobody else waits behind them.
    """
    told, size = False, most
    waits = backoff_seconds()
    while True:
        try:
            async with begin(database) as work:
                if not told:
                    await handlers.tell_keys(office, work)
                looked_at = await handlers.recheck_waiting(office, work, most=size)
            told, waits = True, backoff_seconds()
            # Grows again after a fault had made it small.
            size = min(size * 2, most)
        except Exception as fault:
            passing = is_passing(fault)
            log.warning("recheck failed", fault=name_of(fault), passing=passing, learners=size)
            if not passing and size == 1:
                await _put_off(database)
            size = size if passing else max(1, size // 2)
            await asyncio.sleep(next(waits))
            continue
        if not looked_at:
            await asyncio.sleep(IDLE_SECONDS)


async def _put_off(database: Database) -> None:
    try:
        async with begin(database) as work:
            await handlers.schedule_recheck(work, seconds=POSTPONED_SECONDS)
    except Exception as fault:
        log.warning("recheck not put off", fault=name_of(fault))

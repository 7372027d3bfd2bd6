"""The door for events: what awarding hears, and the backlog that it works off in between."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from libs.common.contracts import (
    AchievementPublished,
    ActivityCompleted,
    AssessmentScored,
    BadgePushed,
    CompletionRetracted,
    EvidenceVerified,
    EvidenceWithdrawn,
    IssuerPublished,
    LearnerRegistered,
    PictureUploaded,
    ScoreVoided,
)
from libs.common.contracts.topics import ACTIVITY_COMPLETED, ASSESSMENT_SCORED, CATALOGUE, LEARNERS, PUSHED_BADGES
from libs.common.credentials.addresses import Addresses
from libs.common.fetching import Fetcher
from libs.common.messaging.faults import backoff_seconds, is_passing, name_of
from libs.common.messaging.hearing import Hears
from libs.common.messaging.restoring import Plan, restore
from libs.common.messaging.work import Work
from libs.common.messaging.worker_process import run_worker
from libs.common.postgres.database import Database
from libs.common.sandbox import Sandbox
from libs.common.settings import ServiceSettings
from libs.common.signing.key import IssuerSigner, SigningKey
from libs.common.signing.opening import open_key
from libs.common.verifying import Verifier, record_sandbox
from services.awarding import handlers
from services.awarding.handlers import Logbook, Office
from services.awarding.model import RecordAsked
from services.awarding.rules.badge import Deployment
from services.awarding.settings import AwardingSettings
from services.awarding.store.restoring import is_restored
from services.awarding.worker.memory import plan_of
from services.awarding.worker.status_lists import work_off_status_lists
from services.awarding.worker.steps import work_off

log = structlog.get_logger(__name__)

POSTPONED_SECONDS = 60.0
WATCH_SECONDS = 2.0
LOGGED_TOGETHER = 1000


def hears(office: Office) -> tuple[Hears, ...]:
    """Topic + contract → handler. Rows are handled in this order within a batch: first what facts depend on, and
    scores before what voids them.

    No row is ordered: what is due depends on the set of facts, so nobody's events wait behind a dead letter. Only
    of the messages about one learner the last must win.
    """
    return (
        Hears(CATALOGUE, PictureUploaded, handlers.pass_over),
        Hears(CATALOGUE, IssuerPublished, partial(handlers.on_issuer_published, office)),
        Hears(CATALOGUE, AchievementPublished, partial(handlers.on_achievement_published, office)),
        Hears(LEARNERS, LearnerRegistered, partial(handlers.on_learner_registered, office), ordered=True),
        Hears(ACTIVITY_COMPLETED, ActivityCompleted, partial(handlers.on_activity_completed, office)),
        Hears(ASSESSMENT_SCORED, AssessmentScored, partial(handlers.on_assessment_scored, office)),
        Hears(ASSESSMENT_SCORED, EvidenceVerified, partial(handlers.on_evidence_verified, office)),
        Hears(ACTIVITY_COMPLETED, CompletionRetracted, partial(handlers.on_completion_retracted, office)),
        Hears(ASSESSMENT_SCORED, ScoreVoided, partial(handlers.on_score_voided, office)),
        Hears(ASSESSMENT_SCORED, EvidenceWithdrawn, partial(handlers.on_evidence_withdrawn, office)),
        Hears(PUSHED_BADGES, BadgePushed, partial(handlers.on_badge_pushed, office), ordered=True),
    )


def read_plan(settings: ServiceSettings) -> Plan:
    """The plan of this deployment."""
    assert isinstance(settings, AwardingSettings)
    return plan(open_office(settings))


def plan(office: Office) -> Plan:
    """What a fresh database of this office is made of."""
    remembering = office.remembering()
    return plan_of(hears(remembering), remembering)


def open_office(settings: AwardingSettings) -> Office:
    """The office with the deployment's secrets. Raises `SettingsError` when one is missing or not kept safe."""
    return Office(
        Deployment(Addresses(settings.public_url.rstrip("/")), settings.pepper()),
        namespace=settings.namespace(),
        ring=settings.ring(),
        keys_valid_from=settings.signing_key_valid_from,
        purposes=settings.list_purposes(),
    )


def open_logbook(settings: AwardingSettings, key: SigningKey) -> Logbook:
    """The log of this deployment, named after where the public finds it."""
    origin = settings.public_url.rstrip("/").partition("://")[2] + "/log"
    return Logbook(origin, IssuerSigner(key, origin), settings.pepper())


async def run(settings: ServiceSettings) -> None:
    """Hear events, relay the outbox and work off the backlog until the process is told to stop."""
    assert isinstance(settings, AwardingSettings)
    office = open_office(settings)
    database = await Database.connect(
        settings.database_dsn.get_secret_value(),
        application_name="cairn-awarding-aside",
        min_size=0,
        max_size=3,
    )
    most = settings.recheck_learners
    ready = asyncio.Event()
    verifier, records = Verifier(Fetcher(), Sandbox()), record_sandbox()
    every = timedelta(hours=settings.import_check_hours)
    log_key = None if settings.log_key is None else await asyncio.to_thread(open_key, settings.log_key)
    aside = [
        asyncio.create_task(_when(ready, work_off_backlog(office, database, most=most))),
        asyncio.create_task(_when(ready, work_off_acts(office, database, most=most))),
        asyncio.create_task(_when(ready, work_off_status_lists(office, database))),
        asyncio.create_task(_when(ready, work_off_imports(office, database, most=most))),
        asyncio.create_task(_when(ready, work_off_endorsements(office, database, most=most))),
        asyncio.create_task(_when(ready, work_off_assertions(office, database, most=most))),
        asyncio.create_task(_when(ready, work_off_records(office, database, records))),
        asyncio.create_task(_when(ready, watch_imports(office, database, verifier, every=every))),
        asyncio.create_task(_when(ready, work_off_expiry(office, database, most=most))),
    ]
    if log_key is not None:
        book = open_logbook(settings, log_key)
        aside.append(asyncio.create_task(_when(ready, work_off_log(book, database, seconds=settings.log_seconds))))

    async def prepare() -> None:
        await restore(plan(office), database, settings, is_done=is_restored)
        ready.set()

    try:
        await run_worker("awarding", settings, hears(office), prepare=prepare)
    finally:
        for task in aside:
            task.cancel()
        await asyncio.gather(*aside, return_exceptions=True)
        verifier.close()
        records.close()
        await database.close()
        office.close()


async def _when(ready: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do `work` once the database is `ready`."""
    try:
        await ready.wait()
    except asyncio.CancelledError:
        work.close()
        raise
    await work


async def work_off_backlog(office: Office, database: Database, *, most: int) -> None:
    """Tell the public key, then look again at waiting learners, `most` in one transaction, until cancelled.

    Who cannot be looked at is put off for a while, so that nobody else waits behind them.
    """

    async def tell(work: Work) -> None:
        await handlers.tell_keys(office, work)

    async def recheck(work: Work, size: int) -> int:
        looked_at = await handlers.recheck_waiting(office, work, most=size)
        return looked_at or await handlers.evaluate_restored(office, work, most=size)

    async def put_off(work: Work) -> None:
        await handlers.schedule_recheck(work, seconds=POSTPONED_SECONDS)

    await work_off("recheck", database, recheck, put_off, most=most, first=tell)


async def work_off_acts(office: Office, database: Database, *, most: int) -> None:
    """Carry out what people ask for by hand, of `most` learners in one transaction, until cancelled (M1.37).

    An act that cannot be carried out is refused, so that nothing else waits behind it.
    """

    tried: list[UUID] = []

    async def complete(work: Work, size: int) -> int:
        return await handlers.complete_acts(office, work, most=size, tried=tried)

    async def refuse(work: Work) -> None:
        for act_id in tried:
            await handlers.cancel_act(work, act_id)

    await work_off("acts", database, complete, refuse, most=most)


async def work_off_imports(office: Office, database: Database, *, most: int) -> None:
    """Count the badges of other issuers that learners brought, and take out what they took back, until cancelled."""

    async def complete(work: Work, size: int) -> int:
        return await handlers.complete_imports(office, work, most=size)

    async def cancel(work: Work) -> None:
        await handlers.cancel_import(work)

    await work_off("imports", database, complete, cancel, most=most)


async def work_off_endorsements(office: Office, database: Database, *, most: int) -> None:
    """Sign what issuers say for achievements and badges, until cancelled."""

    async def complete(work: Work, size: int) -> int:
        return await handlers.sign_endorsements(office, work, most=size)

    async def cancel(work: Work) -> None:
        await handlers.cancel_endorsement(work)

    await work_off("endorsements", database, complete, cancel, most=most)


async def work_off_assertions(office: Office, database: Database, *, most: int) -> None:
    """Sign the Open Badges 2.0 assertions that learners ask for, until cancelled."""

    async def complete(work: Work, size: int) -> int:
        return await handlers.sign_assertions(office, work, most=size)

    async def cancel(work: Work) -> None:
        await handlers.cancel_assertion(work)

    await work_off("assertions", database, complete, cancel, most=most)


async def work_off_records(office: Office, database: Database, sandbox: Sandbox) -> None:
    """Sign the records that learners ask for, one after the other, until cancelled."""
    tried: list[RecordAsked] = []

    async def complete(work: Work, _: int) -> int:
        return await handlers.sign_record(office, work, sandbox, tried=tried)

    async def cancel(work: Work) -> None:
        for asked in tried:
            await handlers.cancel_record(work, asked)

    await work_off("records", database, complete, cancel, most=1)


async def watch_imports(office: Office, database: Database, verifier: Verifier, *, every: timedelta) -> None:
    """Look again at imported badges at their sources, a few at once and each in `every`, until cancelled (B4)."""
    waits = backoff_seconds()
    while True:
        try:
            if not await handlers.recheck_imports(office, database, verifier, every):
                await asyncio.sleep(WATCH_SECONDS)
            waits = backoff_seconds()
        except Exception as fault:
            # What was taken comes again when its lease has run out.
            log.warning("step failed", what="imports again", fault=name_of(fault), passing=is_passing(fault))
            await asyncio.sleep(next(waits))


async def work_off_log(book: Logbook, database: Database, *, seconds: float) -> None:
    """Give badges their places in the log, a signed head every so many `seconds` at most, until cancelled."""

    async def log_some(work: Work, size: int) -> int:
        done = await handlers.record_logged(book, work, most=size, now=datetime.now(UTC))
        return done if done == size else 0  # the rest of those that wait can wait together

    async def nobody(_: Work) -> None:
        """No badge is at fault: the key is away, and all of them wait for it."""

    await work_off("log", database, log_some, nobody, most=LOGGED_TOGETHER, idle_seconds=seconds)


async def work_off_expiry(office: Office, database: Database, *, most: int) -> None:
    """Expire badges whose time has run out, `most` in one transaction, until cancelled; who fails is put off."""
    tried: list[str] = []

    async def expire(work: Work, size: int) -> int:
        return await handlers.expire_ended(office, work, now=datetime.now(UTC), most=size, tried=tried)

    async def put_off(work: Work) -> None:
        await handlers.schedule_expiry(work, tried, seconds=POSTPONED_SECONDS)

    await work_off("expiry", database, expire, put_off, most=most)

"""What verification hears: the catalogue, what awarding tells of badges and keys, its own words about sharing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from libs.common.contracts import RecordSigned, SharingDecided, acting, awarding, enrollment, importing
from libs.common.contracts.topics import BADGE_ISSUED, CATALOGUE, LEARNERS, PUSHED_BADGES, SHARING
from libs.common.contracts.verification import BadgePushed
from libs.common.messaging.faults import name_of
from libs.common.messaging.hearing import Hears
from libs.common.messaging.restoring import Plan, restore
from libs.common.messaging.work import Work, begin
from libs.common.messaging.worker_process import run_worker
from libs.common.postgres.database import Database
from libs.common.settings import ServiceSettings
from services.verification import handlers
from services.verification.handlers.endorsements import on_endorsement_signed
from services.verification.handlers.granting.ending import expire_programs
from services.verification.handlers.imports import (
    on_badge_imported,
    on_import_refused,
    on_imported_badge_withdrawn,
)
from services.verification.handlers.learners import on_learner_registered
from services.verification.handlers.log import on_badges_logged
from services.verification.handlers.pictures import on_picture_uploaded
from services.verification.handlers.restoring import complete_restoring, on_badge_pushed
from services.verification.handlers.sharing import on_sharing_decided, tell_untold_shares
from services.verification.settings import VerificationSettings
from services.verification.store.restoring import is_restored

log = structlog.get_logger(__name__)

FORGET_SECONDS = 600.0
TELL_SECONDS = 5.0
AT_ONCE = 1000

# The order in which the events do their work, whatever it is, makes no difference to the state.
HEARS = (
    Hears(CATALOGUE, enrollment.PictureUploaded, on_picture_uploaded),
    Hears(CATALOGUE, enrollment.IssuerPublished, handlers.on_issuer_published),
    Hears(CATALOGUE, enrollment.AchievementPublished, handlers.on_achievement_published),
    Hears(LEARNERS, enrollment.LearnerRegistered, on_learner_registered),
    # Its own topic. It is compacted, so a fresh database reads it to its end before it hears of any badge: none is ever
    # shown more widely than its learner decided. Instants say what counts, and what comes twice is healed by that.
    Hears(SHARING, SharingDecided, on_sharing_decided, knows_seen=True),
    Hears(BADGE_ISSUED, awarding.KeyPublished, handlers.on_key_published),
    Hears(BADGE_ISSUED, awarding.BadgeIssued, handlers.on_badge_issued),
    Hears(BADGE_ISSUED, awarding.BadgeRevoked, handlers.on_badge_revoked),
    Hears(BADGE_ISSUED, awarding.BadgeSuspended, handlers.on_badge_suspended),
    Hears(BADGE_ISSUED, awarding.BadgeReinstated, handlers.on_badge_reinstated),
    Hears(BADGE_ISSUED, awarding.BadgeExpired, handlers.pass_over),
    Hears(BADGE_ISSUED, awarding.MilestoneReached, handlers.pass_over),
    Hears(BADGE_ISSUED, awarding.StatusListSigned, handlers.on_status_list_signed),
    Hears(BADGE_ISSUED, acting.ActDone, handlers.pass_over),
    Hears(BADGE_ISSUED, acting.ActRecorded, handlers.pass_over),
    # Only of what was logged the order matters: each head is that of the tree so far.
    Hears(BADGE_ISSUED, awarding.BadgesLogged, on_badges_logged, ordered=True),
    Hears(BADGE_ISSUED, importing.BadgeImported, on_badge_imported),
    Hears(BADGE_ISSUED, importing.ImportedBadgeWithdrawn, on_imported_badge_withdrawn),
    Hears(BADGE_ISSUED, importing.ImportRefused, on_import_refused),
    Hears(BADGE_ISSUED, awarding.EndorsementSigned, on_endorsement_signed),
    Hears(BADGE_ISSUED, awarding.AssertionSigned, handlers.on_assertion_signed),
    Hears(BADGE_ISSUED, RecordSigned, handlers.pass_over),
)

# What a fresh database hears to its end before it hears of a badge, as a worker does (decision 4): who is erased, and
# what is hidden.
FIRST = tuple(row for row in HEARS if row.topic in {CATALOGUE, LEARNERS, SHARING})
# What a fresh database reads besides: what verification told itself.
REMEMBERS = (Hears(PUSHED_BADGES, BadgePushed, on_badge_pushed, ordered=True, knows_seen=True),)

# The tables that follow from the topics. What the others hold is carried over.
MADE_OF_TOPICS = frozenset({
    "achievement", "badge", "badge_change", "badge_jwt", "badge_share", "endorsement", "erased_learner", "import_word",
    "issuer", "issuer_key", "log_checkpoint", "log_entry", "log_node", "picture", "restored", "signed_assertion",
    "status_list",
})  # fmt: skip


def read_plan(_: ServiceSettings) -> Plan:
    """How the tables are made anew: who is erased and what is hidden before any badge is there, then what is heard,
    then what verification told itself.

    What learners decided goes along from the beginning, for it may not be told yet, and gives way to what is heard
    later. Nobody decides while the last is read. Beside a database that serves, pushed badges are carried over.
    """
    return Plan(
        "verification", passes=(FIRST, HEARS, REMEMBERS), finish=complete_restoring, made=MADE_OF_TOPICS,
        seeds=("erased_learner", "badge_share"), kept=("badge", "badge_change"), held=("consumed", "badge_share"),
    )  # fmt: skip


async def run(settings: ServiceSettings) -> None:
    """Hear events, relay what the api tells, tell what was decided before there was the topic, and forget what nobody
    uses, until the process is told to stop.

    A fresh database is first made from the topics; of several workers one does that.
    """
    assert isinstance(settings, VerificationSettings)
    database = await Database.connect(
        settings.database_dsn.get_secret_value(), application_name="cairn-verification-aside", min_size=0, max_size=4
    )
    aside = [
        asyncio.create_task(forget_programs(settings, database)),
        asyncio.create_task(tell_shares(database)),
    ]

    async def prepare() -> None:
        await restore(read_plan(settings), database, settings, is_done=is_restored)

    try:
        await run_worker("verification", settings, HEARS, prepare=prepare)
    finally:
        for task in aside:
            task.cancel()
        await asyncio.gather(*aside, return_exceptions=True)
        await database.close()


async def forget_programs(settings: VerificationSettings, database: Database) -> None:
    """Forget programs, grants and tokens that nobody uses, some in a transaction, until cancelled."""
    untried, unused = timedelta(days=settings.program_untried_days), timedelta(days=settings.program_unused_days)

    async def forget(work: Work) -> int:
        return await expire_programs(work, now=datetime.now(UTC), untried=untried, unused=unused, most=AT_ONCE)

    await _step_by_step("programs not forgotten", database, forget, seconds=FORGET_SECONDS)


async def tell_shares(database: Database) -> None:
    """Tell decisions about who may see a badge that no topic knows, some in a transaction, until cancelled."""

    async def tell(work: Work) -> int:
        return await tell_untold_shares(work, most=AT_ONCE)

    await _step_by_step("sharing not told", database, tell, seconds=TELL_SECONDS)


async def _step_by_step(
    fails: str, database: Database, step: Callable[[Work], Awaitable[int]], *, seconds: float
) -> None:
    while True:
        done = 0
        try:
            async with begin(database) as work:
                done = await step(work)
        except Exception as fault:
            log.warning(fails, fault=name_of(fault))
        # Again at once while there may be more.
        await asyncio.sleep(1 if done == AT_ONCE else seconds)

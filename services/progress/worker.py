"""The door for events: what progress hears, and who handles it."""

from __future__ import annotations

from libs.common.contracts import (
    AchievementPublished,
    ActDone,
    ActRecorded,
    AssertionSigned,
    BadgeExpired,
    BadgeImported,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgesLogged,
    BadgeSuspended,
    EndorsementSigned,
    Enrolled,
    ImportedBadgeWithdrawn,
    ImportRefused,
    IssuerPublished,
    KeyPublished,
    LearnerRegistered,
    MilestoneReached,
    PictureUploaded,
    RecordSigned,
    StatusListSigned,
    Withdrawn,
)
from libs.common.contracts.topics import BADGE_ISSUED, CATALOGUE, ENROLLED, LEARNERS, LEARNING_EVENTS
from libs.common.messaging.hearing import Hears
from libs.common.messaging.worker_process import run_worker
from libs.common.settings import ServiceSettings
from services.progress import handlers
from services.progress.model import FORMS

# Told on `badge-issued`, and nothing that is kept here.
_PASSED_OVER = (
    StatusListSigned, KeyPublished, ActDone, ActRecorded, BadgesLogged, BadgeImported,
    ImportedBadgeWithdrawn, ImportRefused, EndorsementSigned, AssertionSigned, RecordSigned,
)  # fmt: skip

HEARS = (
    Hears(CATALOGUE, PictureUploaded, handlers.pass_over),
    Hears(CATALOGUE, IssuerPublished, handlers.on_issuer_published),
    Hears(CATALOGUE, AchievementPublished, handlers.on_achievement_published),
    Hears(LEARNERS, LearnerRegistered, handlers.on_learner_registered, ordered=True),
    Hears(ENROLLED, Enrolled, handlers.on_enrolled),
    Hears(ENROLLED, Withdrawn, handlers.on_withdrawn),
    *(Hears(LEARNING_EVENTS, form.contract, handlers.record_heard, knows_seen=True) for form in FORMS.values()),
    Hears(BADGE_ISSUED, BadgeIssued, handlers.on_badge_issued),
    Hears(BADGE_ISSUED, BadgeSuspended, handlers.on_badge_suspended),
    Hears(BADGE_ISSUED, BadgeReinstated, handlers.on_badge_reinstated),
    Hears(BADGE_ISSUED, BadgeRevoked, handlers.on_badge_revoked),
    Hears(BADGE_ISSUED, BadgeExpired, handlers.on_badge_expired),
    Hears(BADGE_ISSUED, MilestoneReached, handlers.on_milestone_reached),
    *(Hears(BADGE_ISSUED, told, handlers.pass_over) for told in _PASSED_OVER),
)


async def run(settings: ServiceSettings) -> None:
    """Hear events and relay the outbox until the process is told to stop."""
    await run_worker("progress", settings, HEARS)

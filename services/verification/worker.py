"""What verification hears: the catalogue, and what awarding tells of badges and keys."""

from __future__ import annotations

from libs.common.contracts import RecordSigned, awarding, enrollment
from libs.common.contracts.topics import BADGE_ISSUED, CATALOGUE, LEARNERS
from libs.common.messaging.hearing import Hears
from libs.common.messaging.restoring import Plan
from libs.common.messaging.worker_process import run_worker
from libs.common.settings import ServiceSettings
from services.verification import handlers
from services.verification.handlers.endorsements import on_endorsement_signed
from services.verification.handlers.learners import on_learner_registered
from services.verification.handlers.log import on_badges_logged
from services.verification.handlers.pictures import on_picture_uploaded

# The order in which the events do their work, whatever it is, makes no difference to the state.
HEARS = (
    Hears(CATALOGUE, enrollment.PictureUploaded, on_picture_uploaded),
    Hears(CATALOGUE, enrollment.IssuerPublished, handlers.on_issuer_published),
    Hears(CATALOGUE, enrollment.AchievementPublished, handlers.on_achievement_published),
    Hears(LEARNERS, enrollment.LearnerRegistered, on_learner_registered),
    Hears(BADGE_ISSUED, awarding.KeyPublished, handlers.on_key_published),
    Hears(BADGE_ISSUED, awarding.BadgeIssued, handlers.on_badge_issued),
    Hears(BADGE_ISSUED, awarding.BadgeRevoked, handlers.on_badge_revoked),
    Hears(BADGE_ISSUED, awarding.BadgeSuspended, handlers.on_badge_suspended),
    Hears(BADGE_ISSUED, awarding.BadgeReinstated, handlers.on_badge_reinstated),
    Hears(BADGE_ISSUED, awarding.BadgeExpired, handlers.pass_over),
    Hears(BADGE_ISSUED, awarding.MilestoneReached, handlers.pass_over),
    Hears(BADGE_ISSUED, awarding.StatusListSigned, handlers.on_status_list_signed),
    Hears(BADGE_ISSUED, awarding.ActDone, handlers.pass_over),
    # Only of what was logged the order matters: each head is that of the tree so far.
    Hears(BADGE_ISSUED, awarding.BadgesLogged, on_badges_logged, ordered=True),
    Hears(BADGE_ISSUED, awarding.BadgeImported, handlers.pass_over),
    Hears(BADGE_ISSUED, awarding.ImportedBadgeWithdrawn, handlers.pass_over),
    Hears(BADGE_ISSUED, awarding.EndorsementSigned, on_endorsement_signed),
    Hears(BADGE_ISSUED, awarding.AssertionSigned, handlers.on_assertion_signed),
    Hears(BADGE_ISSUED, RecordSigned, handlers.pass_over),
)

# The tables that follow from the topics. What the others hold, no topic tells.
MADE_OF_TOPICS = frozenset({
    "achievement", "badge", "badge_change", "badge_jwt", "endorsement", "erased_learner", "issuer", "issuer_key",
    "log_checkpoint", "log_entry", "log_node", "picture", "signed_assertion", "status_list",
})  # fmt: skip


def read_plan(_: ServiceSettings) -> Plan:
    """How the tables are made anew: what is heard is all there is to know."""
    return Plan(
        "verification", passes=(HEARS,), made=MADE_OF_TOPICS, seeds=("erased_learner",), kept=("badge", "badge_change")
    )


async def run(settings: ServiceSettings) -> None:
    """Hear events until the process is told to stop. A fresh database is rebuilt from the topics by just this."""
    await run_worker("verification", settings, HEARS)

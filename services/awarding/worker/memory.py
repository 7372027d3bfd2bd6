"""What a fresh database is made of: what awarding told itself comes before what learners did (B2, B8)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from libs.common.contracts import (
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
    ImportedBadgeWithdrawn,
    ImportRefused,
    KeyPublished,
    MilestoneReached,
    RecordSigned,
    StatusListSigned,
)
from libs.common.contracts.topics import BADGE_ISSUED, TOPICS
from libs.common.messaging.hearing import Hears
from libs.common.messaging.restoring import Plan
from services.awarding import handlers
from services.awarding.handlers import Office, logbook, restoring
from services.awarding.handlers.assertions import on_assertion_signed
from services.awarding.handlers.records import on_record_signed
from services.awarding.handlers.status_lists import on_status_list_signed

# The tables that follow from the topics. What the others hold, no topic tells.
MADE_OF_TOPICS = frozenset({
    "achievement", "badge", "badge_change", "catalogue_revision", "fact", "issuer", "learner", "log_head", "logged",
    "milestone", "recheck", "record_part", "restored", "review", "signed_assertion", "signing_key", "status_list",
    "unlogged", "voided",
})  # fmt: skip


def plan_of(heard: Sequence[Hears], office: Office) -> Plan:
    """How a fresh database is made from the topics: who and what there is, then what awarding told itself, then what
    learners did. Nothing is decided on before all of it is there.

    `heard` is the worker's table for `office`, which only remembers.
    """
    compacted = {topic.name for topic in TOPICS if topic.compacted}
    return Plan(
        "awarding",
        passes=(
            tuple(row for row in heard if row.topic in compacted),
            remembers(office),
            tuple(row for row in heard if row.topic not in compacted),
        ),
        finish=partial(handlers.complete_restoring, office),
        made=MADE_OF_TOPICS,
        seeds=("learner",),
        kept=("badge", "badge_change"),
        held=("consumed", "learner"),
    )


def remembers(office: Office) -> tuple[Hears, ...]:
    """Contract → handler of what awarding told on its own topic. Badges come first; of what became of one, the order
    matters. The handlers know what they have seen."""
    withdrawn = partial(handlers.on_imported_badge_withdrawn, office)
    return (
        Hears(BADGE_ISSUED, KeyPublished, restoring.on_key_published, knows_seen=True),
        Hears(BADGE_ISSUED, BadgeIssued, restoring.on_badge_issued, knows_seen=True),
        Hears(BADGE_ISSUED, BadgeRevoked, restoring.on_badge_revoked, ordered=True, knows_seen=True),
        Hears(BADGE_ISSUED, BadgeSuspended, restoring.on_badge_suspended, ordered=True, knows_seen=True),
        Hears(BADGE_ISSUED, BadgeReinstated, restoring.on_badge_reinstated, ordered=True, knows_seen=True),
        Hears(BADGE_ISSUED, ActDone, restoring.on_act_done, ordered=True, knows_seen=True),
        Hears(BADGE_ISSUED, ActRecorded, restoring.on_act_recorded, ordered=True, knows_seen=True),
        Hears(BADGE_ISSUED, BadgeExpired, restoring.on_badge_expired, knows_seen=True),
        Hears(BADGE_ISSUED, MilestoneReached, handlers.on_milestone_reached, knows_seen=True),
        Hears(BADGE_ISSUED, EndorsementSigned, handlers.on_endorsement_signed, knows_seen=True),
        Hears(BADGE_ISSUED, AssertionSigned, on_assertion_signed, knows_seen=True),
        Hears(BADGE_ISSUED, RecordSigned, on_record_signed, knows_seen=True),
        Hears(BADGE_ISSUED, BadgeImported, partial(handlers.on_badge_imported, office), knows_seen=True),
        Hears(BADGE_ISSUED, ImportedBadgeWithdrawn, withdrawn, knows_seen=True),
        Hears(BADGE_ISSUED, ImportRefused, handlers.on_import_refused, knows_seen=True),
        Hears(BADGE_ISSUED, BadgesLogged, logbook.on_badges_logged, ordered=True, knows_seen=True),
        Hears(BADGE_ISSUED, StatusListSigned, on_status_list_signed, knows_seen=True),
    )

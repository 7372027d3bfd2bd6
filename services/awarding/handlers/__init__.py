"""What awarding does when something happens: load, decide, save, tell. One function per thing that happens."""

from services.awarding.handlers.acts import FAILED, cancel_act, complete_acts, record_act, show_act, show_history
from services.awarding.handlers.assertions import (
    cancel_assertion,
    record_assertion_request,
    show_assertion,
    sign_assertions,
)
from services.awarding.handlers.bulk import (
    record_bulk_awards,
    revoke_bulk_awards,
    revoke_version,
    show_bulk_progress,
    show_bulk_report,
)
from services.awarding.handlers.catalogue import on_achievement_published, on_issuer_published, pass_over
from services.awarding.handlers.challenges import cancel_challenge, record_challenge, show_challenges
from services.awarding.handlers.endorsements import (
    cancel_endorsement,
    on_endorsement_signed,
    record_endorsement,
    show_endorsement,
    sign_endorsements,
)
from services.awarding.handlers.expiry import expire_ended, schedule_expiry
from services.awarding.handlers.facts import (
    on_activity_completed,
    on_assessment_scored,
    on_completion_retracted,
    on_evidence_verified,
    on_evidence_withdrawn,
    on_score_voided,
)
from services.awarding.handlers.imports import (
    Look,
    cancel_import,
    complete_imports,
    recheck_imports,
    record_import,
    record_recheck,
    schedule_import_check,
    show_import,
    show_imports,
    withdraw_import,
)
from services.awarding.handlers.keys import revoke_key, rotate_key, show_keys, tell_keys
from services.awarding.handlers.learners import on_learner_registered
from services.awarding.handlers.logbook import Logbook, record_logged
from services.awarding.handlers.milestones import on_milestone_reached
from services.awarding.handlers.mosaic import Shelf, show_mosaic
from services.awarding.handlers.office import Office
from services.awarding.handlers.pushes import on_badge_pushed
from services.awarding.handlers.reading import explain_achievement, show_trail
from services.awarding.handlers.recheck import recheck_waiting, schedule_recheck
from services.awarding.handlers.records import (
    cancel_record,
    read_root_wish,
    record_record_request,
    show_record,
    sign_record,
)
from services.awarding.handlers.rehearsal import complete_rehearsal
from services.awarding.handlers.remembering import on_badge_imported, on_import_refused, on_imported_badge_withdrawn
from services.awarding.handlers.restoring import complete_restoring, evaluate_restored
from services.awarding.handlers.status_lists import sign_status_lists

__all__ = [
    "FAILED",
    "Logbook",
    "Look",
    "Office",
    "Shelf",
    "cancel_act",
    "cancel_assertion",
    "cancel_challenge",
    "cancel_endorsement",
    "cancel_import",
    "cancel_record",
    "complete_acts",
    "complete_imports",
    "complete_rehearsal",
    "complete_restoring",
    "evaluate_restored",
    "expire_ended",
    "explain_achievement",
    "on_achievement_published",
    "on_activity_completed",
    "on_assessment_scored",
    "on_badge_imported",
    "on_badge_pushed",
    "on_completion_retracted",
    "on_endorsement_signed",
    "on_evidence_verified",
    "on_evidence_withdrawn",
    "on_import_refused",
    "on_imported_badge_withdrawn",
    "on_issuer_published",
    "on_learner_registered",
    "on_milestone_reached",
    "on_score_voided",
    "pass_over",
    "read_root_wish",
    "recheck_imports",
    "recheck_waiting",
    "record_act",
    "record_assertion_request",
    "record_bulk_awards",
    "record_challenge",
    "record_endorsement",
    "record_import",
    "record_logged",
    "record_recheck",
    "record_record_request",
    "revoke_bulk_awards",
    "revoke_key",
    "revoke_version",
    "rotate_key",
    "schedule_expiry",
    "schedule_import_check",
    "schedule_recheck",
    "show_act",
    "show_assertion",
    "show_bulk_progress",
    "show_bulk_report",
    "show_challenges",
    "show_endorsement",
    "show_history",
    "show_import",
    "show_imports",
    "show_keys",
    "show_mosaic",
    "show_record",
    "show_trail",
    "sign_assertions",
    "sign_endorsements",
    "sign_record",
    "sign_status_lists",
    "tell_keys",
    "withdraw_import",
]

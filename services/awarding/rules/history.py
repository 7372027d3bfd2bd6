"""What became of a badge, and what people did by hand, as plain JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.awarding.model import Act, BadgeNow, BadgeState, PastChange
from services.awarding.rules.badge import milliseconds

_WORDS = {BadgeState.HOLDS: "holds", BadgeState.SUSPENDED: "suspended", BadgeState.REVOKED: "revoked"}


def history_of(badge: BadgeNow, changes: Sequence[PastChange], acts: Sequence[Act]) -> dict[str, Any]:
    """A badge's state now, each change of it with its cause, and each act of a person."""
    return {
        "badge_id": str(badge.badge_id),
        "learner_id": badge.learner_id,
        "achievement_id": badge.achievement_id,
        "version": badge.version,
        "cycle": badge.cycle,
        "state": "expired" if badge.state is BadgeState.HOLDS and badge.is_expired else _WORDS[badge.state],
        "by_hand": None if badge.by_hand is BadgeState.HOLDS else _WORDS[badge.by_hand],
        "valid_from": milliseconds(badge.valid_from),
        "valid_until": None if badge.valid_until is None else milliseconds(badge.valid_until),
        "awarded_at": milliseconds(badge.awarded_at),
        "changes": [_change(change) for change in changes],
        "acts": [act_told(act) for act in acts],
    }


def act_told(act: Act) -> dict[str, Any]:
    """Who asked for what, why and when, and what became of it."""
    state = "waiting" if act.done_at is None else "done" if act.refusal is None else "refused"
    return {
        "act_id": str(act.act_id),
        "kind": act.kind,
        "state": state,
        "refusal": act.refusal,
        "learner_id": act.learner_id,
        "achievement_id": act.achievement_id,
        "badge_id": None if act.badge_id is None else str(act.badge_id),
        "reason": act.reason,
        "evidence": act.evidence,
        "actor": act.actor,
        "asked_at": milliseconds(act.asked_at),
        "done_at": None if act.done_at is None else milliseconds(act.done_at),
    }


def _change(change: PastChange) -> dict[str, Any]:
    return {
        "state": _WORDS[change.state],
        "reason": change.reason,
        "event_id": str(change.event_id),
        "cause_id": str(change.cause_id),
        "told_at": milliseconds(change.told_at),
        "changed_at": milliseconds(change.changed_at),
    }

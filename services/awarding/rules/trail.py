"""A badge's trail as plain JSON values: what happened, in the order of time, and where it can be followed."""

from __future__ import annotations

from typing import Any

from libs.common.credentials.addresses import Addresses
from services.awarding.model import FactKind, Trail, TrailBadge, TrailEvent
from services.awarding.rules.badge import milliseconds
from services.awarding.rules.scores import plain


def trail_of(addresses: Addresses, trail: Trail) -> dict[str, Any]:
    """The trail of one badge: the events and badges it stands on, the award, and whether it was told."""
    return {
        "badge_id": str(trail.badge_id),
        "badge_url": addresses.badge(trail.badge_id),
        "learner_id": trail.learner_id,
        "achievement_id": trail.achievement_id,
        "version": trail.version,
        "cycle": trail.cycle,
        "issuer_id": trail.issuer_id,
        "valid_from": milliseconds(trail.valid_from),
        "digest": trail.digest,
        "events": [_event(event, event.event_id == trail.trigger_event_id) for event in trail.events],
        "badges": [_badge(addresses, badge) for badge in trail.badges],
        "completed_by": {"event_id": str(trail.trigger_event_id), "trace_id": trace_id_of(trail.trigger_traceparent)},
        "awarded": {"at": milliseconds(trail.awarded_at), "trace_id": trace_id_of(trail.traceparent)},
        "told": trail.told,
    }


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id in a W3C `traceparent`."""
    return None if traceparent is None else traceparent.split("-")[1]


def _event(event: TrailEvent, completed: bool) -> dict[str, Any]:
    return {
        "event_id": str(event.event_id),
        "kind": FactKind(event.kind).name.lower(),
        "object_id": event.object_id,
        "occurred_at": milliseconds(event.occurred_at),
        "received_at": milliseconds(event.received_at),
        "points": plain(event.points),
        "out_of": plain(event.out_of),
        "assessor": event.assessor,
        "digest": event.digest,
        "trace_id": trace_id_of(event.traceparent),
        "voided_by": None if event.voided_by is None else str(event.voided_by),
        "completed_the_badge": completed,
    }


def _badge(addresses: Addresses, badge: TrailBadge) -> dict[str, Any]:
    return {
        "badge_id": str(badge.badge_id),
        "badge_url": addresses.badge(badge.badge_id),
        "achievement_id": badge.achievement_id,
        "version": badge.version,
        "valid_from": milliseconds(badge.valid_from),
    }

"""Whether issued badges hold (B4): a pure function of what counts now, of what each badge was awarded for, and of
what people decided. No order of events is in it, so causes that are undone undo what followed from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from uuid import UUID

from services.awarding.model import Award, BadgeState, Cause, Change, Fact, Held, Kept
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.outcome import Record

HOLDS, SUSPENDED, REVOKED = BadgeState.HOLDS, BadgeState.SUSPENDED, BadgeState.REVOKED
MET_AGAIN = "The requirement is met again."
NOT_MET = "The requirement is not met any more."
GONE = "What the badge stood on does not count any more."
_REASONS = {HOLDS: MET_AGAIN, SUSPENDED: NOT_MET, REVOKED: GONE}


def decide_states(
    catalogue: Catalogue, badges: Sequence[Kept], facts: Iterable[Fact]
) -> tuple[tuple[Change, ...], bool]:
    """What changes of one learner's badges, what is required first; and whether any is suspended for want of facts.

    `badges` are all of the learner's, `facts` all that count about what their versions mention.
    """
    record = Record.of(facts)
    events = {fact.event_id for about in record.facts.values() for fact in about}
    lost, changes, unsettled = set[UUID](), list[Change](), False
    for kept in sorted(badges, key=lambda kept: _place(catalogue, kept.held)):
        held = kept.held
        grounds = _by_grounds(catalogue, kept, record, events, lost)
        state = max(grounds, kept.by_hand)
        unsettled |= grounds is SUSPENDED
        if state is HOLDS:
            record.held[held.achievement_id] = held
        if state is REVOKED:
            lost.add(held.badge_id)
        if state is not held.state:
            is_over = held.is_over or (grounds is REVOKED and kept.by_hand is not REVOKED)
            changes.append(Change(kept, state, is_over, _REASONS[state]))
    return tuple(changes), unsettled


def objects_needed(catalogue: Catalogue, badges: Iterable[Kept]) -> str:
    """The ids of the objects whose facts decide about these badges: sorted, one text with spaces between."""
    versions = {(kept.held.achievement_id, kept.held.version) for kept in badges if kept.is_grounded}
    return " ".join(sorted({word for place in versions for word in catalogue.versions[place].object_ids.split()}))


def cause_of(award: Award) -> Cause:
    """A badge that was awarded, as the cause of what follows: in the name of the event that completed it."""
    return Cause(award.trigger.event_id, award.valid_from, award.trigger.traceparent)


def told_after(kept: Kept, at: datetime) -> datetime:
    """When a change is told to have been: as its cause was, but after all that was told of the badge before.

    Who hears it keeps the latest by that time, so a late fact must not seem older than what it undoes.
    """
    before = kept.held.valid_from if kept.told_at is None else max(kept.told_at, kept.held.valid_from)
    return max(at, before + timedelta(milliseconds=1))


def _by_grounds(catalogue: Catalogue, kept: Kept, record: Record, events: Set[UUID], lost: Set[UUID]) -> BadgeState:
    """What the facts say of a badge. What is lost for good revokes, what may come back suspends; as the policy says.

    Of a revoked badge nothing is said any more: revocation is for good.
    """
    held = kept.held
    if held.state is REVOKED:
        return REVOKED
    achievement = catalogue.versions[held.achievement_id, held.version]
    policy = achievement.published.on_loss
    if policy == "keep" or not kept.is_grounded:
        return HOLDS
    if policy == "revoke" and (kept.events - events or kept.badges & lost):
        return REVOKED
    return HOLDS if achievement.tree.met(record) else SUSPENDED


def _place(catalogue: Catalogue, held: Held) -> tuple[int, str, int]:
    return catalogue.rank.get(held.achievement_id, 0), held.achievement_id, held.cycle

"""Whether issued badges hold (B4): a pure function of what counts now, of what each badge was awarded for, and of
what people decided. No order of events is in it, so causes that are undone undo what followed from them.

A badge that is required counts until it was told that its time has run out; a renewal takes its place. A badge of a
version that another took over from also has to have been earned before that (`closed_at`), and where a later version
says `re-evaluate` it has to meet that one too, by the policy of that one (B5). Neither can revoke: both may come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from services.awarding.model import Award, BadgeState, Cause, Change, Fact, Held, Kept
from services.awarding.rules.catalogue import Achievement, Catalogue
from services.awarding.rules.outcome import Record
from services.awarding.rules.slots import cycles_of
from services.awarding.rules.windows import Window, met_within, since

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
    begun = begun_for(catalogue, badges)
    lost, changes, unsettled = set[UUID](), list[Change](), False
    for kept in sorted(badges, key=lambda kept: _place(catalogue, kept.held)):
        held = kept.held
        is_lost = bool(kept.events - events or kept.badges & lost)
        grounds = _by_grounds(catalogue, kept, record, begun[held.badge_id], is_lost)
        state = max(grounds, kept.by_hand)
        unsettled |= grounds is SUSPENDED
        if state is HOLDS:
            record.hold(held)
        if state is REVOKED:
            lost.add(held.badge_id)
        if state is not held.state:
            is_over = held.is_over or (grounds is REVOKED and kept.by_hand is not REVOKED)
            changes.append(Change(kept, state, is_over, _REASONS[state]))
    return tuple(changes), unsettled


def objects_needed(catalogue: Catalogue, badges: Iterable[Kept]) -> str:
    """The ids of the objects whose facts decide about these badges: sorted, one text with spaces between."""
    names = {kept.held.achievement_id for kept in badges if kept.is_grounded}
    return catalogue.objects_of(names)


def may_not_hold(catalogue: Catalogue, award: Award) -> bool:
    """Whether a badge that was just awarded has to be looked at: because of another version, or because a badge that
    it stands on was valid when it was earned and is not any more."""
    lineage = catalogue.lineages[award.achievement_id]
    return len(lineage.versions) > 1 or any(held.is_expired for held in award.badges)


def cause_of(award: Award) -> Cause:
    """A badge that was awarded, as the cause of what follows: in the name of the event that completed it."""
    return Cause(award.trigger.event_id, award.valid_from, award.trigger.traceparent)


def published_as_cause(version: Achievement) -> Cause:
    """A version that took everyone along, as the cause of what follows for the badges of earlier ones."""
    place = f"cairn:achievement:{version.achievement_id}@{version.version}"
    return Cause(uuid5(NAMESPACE_URL, place), version.published.published_at, None)


def note_cause(causes: dict[str, Cause], learner_id: str, cause: Cause) -> None:
    """Of what happened to one learner in a batch, the last in time is the cause of what follows."""
    known = causes.get(learner_id)
    if known is None or (cause.at, cause.cause_id) > (known.at, known.cause_id):
        causes[learner_id] = cause


def told_after(kept: Kept, at: datetime) -> datetime:
    """When a change is told to have been: as its cause was, but after all that was told of the badge before.

    Who hears it keeps the latest by that time, so a late fact must not seem older than what it undoes.
    """
    before = kept.held.valid_from if kept.told_at is None else max(kept.told_at, kept.held.valid_from)
    return max(at, before + timedelta(milliseconds=1))


def begun_for(catalogue: Catalogue, badges: Iterable[Kept]) -> dict[UUID, datetime | None]:
    """For each badge since when what occurs counts for it: of the first cycle always, of a renewal since it opened."""
    given: dict[str, list[Held]] = {}
    for kept in badges:
        given.setdefault(kept.held.achievement_id, []).append(kept.held)
    return {
        held.badge_id: cycle.since
        for name, several in given.items()
        for cycle in cycles_of(catalogue.lineages[name], several)
        for held in cycle.badges
    }


def _by_grounds(catalogue: Catalogue, kept: Kept, record: Record, begun: datetime | None, is_lost: bool) -> BadgeState:
    """What the facts say of a badge. What is lost for good revokes, what may come back suspends; as the policy says.

    Of a revoked badge nothing is said any more: revocation is for good.
    """
    held = kept.held
    if held.state is REVOKED:
        return REVOKED
    if not kept.is_grounded:
        return HOLDS
    if is_lost and catalogue.versions[held.achievement_id, held.version].published.on_loss == "revoke":
        return REVOKED
    return HOLDS if meets_its_version(catalogue, held, record, begun) else SUSPENDED


def meets_its_version(catalogue: Catalogue, held: Held, record: Record, begun: datetime | None) -> bool:
    """Whether a badge holds by this record, where what occurred since `begun` counts for it: by the policy of its
    version, within the time of that, and by that of a later one that has everybody judged anew."""
    achievement = catalogue.versions[held.achievement_id, held.version]
    lineage = catalogue.lineages[held.achievement_id]
    keeps = achievement.published.on_loss == "keep"
    if not keeps and not _is_met(achievement, record, Window(begun, lineage.closed_at(held.version))):
        return False
    anew = lineage.judged_anew_by(held.version)
    return anew is None or anew.published.on_loss == "keep" or anew.tree.met(since(record, begun, anew.tree))


def _is_met(achievement: Achievement, record: Record, window: Window) -> bool:
    tree = achievement.tree
    if not tree.met(since(record, window.since, tree)):
        return False
    return window.until is None or met_within(tree, record, window).met


def _place(catalogue: Catalogue, held: Held) -> tuple[int, str, int, int]:
    return catalogue.rank.get(held.achievement_id, 0), held.achievement_id, held.cycle, held.version

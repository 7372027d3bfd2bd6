"""Badges stay true (B4): what becomes of those that were issued, and of all that stands on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from libs.common.contracts import BadgeReinstated, BadgeRevoked, BadgeSuspended
from libs.common.messaging.work import Outgoing, Work
from libs.common.telemetry import BADGES
from services.awarding.handlers.award import award_touched
from services.awarding.handlers.office import SOURCE, Office
from services.awarding.handlers.standings import NOTHING_NEW, read_telling
from services.awarding.model import About, BadgeState, Cause, Change, Fact, Kept, ToldChange
from services.awarding.rules.awards import by_achievement
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.hopes import needs_all
from services.awarding.rules.states import cause_of, decide_states, objects_needed, told_after
from services.awarding.store import attempts as attempt_store
from services.awarding.store import badges as badge_store
from services.awarding.store import facts as fact_store
from services.awarding.store import learners as learner_store
from services.awarding.store import records as record_store
from services.awarding.store import status_lists as list_store

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

_CONTRACTS = {
    BadgeState.HOLDS: BadgeReinstated,
    BadgeState.SUSPENDED: BadgeSuspended,
    BadgeState.REVOKED: BadgeRevoked,
}
_WORDS = {BadgeState.HOLDS: "reinstated", BadgeState.SUSPENDED: "suspended", BadgeState.REVOKED: "revoked"}


async def evaluate_badges(office: Office, work: Work, catalogue: Catalogue, causes: Mapping[str, Cause]) -> None:
    """Look at all badges of these learners (registered and locked) again, because of what happened to each.

    What comes back may earn more, and what is earned may bring back more: it ends when nothing is earned any more.
    """
    while causes:
        touched = await _change_states(work, catalogue, causes)
        awards = await award_touched(office, work, catalogue, touched, NOTHING_NEW) if touched else []
        causes = {award.learner_id: cause_of(award) for award in awards}


async def _change_states(work: Work, catalogue: Catalogue, causes: Mapping[str, Cause]) -> dict[str, set[str]]:
    """Change and tell the states of badges; answers the achievements that may now be earned, by learner."""
    connection = work.connection
    badges = await badge_store.badges_of(connection, causes.keys())
    if not badges:
        return {}
    facts = await _facts_for(connection, catalogue, badges)
    told: list[ToldChange] = []
    unsettled: dict[str, bool] = {}
    touched: dict[str, set[str]] = {}
    for learner, kept in badges.items():
        changes, unsettled[learner] = decide_states(catalogue, kept, facts.get(learner, ()))
        told += (_told(change, causes[learner]) for change in changes)
        names = {name for change in changes for name in _opened_by(catalogue, change)}
        if names:
            touched[learner] = names
    await learner_store.settle_learners(connection, unsettled)
    if told:
        await badge_store.keep_changes(connection, told)
        changed = [change.change.kept.held.badge_id for change in told]
        await list_store.note_due(connection, changed)
        await record_store.settle_parts(connection, causes.keys(), changed)
    for change in told:
        work.tell(_outgoing(change))
        BADGES.labels(_WORDS[change.change.state]).inc()
    return touched


async def _facts_for(
    connection: Connection, catalogue: Catalogue, badges: Mapping[str, Sequence[Kept]]
) -> dict[str, list[Fact]]:
    """The facts that decide about the badges of each learner: all, or those that tell of many, with what the badges
    stand on."""
    needed = {learner: objects_needed(catalogue, kept) for learner, kept in badges.items()}
    facts = await fact_store.facts_about(connection, list(needed.items()), fact_store.MANY)
    crowded = {learner for learner, found in facts.items() if len(found) >= fact_store.MANY}
    if not crowded:
        return facts
    dated = {learner for learner in crowded if needs_all(catalogue, (kept.held for kept in badges[learner]))}
    facts.update(await fact_store.facts_about(connection, [(learner, needed[learner]) for learner in dated]))
    few = {learner: [kept for kept in badges[learner] if kept.is_grounded] for learner in crowded - dated}
    scopes = {learner: {kept.held.achievement_id for kept in grounded} for learner, grounded in few.items()}
    given = {learner: by_achievement(kept.held for kept in badges[learner]) for learner in few}
    telling = await read_telling(connection, catalogue, scopes, given)
    stood_on = {
        (learner, about): frozenset[UUID]().union(*(kept.events for kept in grounded))
        for learner, grounded in few.items()
        for about in frozenset[About]().union(*(_mentioned(catalogue, kept) for kept in grounded))
    }
    named = await attempt_store.named_facts(connection, stood_on)
    for learner in few:
        facts[learner] = list(dict.fromkeys([*telling.get(learner, ()), *named.get(learner, ())]))
    return facts


def _mentioned(catalogue: Catalogue, kept: Kept) -> frozenset[About]:
    return catalogue.versions[kept.held.achievement_id, kept.held.version].tree.mentions


def _opened_by(catalogue: Catalogue, change: Change) -> tuple[str, ...]:
    """What may be earned by a change: what requires a badge that holds again, a badge anew, or what follows it."""
    name = change.kept.held.achievement_id
    if change.state is BadgeState.HOLDS:
        return (*catalogue.by_badge.get(name, ()), *(() if catalogue.lineages[name].is_plain else (name,)))
    return (name,) if change.is_over else ()


def _told(change: Change, cause: Cause) -> ToldChange:
    # Named by its cause, so that a replay tells the same event; and by its time, for one cause may bring a badge to
    # the same state twice, with another state between.
    told_at = told_after(change.kept, cause.at)
    event_id = uuid5(change.kept.held.badge_id, f"{_WORDS[change.state]} {cause.cause_id} {told_at.isoformat()}")
    if cause.reason is not None and cause.badge_id == change.kept.held.badge_id:
        change = replace(change, reason=cause.reason)
    return ToldChange(change, cause, event_id, told_at)


def _outgoing(told: ToldChange) -> Outgoing:
    held, contract = told.change.kept.held, _CONTRACTS[told.change.state]
    by_hand = told.cause.badge_id == held.badge_id
    content = contract(
        badge_id=held.badge_id, learner_id=held.learner_id, reason=told.change.reason, cause_id=told.cause.cause_id,
        by_hand=by_hand, **({"is_over": True} if told.change.is_over else {}),
    )  # fmt: skip
    return Outgoing(
        topic=contract.TOPIC,
        key=str(held.badge_id),
        event_id=told.event_id,
        type=contract.TYPE,
        source=SOURCE,
        subject=str(held.badge_id),
        time=told.told_at,
        value=content.model_dump_json(exclude_none=True).encode(),
        traceparent=told.cause.traceparent,
    )

"""Milestones inside a pathway are recognised when they are reached, not at the end (M2.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid5

from libs.common.contracts import MilestoneReached
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.office import SOURCE, Office
from services.awarding.handlers.standings import read_telling
from services.awarding.model import Award, Fact, Held, Milestone
from services.awarding.rules.catalogue import Catalogue, Lineage
from services.awarding.rules.hopes import may_reach
from services.awarding.rules.milestones import decide_milestones
from services.awarding.rules.outcome import Record
from services.awarding.store import badges as badge_store
from services.awarding.store import facts as fact_store
from services.awarding.store import learners as learner_store
from services.awarding.store import milestones as milestone_store

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection


async def tell_milestones(
    office: Office, work: Work, catalogue: Catalogue, touched: Mapping[str, set[str]], awards: Sequence[Award]
) -> None:
    """Tell and keep the milestones that learners (locked) reached in the achievements that were touched, or that
    their new badges help to earn. Achievements without a milestone, which most are, cost nothing."""
    names = {(learner, name) for learner, some in touched.items() for name in some}
    names |= {(award.learner_id, name) for award in awards for name in catalogue.by_badge.get(award.achievement_id, ())}
    pairs = sorted((learner, name) for learner, name in names if catalogue.lineages[name].milestones)
    if not pairs:
        return
    reached = await _newly_reached(work.connection, catalogue, pairs)
    if reached:
        for milestone in await milestone_store.keep_milestones(work.connection, reached):
            work.tell(_told(office, milestone))


async def on_milestone_reached(work: Work, events: Sequence[Received[MilestoneReached]]) -> None:
    """Milestones that were told before: kept again by a database that is rebuilt, and not told anew (B2)."""
    told = [heard.content for heard in events if heard.content is not None]
    # Of whom was erased since, nothing comes back.
    registered = await learner_store.registered_of(work.connection, [one.learner_id for one in told])
    milestones = [
        Milestone(one.learner_id, one.achievement_id, one.version, one.step_id, one.name, one.reached_at)
        for one in told
        if one.learner_id in registered
    ]
    if milestones:
        await milestone_store.keep_milestones(work.connection, milestones)


class _Open(NamedTuple):
    """A learner with milestones to be reached: those that they `reached`, the badges that they were given of the
    achievement, and all badges that stand and may count."""

    learner_id: str
    lineage: Lineage
    reached: set[tuple[int, str]]
    given: Sequence[Held]
    standing: Sequence[Held]


async def _newly_reached(
    connection: Connection, catalogue: Catalogue, pairs: Sequence[tuple[str, str]]
) -> list[Milestone]:
    lineages = catalogue.lineages
    known: dict[tuple[str, str], set[tuple[int, str]]] = {pair: set() for pair in pairs}
    for milestone in await milestone_store.milestones_in(connection, pairs):
        known[milestone.learner_id, milestone.achievement_id].add((milestone.version, milestone.step_id))
    open_pairs = [pair for pair in pairs if lineages[pair[1]].milestones - known[pair]]
    held = await badge_store.held_badges(
        connection, {(learner, badge) for learner, name in open_pairs for badge in (name, *lineages[name].badges)}
    )
    asked: list[_Open] = []
    for learner, name in open_pairs:
        badges = held.get(learner, ())
        given = [badge for badge in badges if badge.achievement_id == name]
        standing = [badge for badge in badges if badge.stands]
        asked.append(_Open(learner, lineages[name], known[learner, name], given, standing))
    facts = await _facts_for(connection, catalogue, asked)
    return [
        milestone
        for one in asked
        for milestone in decide_milestones(one.lineage, one.learner_id, one.given, _record(facts, one), one.reached)
    ]


async def _facts_for(connection: Connection, catalogue: Catalogue, asked: Sequence[_Open]) -> dict[str, list[Fact]]:
    """What the learners did: all of it, or, where nothing may be reached by many attempts, what tells of them."""
    scopes: dict[str, set[str]] = {}
    given: dict[str, dict[str, Sequence[Held]]] = {}
    for one in asked:
        name = one.lineage.versions[0].achievement_id
        scopes.setdefault(one.learner_id, set()).add(name)
        given.setdefault(one.learner_id, {})[name] = one.given
    wanted = {learner: catalogue.objects_of(names) for learner, names in scopes.items()}
    facts = await fact_store.facts_about(connection, list(wanted.items()), fact_store.MANY)
    crowded = {learner: scopes[learner] for learner, found in facts.items() if len(found) >= fact_store.MANY}
    if crowded:
        facts.update(await read_telling(connection, catalogue, crowded, given))
        hopeful = {
            one.learner_id
            for one in asked
            if one.learner_id in crowded and may_reach(one.lineage, one.given, _record(facts, one), one.reached)
        }
        facts.update(await fact_store.facts_about(connection, [(learner, wanted[learner]) for learner in hopeful]))
    return facts


def _record(facts: Mapping[str, Sequence[Fact]], one: _Open) -> Record:
    return Record.of(facts.get(one.learner_id, ()), one.standing)


def _told(office: Office, milestone: Milestone) -> Outgoing:
    content = MilestoneReached(
        learner_id=milestone.learner_id,
        achievement_id=milestone.achievement_id,
        version=milestone.version,
        step_id=milestone.step_id,
        name=milestone.name,
        reached_at=milestone.reached_at,
    )
    key = f"milestone:{milestone.learner_id}"
    place = f"{milestone.achievement_id}@{milestone.version}/{milestone.step_id}"
    return Outgoing(
        topic=MilestoneReached.TOPIC,
        key=key,
        event_id=uuid5(office.namespace, f"{key} {place}"),
        type=MilestoneReached.TYPE,
        source=SOURCE,
        subject=key,
        time=milestone.reached_at,
        value=content.model_dump_json(exclude_none=True).encode(),
    )

"""Milestones inside a pathway are recognised when they are reached, not at the end (M2.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import uuid5

from libs.common.contracts import MilestoneReached
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.office import SOURCE, Office
from services.awarding.model import Award, Milestone
from services.awarding.rules.catalogue import Catalogue
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


async def _newly_reached(
    connection: Connection, catalogue: Catalogue, pairs: Sequence[tuple[str, str]]
) -> list[Milestone]:
    lineages = catalogue.lineages
    known: dict[tuple[str, str], set[tuple[int, str]]] = {}
    for milestone in await milestone_store.milestones_in(connection, pairs):
        told = known.setdefault((milestone.learner_id, milestone.achievement_id), set())
        told.add((milestone.version, milestone.step_id))
    open_pairs = [pair for pair in pairs if lineages[pair[1]].milestones - known.get(pair, set[tuple[int, str]]())]
    objects: dict[str, set[str]] = {}
    for learner, name in open_pairs:
        objects.setdefault(learner, set()).update(lineages[name].object_ids.split())
    facts = await fact_store.facts_about(connection, [(who, " ".join(sorted(ids))) for who, ids in objects.items()])
    held = await badge_store.held_badges(
        connection, {(learner, badge) for learner, name in open_pairs for badge in (name, *lineages[name].badges)}
    )
    records = {
        learner: Record.of(facts.get(learner, ()), (badge for badge in held.get(learner, ()) if badge.stands))
        for learner in objects
    }
    return [
        milestone
        for learner, name in open_pairs
        for milestone in decide_milestones(
            lineages[name],
            learner,
            [badge for badge in held.get(learner, ()) if badge.achievement_id == name],
            records[learner],
            known.get((learner, name), set[tuple[int, str]]()),
        )
    ]


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

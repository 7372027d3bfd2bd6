"""The backlog of learners to look at again, worked off in bounded batches by the code that handles events."""

from __future__ import annotations

from libs.common.messaging.work import Work
from services.awarding.handlers.award import award_touched
from services.awarding.handlers.office import Office
from services.awarding.handlers.states import evaluate_badges
from services.awarding.model import Cause
from services.awarding.rules.states import cause_of, may_not_hold, note_cause, published_as_cause
from services.awarding.store import learners as learner_store


async def recheck_waiting(office: Office, work: Work, *, most: int) -> int:
    """Look again at up to `most` learners; answers how many. Several workers may do it at once."""
    connection = work.connection
    catalogue = await office.catalogue(connection)
    learner_ids = await learner_store.waiting_learners(connection, most)
    if not learner_ids:
        return 0
    await learner_store.done_rechecking(connection, learner_ids)
    registered = await learner_store.registered_of(connection, learner_ids)
    held = await learner_store.achievements_held_by(connection, learner_ids)
    touched: dict[str, set[str]] = {}
    for learner, about in await learner_store.mentioned_by(connection, learner_ids):
        if learner in registered:
            touched.setdefault(learner, set()).update(catalogue.by_about.get(about, ()))
    for learner, badge in held:
        if learner in registered:
            touched.setdefault(learner, set()).update(catalogue.by_badge.get(badge, ()))
    causes: dict[str, Cause] = {}
    for learner, badge in held:
        lineage = catalogue.lineages[badge]
        if lineage.is_plain:
            touched.get(learner, set[str]()).discard(badge)
        elif learner in registered and (newer := lineage.newest_taking()) is not None:
            note_cause(causes, learner, published_as_cause(newer))
    awards = await award_touched(office, work, catalogue, touched)
    for award in awards:
        if registered[award.learner_id] or may_not_hold(catalogue, award):
            causes.setdefault(award.learner_id, cause_of(award))
    await evaluate_badges(office, work, catalogue, causes)
    return len(learner_ids)


async def schedule_recheck(work: Work, *, seconds: float) -> list[str]:
    """Put the learner who is first on the backlog off for some seconds: looking at them failed."""
    learner_ids = await learner_store.waiting_learners(work.connection, 1)
    await learner_store.postpone_recheck(work.connection, learner_ids, seconds)
    return learner_ids

"""A draft is tried on recorded facts before it is published (B3). Nothing is changed; that it was tried is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from libs.common.contracts import AchievementPublished, RehearsalCompleted
from libs.common.contracts.enrollment import meaning_digest
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.mosaic import Shelf
from services.awarding.handlers.office import SOURCE
from services.awarding.model import Held, Trigger
from services.awarding.rules.catalogue import Achievement, Catalogue
from services.awarding.rules.outcome import Record
from services.awarding.rules.rehearsal import Limits, Rehearsal, decide_effect, gains_above, losses_above
from services.awarding.rules.slots import ends_at
from services.awarding.store import badges as badge_store
from services.awarding.store import facts as fact_store
from services.awarding.store import learners as learner_store

if TYPE_CHECKING:
    from services.awarding.store import Reader

LEARNERS_AT_ONCE = 1000
_NOBODY = UUID(int=0)


async def complete_rehearsal(
    shelf: Shelf, work: Work, draft: AchievementPublished, limits: Limits, *, by: str, at: datetime
) -> dict[str, Any]:
    """Try a draft and tell what came of it, so that publishing may rely on it; answers it as plain JSON values.

    `by` names who asked for it, `at` is now.
    """
    catalogue = await shelf.catalogue(work.connection)
    rehearsal = await evaluate_draft(catalogue, work.connection, draft)
    digest = meaning_digest(draft)
    published = catalogue.achievements.get(draft.achievement_id)
    content = RehearsalCompleted(
        achievement_id=draft.achievement_id,
        digest=digest,
        against_version=published.version if published else None,
        learners=rehearsal.looked_at,
        gain=rehearsal.count("gain"),
        lose=rehearsal.count("lose"),
        gain_above=rehearsal.count_above("gain"),
        lose_above=rehearsal.count_above("lose"),
        most_gain=limits.gain,
        most_lose=limits.lose,
        within_limits=rehearsal.is_within(limits),
        rehearsed_by=by,
        rehearsed_at=at,
    )
    work.tell(
        Outgoing(
            topic=RehearsalCompleted.TOPIC,
            key=draft.achievement_id,
            event_id=uuid5(NAMESPACE_URL, f"{SOURCE}/rehearsal/{draft.achievement_id}/{digest}/{at.isoformat()}/{by}"),
            type=RehearsalCompleted.TYPE,
            source=SOURCE,
            subject=draft.achievement_id,
            time=at,
            value=content.model_dump_json(exclude_none=True).encode(),
        )
    )
    return rehearsal.told(draft.achievement_id, digest, limits)


async def evaluate_draft(catalogue: Catalogue, reader: Reader, published: AchievementPublished) -> Rehearsal:
    """Try a draft on all learners whose facts or badges it mentions, and on all who hold the achievement; and on the
    stacks above it, for those who would gain or lose."""
    draft, rehearsal = Achievement.of(published), Rehearsal()
    names = draft.tree.badges | {published.achievement_id}
    learners = await learner_store.learners_concerned(reader, draft.tree.mentions, names)
    for start in range(0, len(learners), LEARNERS_AT_ONCE):
        moved = await _look_at(reader, draft, learners[start : start + LEARNERS_AT_ONCE], rehearsal)
        if moved and catalogue.by_badge.get(published.achievement_id):
            await _look_above(catalogue, reader, draft, moved, rehearsal)
    return rehearsal


async def _look_at(
    reader: Reader, draft: Achievement, learners: Sequence[str], rehearsal: Rehearsal
) -> dict[str, datetime | None]:
    """Count what the draft means for these learners; answers who would gain, and since when, or lose (None)."""
    records = await _records(reader, learners, draft.object_ids, draft.tree.badges)
    own = await badge_store.held_badges(reader, {(learner, draft.achievement_id) for learner in learners})
    moved: dict[str, datetime | None] = {}
    for learner in learners:
        effect = decide_effect(draft.tree, records[learner], own.get(learner, []))
        rehearsal.add(learner, effect)
        if effect in ("gain", "lose"):
            moved[learner] = draft.tree.outcome(records[learner]).met_at
    return moved


async def _look_above(
    catalogue: Catalogue,
    reader: Reader,
    draft: Achievement,
    moved: dict[str, datetime | None],
    rehearsal: Rehearsal,
) -> None:
    """Count the badges above that would follow."""
    name = draft.achievement_id
    above = catalogue.reachable(catalogue.by_badge[name])
    objects = catalogue.objects_of(above)
    facts = await fact_store.facts_about(reader, [(learner, objects) for learner in moved])
    badges = await badge_store.badges_of(reader, moved)
    for learner, since in moved.items():
        kept, did = badges.get(learner, []), facts.get(learner, [])
        if since is None:
            rehearsal.add_above("lose", losses_above(catalogue, kept, did, name))
            continue
        worth, trigger = draft.published.credits, Trigger(_NOBODY, 0, None)
        ends = ends_at(draft, since, None)
        gained = Held(learner, name, draft.version, _NOBODY, since, worth, trigger, valid_until=ends)
        rehearsal.add_above("gain", gains_above(catalogue, kept, did, gained))


async def _records(reader: Reader, learners: Sequence[str], objects: str, badges: Collection[str]) -> dict[str, Record]:
    """What each learner did about these objects (one text) and holds of these achievements."""
    facts = await fact_store.facts_about(reader, [(learner, objects) for learner in learners])
    held = await badge_store.held_badges(reader, {(learner, name) for learner in learners for name in badges})
    return {
        learner: Record.of(facts.get(learner, ()), (badge for badge in held.get(learner, ()) if badge.holds))
        for learner in learners
    }

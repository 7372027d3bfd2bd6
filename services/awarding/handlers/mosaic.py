"""The learner's mosaic: what is held, what is under way, what comes next (M2.7, M2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.awarding.model import Held
from services.awarding.rules.catalogue import Catalogue
from services.awarding.rules.explanation import milestone_told
from services.awarding.rules.imports import import_told
from services.awarding.rules.mosaic import mosaic_of
from services.awarding.rules.outcome import Record
from services.awarding.store import badges as badge_store
from services.awarding.store import catalogue as catalogue_store
from services.awarding.store import facts as fact_store
from services.awarding.store import imports as import_store
from services.awarding.store import learners as learner_store
from services.awarding.store import milestones as milestone_store

if TYPE_CHECKING:
    from services.awarding.store import Reader


class Shelf:
    """The catalogue as the api knows it: kept between requests, brought up to date at each."""

    def __init__(self) -> None:
        self._catalogue = Catalogue()

    async def catalogue(self, reader: Reader) -> Catalogue:
        """The catalogue as it is published."""
        revision, _ = await catalogue_store.catalogue_revision(reader)
        known = self._catalogue
        if known.revision == revision:
            return known
        if known.revision > revision:  # another database, or one set back
            known = Catalogue()
        issuers = await catalogue_store.issuers_since(reader, known.revision)
        achievements = await catalogue_store.achievements_since(reader, known.revision)
        self._catalogue = known.with_published(revision, issuers, achievements)
        return self._catalogue


async def show_mosaic(shelf: Shelf, reader: Reader, learner_id: str) -> dict[str, Any] | None:
    """A learner's mosaic, or None when the learner is not known."""
    if not await learner_store.is_learner_known(reader, learner_id):
        return None
    catalogue, record, given = await read_learner(shelf, reader, learner_id)
    milestones = await milestone_store.milestones_of(reader, learner_id)
    brought = [one for one in await import_store.imports_of(reader, learner_id) if one.state == "counting"]
    return {
        "learner_id": learner_id,
        **mosaic_of(catalogue, record, given),
        "milestones": [milestone_told(one) for one in milestones],
        "imported": [import_told(one) for one in brought],
    }


async def read_learner(shelf: Shelf, reader: Reader, learner_id: str) -> tuple[Catalogue, Record, list[Held]]:
    """The catalogue, all that a learner did and holds, and all badges that they were given."""
    catalogue = await shelf.catalogue(reader)
    abouts = await learner_store.mentioned_by(reader, [learner_id])
    objects = " ".join(sorted({object_id for _, (_, object_id) in abouts}))
    facts = await fact_store.facts_about(reader, [(learner_id, objects)])
    kept = (await badge_store.badges_of(reader, [learner_id])).get(learner_id, [])
    given = [entry.held for entry in kept]
    return catalogue, Record.of(facts.get(learner_id, ()), (held for held in given if held.stands)), given

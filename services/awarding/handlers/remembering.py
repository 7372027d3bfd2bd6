"""What awarding told of imports on its own topic, heard again when it is rebuilt (B12, B8)."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.contracts import BadgeImported, ImportedBadgeWithdrawn, ImportRefused
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.awarding.handlers.facts import keep_facts, void_facts
from services.awarding.handlers.office import Office
from services.awarding.model import FactKind, NewVoid, Remembered
from services.awarding.rules.imported import facts_told, unsealed_watch
from services.awarding.rules.imports import TAKEN_BACK
from services.awarding.store import facts as fact_store
from services.awarding.store import imports as import_store

_IMPORTED = int(FactKind.IMPORTED)
# What is voided, of an event that has not come yet: nobody knows what it is about.
_NOT_YET = ("",)


async def on_badge_imported(office: Office, work: Work, events: Sequence[Received[BadgeImported]]) -> None:
    """Imports that were told are remembered, count, and are watched where what that takes was told."""
    told = [(heard.content, heard) for heard in events if heard.content is not None]
    if not told:
        return
    await office.catalogue(work.connection)
    withdrawn = await import_store.withdrawn_events(
        work.connection, [(content.learner_id, heard.event_id) for content, heard in told]
    )
    remembered = [
        Remembered(content, heard.event_id, heard.event.time, unsealed_watch(office.watch_secret, content))
        for content, heard in told
        if heard.event_id not in withdrawn
    ]
    await import_store.remember_imports(work.connection, remembered)
    facts = [
        facts_told(content, heard.event_id, heard.event.time, heard.event.traceparent) for content, heard in told
    ]  # fmt: skip
    kept = [fact for of_import in facts for fact in of_import]
    voids = [
        NewVoid(fact.learner_id, _IMPORTED, fact.object_id, fact.event_id, *withdrawn[fact.event_id])
        for fact in kept
        if fact.event_id in withdrawn
    ]
    await fact_store.keep_voided(work.connection, voids)
    await keep_facts(office, work, kept)


async def on_imported_badge_withdrawn(
    office: Office, work: Work, events: Sequence[Received[ImportedBadgeWithdrawn]]
) -> None:
    """Imports that were withdrawn count no more: all facts of the event by which each counted, whatever the import says
    by now, and whether they have come yet or not."""
    told = [(heard.content, heard) for heard in events if heard.content is not None]
    if not told:
        return
    await office.catalogue(work.connection)
    objects = await import_store.imported_objects(work.connection, [content for content, _ in told])
    voids = [
        NewVoid(content.learner_id, _IMPORTED, name, content.supersedes, heard.event_id, heard.event.time)
        for content, heard in told
        for name in objects.get(content.supersedes, _NOT_YET)
    ]
    await void_facts(office, work, voids)
    left = [(content, heard.event.time) for content, heard in told if content.cause == TAKEN_BACK.why]
    await import_store.take_imports_back(work.connection, left)
    await import_store.lose_imports(work.connection, [content for content, _ in told])


async def on_import_refused(work: Work, events: Sequence[Received[ImportRefused]]) -> None:
    """What was taken back while it did not count does not come back; unless it was pushed again since."""
    left = [
        (heard.content.import_id, heard.event.time)
        for heard in events
        if heard.content is not None and heard.content.cause == TAKEN_BACK.why
    ]
    if left:
        await import_store.drop_uncounted(work.connection, left)

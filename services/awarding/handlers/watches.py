"""What it takes to watch an imported badge without the badge itself, told so that nobody else reads it (B4, B6)."""

from __future__ import annotations

from libs.common.messaging.work import Work
from services.awarding.handlers.office import Office
from services.awarding.handlers.pushes import tell_word
from services.awarding.model import Import
from services.awarding.rules.imported import sealed_watch, word_on
from services.awarding.rules.imports import watched
from services.awarding.store import imports as import_store


async def tell_watch(office: Office, work: Work, imported: Import) -> Import:
    """Tell of an import that counts what it takes to watch it, where its word was told without; answers it so.

    The same event once more, at its own time: to who has heard it, nothing is new.
    """
    asked, counted_by = watched(imported), imported.counted_by
    if asked.watch is None or counted_by is None:
        return imported
    since = await import_store.counted_since(work.connection, imported.learner_id, counted_by)
    if since is None:
        return imported
    tell_word(work, word_on(asked, sealed_watch(office.watch_secret, asked)), counted_by, *since)
    return asked

"""Issuers and achievements are published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from libs.common.contracts import AchievementPublished, IssuerPublished
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.awarding.handlers.keys import issue_keys
from services.awarding.handlers.office import Office
from services.awarding.rules.catalogue import Achievement
from services.awarding.store import catalogue as catalogue_store


async def on_issuer_published(office: Office, work: Work, events: Sequence[Received[IssuerPublished]]) -> None:
    """Issuers were published: tell their public key, and look again at what waited for an issuer."""
    issuers = {heard.content.issuer_id: heard.content for heard in events if heard.content is not None}
    if not issuers:
        return
    connection = work.connection
    await catalogue_store.lock_catalogue(connection)
    before = await office.catalogue(connection)
    revision = await catalogue_store.next_revision(connection)
    await catalogue_store.keep_issuers(connection, revision, list(issuers.values()))
    if office.decides:
        await issue_keys(office, work, sorted(issuers))
    new = issuers.keys() - before.issuers.keys()
    waiting = [entry for entry in before.achievements.values() if entry.published.issuer_id in new]
    await _recheck(work, waiting)


async def on_achievement_published(
    office: Office, work: Work, events: Sequence[Received[AchievementPublished]]
) -> None:
    """Versions of achievements were published: look again at all whose facts or badges they mention.

    The lock lets no fact be decided on meanwhile: facts before it are committed and found here, facts after it are
    decided on with the new catalogue.
    """
    told = [heard.content for heard in events if heard.content is not None]
    published = {(content.achievement_id, content.version): content for content in told}
    if not published:
        return
    connection = work.connection
    await catalogue_store.lock_catalogue(connection)
    revision = await catalogue_store.next_revision(connection)
    new = await catalogue_store.keep_achievements(connection, revision, list(published.values()))
    catalogue = await office.catalogue(connection)
    newest = [entry for entry in catalogue.achievements.values() if (entry.achievement_id, entry.version) in new]
    await _recheck(work, newest)


async def _recheck(work: Work, achievements: Iterable[Achievement]) -> None:
    trees = [entry.tree for entry in achievements]
    if trees:
        abouts = {about for tree in trees for about in tree.mentions}
        badges = {badge for tree in trees for badge in tree.badges}
        await catalogue_store.recheck_mentioned(work.connection, abouts, badges)

"""Issuers and achievements are published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.common.contracts import AchievementPublished, IssuerPublished
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.awarding.handlers.keys import issue_keys
from services.awarding.handlers.office import Office
from services.awarding.rules.catalogue import Lineage
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
    waiting = [
        lineage
        for lineage in before.lineages.values()
        if any(version.published.issuer_id in new for version in lineage.versions)
    ]
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
    await _recheck(work, [catalogue.lineages[name] for name in sorted({name for name, _ in new})])


async def pass_over(work: Work, events: Sequence[Received[Any]]) -> None:
    """Nothing follows: a badge names its picture by what its achievement says of it, and what was refused when it was
    pushed is heard, and looked at, again."""


async def _recheck(work: Work, lineages: Sequence[Lineage]) -> None:
    """Have all looked at again whom a publication may concern: who did or holds what any version mentions, and who
    holds an earlier version."""
    if lineages:
        abouts = {about for lineage in lineages for about in lineage.mentions}
        badges = {badge for lineage in lineages for badge in lineage.badges}
        badges |= {lineage.versions[0].achievement_id for lineage in lineages if len(lineage.versions) > 1}
        await catalogue_store.recheck_mentioned(work.connection, abouts, badges)

"""Issuers and achievements are published; public keys are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import NAMESPACE_URL, uuid5

from libs.common.contracts import AchievementPublished, IssuerPublished, KeyPublished
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.office import SOURCE, Office
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
        await _tell_keys_of(office, work, sorted(issuers))
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


async def tell_keys(office: Office, work: Work) -> None:
    """Tell the public key of every issuer that has not told it yet: at the start, when the key may be a new one."""
    await office.catalogue(work.connection)
    await _tell_keys_of(office, work, await catalogue_store.issuer_ids(work.connection))


async def _tell_keys_of(office: Office, work: Work, issuer_ids: Sequence[str]) -> None:
    new = await catalogue_store.keep_keys(work.connection, issuer_ids, office.public_key, office.key_valid_from)
    for issuer_id in new:
        content = KeyPublished(
            issuer_id=issuer_id,
            key_id=office.public_key,
            public_key_multibase=office.public_key,
            valid_from=office.key_valid_from,
        )
        key = f"key:{issuer_id}"
        work.tell(
            Outgoing(
                topic=KeyPublished.TOPIC,
                key=key,
                event_id=uuid5(NAMESPACE_URL, f"{SOURCE}/{key}/{office.public_key}"),
                type=KeyPublished.TYPE,
                source=SOURCE,
                subject=key,
                time=office.key_valid_from,
                value=content.model_dump_json(exclude_none=True).encode(),
            )
        )

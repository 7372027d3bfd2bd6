"""Keys of issuers: they begin, follow one another, and are revoked; each change is told (B8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from libs.common.contracts import KeyPublished
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.office import SOURCE, Office
from services.awarding.model import IssuerKey
from services.awarding.rules.keys import decide_beginning
from services.awarding.store import catalogue as catalogue_store
from services.awarding.store import keys as key_store


async def tell_keys(office: Office, work: Work) -> None:
    """At a worker's start: note which keys are at hand, and let issuers begin with one who have none to sign with."""
    await office.catalogue(work.connection)
    now = await key_store.lock_keys(work.connection)
    await key_store.keep_keys_at_hand(work.connection, office.free_keys)
    await _begin_keys(office, work, await catalogue_store.issuer_ids(work.connection), now)


async def issue_keys(office: Office, work: Work, issuer_ids: Sequence[str]) -> None:
    """Let each of these issuers begin with a key who has none to sign with."""
    await _begin_keys(office, work, issuer_ids, await key_store.lock_keys(work.connection))


async def _begin_keys(office: Office, work: Work, issuer_ids: Sequence[str], now: datetime) -> None:
    histories = await key_store.keys_of(work.connection, issuer_ids)
    changed: list[IssuerKey] = []
    for issuer_id in issuer_ids:
        changed += decide_beginning(
            issuer_id, histories.get(issuer_id, ()), office.free_keys, now, office.keys_valid_from
        )
    if changed:
        await key_store.keep_keys(work.connection, changed)
    for key in changed:
        work.tell(key_told(key, now))


def key_told(key: IssuerKey, now: datetime) -> Outgoing:
    """The event of a key as it is from `now` on; it names the state, so that the same one is told once."""
    content = KeyPublished(
        issuer_id=key.issuer_id,
        key_id=key.key_id,
        public_key_multibase=key.multibase,
        valid_from=key.valid_from,
        valid_until=key.valid_until,
        public_key_jwk=key.jwk,
        revoked_at=key.revoked_at,
    )
    name = f"key:{key.issuer_id}"
    ends = [instant.isoformat() for instant in (key.valid_until, key.revoked_at) if instant is not None]
    return Outgoing(
        topic=KeyPublished.TOPIC,
        key=name,
        event_id=uuid5(NAMESPACE_URL, "/".join([f"{SOURCE}/{name}/{key.key_id}", *ends])),
        type=KeyPublished.TYPE,
        source=SOURCE,
        subject=name,
        # The last word on a key wins, and a key that begins has had no other.
        time=now if ends else min(key.valid_from, now),
        value=content.model_dump_json(exclude_none=True).encode(),
    )

"""Keys of issuers: they begin, follow one another, and are revoked; each change is told (B8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from libs.common.contracts import KeyPublished
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.office import SOURCE, Office
from services.awarding.handlers.status_lists import issue_first_places
from services.awarding.model import IssuerKey, KeyAct, Refused
from services.awarding.rules.keys import decide_beginning, decide_revocation, decide_rotation, keys_told, merged
from services.awarding.store import catalogue as catalogue_store
from services.awarding.store import keys as key_store
from services.awarding.store import records as record_store
from services.awarding.store import status_lists as list_store

if TYPE_CHECKING:
    from services.awarding.store import Reader


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
        work.tell(_told(key, now))
    histories = await key_store.keys_of(work.connection, issuer_ids)
    ready = {
        issuer_id: signers
        for issuer_id, history in histories.items()
        if (signers := office.find_signers(issuer_id, history, now)) is not None
    }
    await issue_first_places(office, work, ready, now)


async def rotate_key(work: Work, asked: KeyAct, key_id: str | None) -> Refused | None:
    """Let the issuer sign with another key from `asked.at` on: the next at hand, unless `key_id` names it.

    The worker signs with it as soon as this is committed; what the keys before it signed stands. An act that was
    carried out before is not carried out again.
    """
    now, history = await _locked(work, asked.issuer_id)
    at = max(asked.at, now)
    at_hand = await key_store.keys_at_hand(work.connection)
    changed = decide_rotation(asked.issuer_id, history, at_hand, key_id, at=at, now=now)
    if isinstance(changed, Refused):
        return None if await key_store.is_key_act_known(work.connection, asked.act_id) else changed
    await _change(work, replace(asked, key_id=changed[-1].key_id, at=at), changed, now)
    return None


async def revoke_key(work: Work, asked: KeyAct) -> Refused | None:
    """Trust nothing that the key signed from `asked.at` on, but for what is proven to be older; another key begins now
    where it was the one to sign with, if there is one at hand."""
    now, history = await _locked(work, asked.issuer_id)
    changed = decide_revocation(history, asked.key_id, min(asked.at, now), now)
    if isinstance(changed, Refused):
        return None if await key_store.is_key_act_known(work.connection, asked.act_id) else changed
    at_hand = await key_store.keys_at_hand(work.connection)
    next_keys = decide_beginning(asked.issuer_id, merged(history, changed), at_hand, now, now)
    # The revocation itself stands above whatever end the next key would give the one before it.
    final = {key.key_id: key for key in (*next_keys, *changed)}
    await _change(work, replace(asked, at=min(asked.at, now)), list(final.values()), now)
    return None


async def show_keys(reader: Reader, issuer_id: str, now: datetime) -> dict[str, Any]:
    """The keys of an issuer with their states at `now`, those at hand that it has not used, and what was done."""
    history = (await key_store.keys_of(reader, [issuer_id])).get(issuer_id, [])
    at_hand = await key_store.keys_at_hand(reader)
    return keys_told(issuer_id, history, at_hand, await key_store.key_acts(reader, issuer_id), now)


async def _locked(work: Work, issuer_id: str) -> tuple[datetime, list[IssuerKey]]:
    now = await key_store.lock_keys(work.connection)
    return now, (await key_store.keys_of(work.connection, [issuer_id])).get(issuer_id, [])


async def _change(work: Work, act: KeyAct, changed: Sequence[IssuerKey], now: datetime) -> None:
    if await key_store.keep_key_act(work.connection, act):
        await key_store.keep_keys(work.connection, changed)
        # The lists are signed anew by whoever signs from now on.
        await list_store.note_due_issuer(work.connection, act.issuer_id)
        # So are records: one by a key that was revoked is worth nothing.
        await record_store.forget_records_of_issuer(work.connection, act.issuer_id)
        for key in changed:
            work.tell(_told(key, now))


def _told(key: IssuerKey, now: datetime) -> Outgoing:
    """The event of a key as it is from `now` on; it names the state, so that the same one is told once."""
    content = KeyPublished(
        issuer_id=key.issuer_id,
        key_id=key.key_id,
        public_key_multibase=key.multibase,
        valid_from=key.valid_from,
        valid_until=key.valid_until,
        public_key_jwk=key.jwk,
        revoked_at=key.revoked_at,
        # The other uses follow from the kind of key; told the same way as ever, they are told once.
        signs="assertions" if key.signs == "assertions" else None,
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

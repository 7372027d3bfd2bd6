"""Which keys an issuer signs with, and what becomes of them: beginning, rotation, revocation (B8).

A history is only ever added to. The keys of embedded proofs, those of VC-JWTs and those of signed Open Badges 2.0
follow one another separately.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from libs.common.credentials.key_history import key_state_at, signing_key_at
from services.awarding.model import KEY_USES, FreeKey, IssuerKey, KeyAct, KeyUse, Refused

NOT_PUBLISHED = "expected a key of this issuer that is published, found none of this id"
NONE_AT_HAND = "expected a key at hand that the issuer has not used yet: name one in the worker's settings first"


def signing_key(history: Sequence[IssuerKey], at_hand: Iterable[str], now: datetime, use: KeyUse) -> str | None:
    """The id of the key to sign with at `now`, of those whose ids are `at_hand`; None if no such key may sign."""
    usable = frozenset(at_hand)
    mine = [key for key in history if key.signs == use and key.key_id in usable]
    found = signing_key_at(mine, now)
    return None if found is None else found.key_id


def decide_beginning(
    issuer_id: str, history: Sequence[IssuerKey], at_hand: Sequence[FreeKey], now: datetime, since: datetime
) -> list[IssuerKey]:
    """The keys that begin, and those that end with it, so that the issuer can sign at `now`.

    The first key of an issuer is good `since` an instant before its badges. A later one begins here only where no key
    that may sign is at hand any more: it was revoked, or taken out of the settings.
    """
    changed: list[IssuerKey] = []
    for use in KEY_USES:
        mine = [key for key in history if key.signs == use]
        free = [key for key in at_hand if key.signs == use and key.issuer_id in (None, issuer_id)]
        if signing_key(mine, (key.key_id for key in free), now, use) is not None:
            continue
        # One that signed something else before, or does now, has a use already.
        fresh = _fresh(issuer_id, [*history, *changed], free)
        if fresh is not None:
            changed += _succeeded(issuer_id, mine, fresh, now if mine else since)
    return changed


def decide_rotation(
    issuer_id: str,
    history: Sequence[IssuerKey],
    at_hand: Sequence[FreeKey],
    key_id: str | None,
    *,
    at: datetime,
    now: datetime,
) -> list[IssuerKey] | Refused:
    """The key that signs from `at` on, and those that end then; the next of the settings unless `key_id` names it."""
    if at < now:
        return Refused("expected an instant that is not past: what was signed since would stand outside its key's time")
    fresh = _fresh(issuer_id, history, [key for key in at_hand if key_id in (None, key.key_id)])
    if fresh is None:
        return Refused(NONE_AT_HAND)
    same = [key for key in history if key.signs == fresh.signs]
    if any(key.valid_from >= at for key in same):
        return Refused("expected an instant after the beginning of every key before it")
    return _succeeded(issuer_id, same, fresh, at)


def decide_revocation(
    history: Sequence[IssuerKey], key_id: str, at: datetime, now: datetime
) -> list[IssuerKey] | Refused:
    """The key revoked from `at` on; a revocation may be set earlier, never later."""
    found = next((key for key in history if key.key_id == key_id), None)
    if found is None:
        return Refused(NOT_PUBLISHED)
    if at > now:
        return Refused("expected an instant that is not to come: rotate to another key instead")
    if found.revoked_at is not None and at >= found.revoked_at:
        return Refused(f"expected an instant before {found.revoked_at.isoformat()}, since when it is revoked")
    return [replace(found, revoked_at=at)]


def merged(history: Sequence[IssuerKey], changed: Sequence[IssuerKey]) -> list[IssuerKey]:
    """The history with its changed and new keys, in order of their beginning."""
    keys = {key.key_id: key for key in (*history, *changed)}
    return sorted(keys.values(), key=lambda key: (key.valid_from, key.key_id))


def keys_told(
    issuer_id: str, history: Sequence[IssuerKey], at_hand: Sequence[FreeKey], acts: Sequence[KeyAct], now: datetime
) -> dict[str, Any]:
    """What operators are shown: each key with its state at `now`, the keys that could follow, and what was done."""
    known = {key.key_id for key in history}
    return {
        "issuer_id": issuer_id,
        "keys": [
            {
                "key_id": key.key_id,
                "signs": key.signs,
                "state": key_state_at(key, now),
                "at_hand": any(key.key_id == free.key_id for free in at_hand),
                "valid_from": key.valid_from,
                "valid_until": key.valid_until,
                "revoked_at": key.revoked_at,
            }
            for key in history
        ],
        "next": [
            {"key_id": key.key_id, "signs": key.signs}
            for key in at_hand
            if key.issuer_id in (None, issuer_id) and key.key_id not in known
        ],
        "acts": [
            {name: getattr(act, name) for name in ("act_id", "kind", "key_id", "at", "reason", "actor", "asked_at")}
            for act in acts
        ],
    }


def _fresh(issuer_id: str, history: Sequence[IssuerKey], at_hand: Sequence[FreeKey]) -> FreeKey | None:
    known = {key.key_id for key in history}
    usable = (key for key in at_hand if key.issuer_id in (None, issuer_id) and key.key_id not in known)
    # A key of one issuer goes before one of all.
    return min(usable, key=lambda key: key.issuer_id is None, default=None)


def _succeeded(issuer_id: str, same: Sequence[IssuerKey], fresh: FreeKey, at: datetime) -> list[IssuerKey]:
    ended = [
        replace(key, valid_until=at)
        for key in same
        if key_state_at(key, at) == "active" and (key.valid_until is None or key.valid_until > at)
    ]
    return [*ended, IssuerKey(issuer_id, fresh.key_id, fresh.multibase, fresh.jwk, at, signs=fresh.signs)]

"""Our own badges among many, judged first-hand: read in one query, their signatures checked by a compiled form.

Each signature is checked each time, over the bytes that are kept: nothing here trusts an earlier check. What makes
it fast is the canonical form, which is compiled once for all badges of one kind (`credentials.shape`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import NamedTuple
from uuid import UUID

import orjson
from fastapi import Request

from libs.common.checking.lines import Line
from libs.common.checking.model import Judgement
from libs.common.checking.strict import Fault, id_of, read_json
from libs.common.credentials.keys import public_key_of_multikey
from libs.common.credentials.proof import verify_proof
from libs.common.credentials.shape import Shapes
from services.verification import store
from services.verification.api.parts import Parts, database_of, parts_of
from services.verification.api.recalling import logged_if_needed
from services.verification.api.verifications import path_of_own
from services.verification.api.visible import is_public
from services.verification.model import Badge, Key
from services.verification.rules.first_hand import judge_own
from services.verification.rules.standing import decide_standing
from services.verification.rules.verdict import decide_verdict


class Known(NamedTuple):
    """What is known here about the badges of some lines: the badges, their issuers' keys, the issuers named.

    `logged` says when badges were logged, where a key was withdrawn.
    """

    badges: Mapping[UUID, Badge]
    keys: Mapping[str, tuple[Key, ...]]
    issuers: frozenset[str]
    logged: Mapping[UUID, datetime]


class OwnBadges:
    """Judges lines that speak of our own badges."""

    def __init__(self) -> None:
        self._shapes = Shapes()
        self._lock = Lock()

    async def judge(self, request: Request, lines: Sequence[Line]) -> dict[int, Judgement]:
        """The judgement on each line that names or brings a badge that is kept here, by the line's number."""
        parts, pool = parts_of(request), database_of(request).pool
        named = {line.number: badge_id for line in lines if (badge_id := _badge_of(line, parts)) is not None}
        if not named:
            return {}
        badges = await store.badges(pool, list(set(named.values())))
        names = sorted({badge.issuer_id for badge in badges.values()})
        keys = await store.keys_of_issuers(pool, names)
        logged = await logged_if_needed(pool, badges.keys(), (key for found in keys.values() for key in found))
        known = Known(badges, keys, await store.known_issuers(pool, names), logged)
        chosen = [
            (line, badge)
            for line in lines
            if (badge := badges.get(named[line.number]) if line.number in named else None) is not None
            # Who names a badge must be shown it; who brings it has it.
            and (line.content.startswith(b"{") or is_public(badge.signed, request))
        ]
        return await asyncio.to_thread(self._judge, chosen, known, parts)

    def _judge(self, chosen: list[tuple[Line, Badge]], known: Known, parts: Parts) -> dict[int, Judgement]:
        with self._lock:
            return {line.number: self._one(line, badge, known, parts) for line, badge in chosen if _same(line, badge)}

    def _one(self, line: Line, badge: Badge, known: Known, parts: Parts) -> Judgement:
        keys = known.keys.get(badge.issuer_id, ())
        did = parts.addresses.issuer_did(badge.issuer_id)
        published = {f"{did}#{key.key_id}": key.public_key_multibase for key in keys}

        def public_key_of(method: str) -> bytes | None:
            text = published.get(method)
            return None if text is None else public_key_of_multikey(text)

        proof = verify_proof(badge.signed.content, public_key_of, shapes=self._shapes)
        standing = decide_standing(
            parts.now(), valid_from=badge.valid_from, valid_until=badge.valid_until,
            revocation=badge.revocation, suspension=badge.suspension,
        )  # fmt: skip
        verdict = decide_verdict(
            proof,
            keys,
            signed_at=badge.valid_from,
            standing=standing,
            issuer_known=badge.issuer_id in known.issuers,
            awarded_at=badge.awarded_at,
            logged_at=known.logged.get(badge.badge_id),
        )
        return judge_own(badge, proof, verdict, standing, line.person)


def _badge_of(line: Line, parts: Parts) -> UUID | None:
    """The id of the badge of ours that a line names: by the id itself, by its address, or in a credential."""
    name = line.asked if line.content.startswith(b"{") else line.content.decode("utf-8", "replace")
    path = path_of_own(name, parts.addresses.base_url)
    if path is not None:
        name = path.rpartition("/")[2].removesuffix(".json")
        if path.rpartition("/")[0] not in ("/badges", "/ob2/assertions"):
            return None
    try:
        return found if str(found := UUID(name)) == name else None
    except ValueError:
        return None


def _same(line: Line, badge: Badge) -> bool:
    """Whether a line that brings a credential brings the one that is kept, and nothing else."""
    if not line.content.startswith(b"{"):
        return True
    if "sha256:" + hashlib.sha256(line.content).hexdigest() == badge.signed.digest:
        return True
    brought, kept = read_json(line.content), orjson.loads(badge.signed.content)
    if isinstance(brought, Fault) or id_of(brought) != kept.get("id"):
        return False
    return _sorted(brought) == _sorted(kept)


def _sorted(document: object) -> bytes:
    # As text: 1, 1.0 and True are equal as values.
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)

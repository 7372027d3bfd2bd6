"""Checked signatures: the reference path, in a thread, and remembered by content and key."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from libs.common.credentials.keys import public_key_of_multikey
from libs.common.credentials.proof import ProofResult, verify_proof
from services.verification.model import Key

_REMEMBERED = 50_000
# Checking is pure work of some milliseconds: more threads than this would only queue for the interpreter.
_AT_ONCE = 2


class Proofs:
    """The outcome of checking a signature depends on bytes and keys alone, so it is worked out once for both."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, ProofResult] = OrderedDict()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def check(self, content: bytes, issuer: str, keys: Sequence[Key]) -> ProofResult:
        """Whether the proof in `content` holds with one of the published `keys` of `issuer` (its DID)."""
        published = {f"{issuer}#{key.key_id}": key.public_key_multibase for key in keys}
        name = hashlib.sha256(repr(sorted(published.items())).encode() + hashlib.sha256(content).digest()).digest()
        known = self._known.get(name)
        if known is None:
            async with self._places:
                known = await asyncio.to_thread(_check, content, published)
            self._known[name] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(name)
        return known


def _check(content: bytes, published: dict[str, str]) -> ProofResult:
    def public_key_of(method: str) -> bytes | None:
        text = published.get(method)
        return None if text is None else public_key_of_multikey(text)

    return verify_proof(content, public_key_of)

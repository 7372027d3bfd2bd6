"""Places in status lists: counted up, and scattered by a secret, so that a place tells nothing of the order of issue.

A position is a number from 0, counted over all badges of a deployment. It falls into the list with the number
`position // ENTRIES + 1`, and in there at the index that a keyed permutation gives: a Feistel network over the
list's 17 bits, whose round functions are tables made from the secret. So no index is given twice, none can be
guessed from another, and with the secret the position is found again.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from libs.common.credentials.status_list import MIN_ENTRIES

ENTRIES = MIN_ENTRIES
_LEFT_BITS, _RIGHT_BITS = 9, 8
_ROUNDS = 8

Tables = tuple[tuple[int, ...], ...]


def place_of(secret: bytes, position: int) -> tuple[int, int]:
    """The number of the list (from 1) and the index in it (from 0) of `position`."""
    number, offset = position // ENTRIES + 1, position % ENTRIES
    left, right = offset >> _RIGHT_BITS, offset & (1 << _RIGHT_BITS) - 1
    # Halves of unequal size take turns, each changed by a function of the other: undone by the same steps backwards.
    for step, table in enumerate(_tables(secret, number)):
        if step % 2:
            left ^= table[right]
        else:
            right ^= table[left]
    return number, left << _RIGHT_BITS | right


def position_of(secret: bytes, number: int, index: int) -> int:
    """The position of a place: the inverse of `place_of`."""
    left, right = index >> _RIGHT_BITS, index & (1 << _RIGHT_BITS) - 1
    tables = _tables(secret, number)
    for step in reversed(range(_ROUNDS)):
        if step % 2:
            left ^= tables[step][right]
        else:
            right ^= tables[step][left]
    return (number - 1) * ENTRIES + (left << _RIGHT_BITS | right)


@lru_cache(maxsize=64)
def _tables(secret: bytes, number: int) -> Tables:
    """One table a round: of the left half's values to masks of the right half, and the other way round, in turn."""
    tables: list[tuple[int, ...]] = []
    for step in range(_ROUNDS):
        entries, bits = (1 << _RIGHT_BITS, _LEFT_BITS) if step % 2 else (1 << _LEFT_BITS, _RIGHT_BITS)
        key = hmac.digest(secret, f"status list {number} round {step}".encode(), "sha256")
        stream = hashlib.shake_256(key).digest(2 * entries)
        mask = (1 << bits) - 1
        tables.append(tuple(int.from_bytes(stream[2 * n : 2 * n + 2]) & mask for n in range(entries)))
    return tuple(tables)

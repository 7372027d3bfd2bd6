"""Short codes: 12 characters that lead to a badge, for paper and for telephones.

A code is 60 bits of the SHA-256 digest of the badge's id, which nobody guesses: so it is as unguessable as its
length allows, needs no place to be kept, and is the same after a rebuild. The letters are Crockford's base 32,
which has no look-alikes: what is read as I or L is 1, O is 0, and U is not there.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SAME = str.maketrans("ILO", "110", "- \t")
_LENGTH = 12
_PREFIX = b"cairn short code"  # the same as in sql/sharing.sql and its index


def code_digits(badge_id: UUID) -> str:
    """The 15 hexadecimal digits by which a badge's code is found."""
    return hashlib.sha256(_PREFIX + badge_id.bytes).hexdigest()[:15]


def code_of(badge_id: UUID) -> str:
    """The short code of a badge, as it is written: `7Q2M-X9KD-4RTV`."""
    number = int(code_digits(badge_id), 16)
    letters = "".join(_LETTERS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return "-".join(letters[start : start + 4] for start in range(0, _LENGTH, 4))


def read_code(text: str) -> str | None:
    """The digits of the code that somebody wrote, in whatever case and with or without dashes; None if it is none."""
    letters = text.upper().translate(_SAME)
    if len(letters) != _LENGTH or any(letter not in _LETTERS for letter in letters):
        return None
    number = 0
    for letter in letters:
        number = number << 5 | _LETTERS.index(letter)
    return f"{number:015x}"

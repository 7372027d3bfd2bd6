"""Texts that travel where others read along, and that only their teller can open again (AES-SIV, RFC 5297).

Deterministic, so that what is told again is told alike; who compares two texts learns whether they are equal, and
nothing else. `secret` is 64 bytes.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


def seal(secret: bytes, content: bytes, *context: str) -> str:
    """`content`, which is not empty, as base64url that opens under the same `secret` and `context` alone."""
    sealed = AESSIV(secret).encrypt(content, [part.encode() for part in context])
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(secret: bytes, text: str, *context: str) -> bytes | None:
    """What `seal` was given; None where `text` was sealed under another secret or context, or by nobody."""
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return AESSIV(secret).decrypt(sealed, [part.encode() for part in context])
    except (binascii.Error, InvalidTag, ValueError):
        return None

"""Bitstring Status Lists: the state of many badges in few bytes (Bitstring Status List 1.0; M1.39)."""

import base64
import binascii
import zlib
from collections.abc import Iterable
from datetime import datetime

from libs.common.credentials.canonical import Json
from libs.common.credentials.contexts import CREDENTIALS_V2
from libs.common.credentials.documents import instant, present
from libs.common.credentials.model import StatusPurpose

# Bitstring Status List 1.0, section 6.1: a shorter list would tell too much about who is on it.
MIN_ENTRIES = 131_072
MAX_BYTES = 16 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class NotAStatusList(ValueError):
    """A text that is no encoded status list, or one that is too short or too long."""


def encode(indices: Iterable[int], entries: int = MIN_ENTRIES) -> str:
    """The `encodedList` of `entries` badges of which those at `indices` (from 0) are set.

    Raises `ValueError` on an index outside the list, or a list below `MIN_ENTRIES` or not of whole bytes.
    """
    if entries < MIN_ENTRIES or entries % 8:
        raise ValueError(f"entries: expected a multiple of 8 from {MIN_ENTRIES} on, found {entries}")
    bits = bytearray(entries // 8)
    for index in indices:
        if not 0 <= index < entries:
            raise ValueError(f"indices: expected 0 to {entries - 1}, found {index}")
        bits[index >> 3] |= 0x80 >> (index & 7)  # section 3.2: the first index is the left-most bit
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    packed = packer.compress(bits) + packer.flush()
    return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(encoded: str, min_entries: int = MIN_ENTRIES) -> bytes:
    """The bits of an `encodedList`, eight a byte; at most `MAX_BYTES` are ever unpacked.

    Lists of deployed issuers may be shorter than the standard's minimum: say so with `min_entries`.
    Raises `NotAStatusList`.
    """
    if not encoded.startswith("u"):
        raise NotAStatusList("expected a multibase text beginning with u")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        packed = base64.b64decode(encoded[1:] + "=" * (-(len(encoded) - 1) % 4), altchars=b"-_", validate=True)
        bits = unpacker.decompress(packed, MAX_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise NotAStatusList(f"expected base64url of gzip: {error}") from None
    if not unpacker.eof:
        raise NotAStatusList(f"expected a whole list of at most {MAX_BYTES} bytes")
    if len(bits) * 8 < min_entries:
        raise NotAStatusList(f"expected {min_entries} entries or more, found {len(bits) * 8}")
    return bits


def is_set(bits: bytes, index: int) -> bool:
    """Whether the badge at `index` is set in decoded `bits`. Raises `NotAStatusList` if the list ends before it."""
    if not 0 <= index < len(bits) * 8:
        raise NotAStatusList(f"expected an index from 0 to {len(bits) * 8 - 1}, found {index}")
    return bool(bits[index >> 3] & 0x80 >> (index & 7))


def status_list_credential(
    list_url: str, issuer_id: str, purpose: StatusPurpose, encoded: str, *, valid_from: datetime, valid_until: datetime
) -> Json:
    """The unsigned credential that publishes a list (section 2.2); sign it with `proof.sign` when it changes."""
    return present(
        **{"@context": [CREDENTIALS_V2]},
        id=list_url,
        type=["VerifiableCredential", "BitstringStatusListCredential"],
        issuer=issuer_id,
        validFrom=instant(valid_from),
        validUntil=instant(valid_until),
        credentialSubject={
            "id": f"{list_url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encoded,
        },
    )

"""Instants as credentials write them (XML Schema 1.1, dateTimeStamp)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.common.checking.notes import Notes

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
# A clock of another machine may run ahead by this much.
SKEW = timedelta(minutes=2)


def instant_of(value: object) -> datetime | None:
    """The aware instant that `value` writes with its time zone, or None if it writes none."""
    if not isinstance(value, str) or not _STAMP.fullmatch(value):
        return None
    try:
        # Python reads at most six digits of a fraction.
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value).replace("Z", "+00:00"))
    except ValueError:
        return None


def numeric_date(value: object) -> datetime | None:
    """The instant of a NumericDate (RFC 7519, section 2), or None if `value` is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 253_402_300_800:
        return None
    return datetime.fromtimestamp(value, UTC)


def told_in(document: Mapping[str, Any], names: tuple[str, str], claim: object) -> object:
    """What `document` tells under the first of `names` that it has, else the NumericDate `claim` of its token, written.

    VCDM 1.1, section 6.3.1, moves dates into claims and so out of the credential. None: neither tells.
    """
    told = next((document[name] for name in names if document.get(name) is not None), None)
    instant = numeric_date(claim) if told is None else None
    return told if instant is None else instant.isoformat().replace("+00:00", "Z")


def note_dates(notes: Notes, now: datetime, begins: object, ends: object) -> None:
    """Note whether `now` lies between the two written instants; `ends` may be None (VCDM 2.0, section 4.9)."""
    first, last = instant_of(begins), instant_of(ends)
    if first is None or (ends is not None and last is None):
        notes.bad("dates", "dates", begins if first is None else ends)
    elif last is not None and now > last:
        notes.bad("dates", "expired", ends)
    elif now + SKEW < first:
        notes.bad("dates", "not-yet", begins)
    else:
        notes.good("dates")

"""What a learner is told of a badge that a program pushed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from libs.common.checking import open_badges_3
from libs.common.checking.dates import instant_of
from libs.common.checking.model import Shown
from libs.common.checking.strict import Fault, read_json
from libs.common.checking.tokens import read_token
from services.verification.model.imports import TAKEN_BACK, PushedBadge, PushState

# The cause of one whose learner is asked to whom it was awarded.
ASKED = "unbound"
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# By cause, in English: the keys of their translations.
_CAUSES: Mapping[str, str] = {
    ASKED: "It does not name the e-mail address that you are registered with: it waits until you say to which address"
    " it was awarded.",
    "unclear": "Nobody can tell yet whether it is genuine. It is tried again.",
    "not-genuine": "It is not genuine, or not in force.",
    "other-recipient": "It was awarded to somebody else.",
    "not-yours": "It was not awarded to the e-mail address that you are registered with.",
    "duplicate": "The same badge was brought here before.",
    "own-badge": "It is a badge of ours: it counts by itself.",
    "no-badge": "It is no badge that can count here.",
    "nothing-found": "It is no badge that can count here.",
    "never-clear": "For weeks nobody could tell whether it is genuine.",
    "too-large": "It is too large to count here.",
    "failed": "Counting it failed for a fault of ours, which was logged.",
    "revoked": "Its issuer withdrew it: it counts no more.",
    "suspended": "Its issuer suspended it: it does not count for now.",
    "expired": "Its time is over: it counts no more.",
    TAKEN_BACK: "You took it back: it counts no more.",
}
_STATES: Mapping[PushState, str] = {
    "kept": "It was kept before such badges could count: have the program push it again.",
    "waiting": "It is being looked at.",
    "counting": "It counts here, wherever an achievement accepts it.",
    "lost": "It counts no more.",
    "refused": "It does not count here.",
}


def state_of(pushed: PushedBadge) -> PushState:
    """What became of a pushed badge: a refusal of what was pushed before in its place says nothing of this one, nor
    does it that the learner took it back before it was pushed again."""
    if pushed.push_id is None:
        return "kept"
    if pushed.state is None or (_is_refusal(pushed) and pushed.told_digest != pushed.digest) or _came_again(pushed):
        return "waiting"
    return pushed.state


def cause_of(pushed: PushedBadge) -> str | None:
    """The short code of why a pushed badge does not count, or not yet, where there is one."""
    return pushed.cause if state_of(pushed) == pushed.state else None


def sentence_of(pushed: PushedBadge) -> str:
    """What became of a pushed badge as an English sentence, the key of its translations."""
    return _CAUSES.get(cause_of(pushed) or "") or _STATES[state_of(pushed)]


def name_of(pushed: PushedBadge) -> str:
    """What a pushed badge, which was found genuine when it came, calls itself; else its id."""
    shown = _shown_of(pushed.content)
    return (shown and shown.name) or pushed.credential_id


def is_token(content: bytes) -> bool:
    """Whether a badge that was found genuine is a compact JWS; else it is a credential in JSON."""
    return _TOKEN.fullmatch(content) is not None


def issued_at_of(content: bytes) -> datetime | None:
    """When a badge that was found genuine says that it was issued, if it does."""
    shown = _shown_of(content)
    return None if shown is None else instant_in_utc(shown.issued_at)


def instant_in_utc(text: str) -> datetime | None:
    """The instant that `text` writes; None where it is none, or lies beyond the years 1 to 9999, which nobody can
    keep."""
    instant = instant_of(text)
    try:
        return None if instant is None else instant.astimezone(UTC)
    except OverflowError:
        return None


def _shown_of(content: bytes) -> Shown | None:
    if is_token(content):
        token = read_token(content)
        document = token if isinstance(token, Fault) else open_badges_3.credential_of(token)
    else:
        document = read_json(content)
    return None if isinstance(document, Fault) else open_badges_3.shown_of(document)


def _came_again(pushed: PushedBadge) -> bool:
    return pushed.cause == TAKEN_BACK and pushed.told_at is not None and pushed.told_at < pushed.kept_at


def _is_refusal(pushed: PushedBadge) -> bool:
    return pushed.state in ("waiting", "refused")

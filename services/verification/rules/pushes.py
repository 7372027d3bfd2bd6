"""What a learner is told of a badge that a program pushed."""

from __future__ import annotations

from collections.abc import Mapping

from libs.common.checking import open_badges_3
from libs.common.checking.strict import Fault, read_json
from libs.common.checking.tokens import read_token
from services.verification.model.imports import PushedBadge, PushState

# The cause of one whose learner is asked to whom it was awarded.
ASKED = "unbound"
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
    "taken-back": "You took it back: it counts no more.",
}
_STATES: Mapping[PushState, str] = {
    "kept": "It was kept before such badges could count: have the program push it again.",
    "waiting": "It is being looked at.",
    "counting": "It counts here, wherever an achievement accepts it.",
    "lost": "It counts no more.",
    "refused": "It does not count here.",
}


def state_of(pushed: PushedBadge) -> PushState:
    """What became of a pushed badge: a refusal of what was pushed before in its place says nothing of this one."""
    if pushed.push_id is None:
        return "kept"
    if pushed.state is None or (_is_refusal(pushed) and pushed.told_digest != pushed.digest):
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
    if pushed.is_token:
        token = read_token(pushed.content)
        document = token if isinstance(token, Fault) else open_badges_3.credential_of(token)
    else:
        document = read_json(pushed.content)
    if isinstance(document, Fault):
        return pushed.credential_id
    return open_badges_3.shown_of(document).name or pushed.credential_id


def _is_refusal(pushed: PushedBadge) -> bool:
    return pushed.state in ("waiting", "refused")

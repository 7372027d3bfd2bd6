"""What a learner reads of a badge of another issuer, and whether they are asked to whom it was awarded. Pure (B12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from libs.common.checking import open_badges_3
from libs.common.checking.notes import Notes
from libs.common.checking.reading import Carried, read
from libs.common.checking.recipient import Person, note_recipient_3
from libs.common.checking.strict import first_object
from services.awarding.model import Import, ImportState
from services.awarding.rules.imports import UNBOUND, document_in

LONGEST_ADDRESS = 320

# By cause, in English: the keys of their translations.
_CAUSES: Mapping[str, str] = {
    UNBOUND.why: "It does not name the e-mail address that you are registered with. Say to which address it was"
    " awarded.",
    "not-genuine": "It is not genuine, or not in force.",
    "other-recipient": "It was awarded to somebody else.",
    "not-yours": "It was not awarded to the e-mail address that you are registered with.",
    "duplicate": "The same badge was brought here before.",
    "own-badge": "It is a badge of ours: it counts by itself.",
    "no-badge": "It is no badge that can count here.",
    "nothing-found": "It is no badge that can count here.",
    "never-clear": "For weeks nobody could tell whether it is genuine.",
    "failed": "Counting it failed for a fault of ours, which was logged.",
    "revoked": "Its issuer withdrew it: it counts no more.",
    "suspended": "Its issuer suspended it: it does not count for now.",
    "expired": "Its time is over: it counts no more.",
}
_STATES: Mapping[ImportState, str] = {
    "unclear": "It is being looked at: whether it is genuine, and yours.",
    "genuine": "It is being looked at: whether it is genuine, and yours.",
    "counting": "It counts here, wherever an achievement accepts it.",
    "lost": "It counts no more.",
    "refused": "It does not count here.",
    "leaving": "You took it back: it counts no more.",
}


class ShownImport(NamedTuple):
    """An import in words: its name (empty if it has none), an English sentence, and whether the learner is asked."""

    imported: Import
    name: str
    sentence: str
    is_asked: bool


def import_shown(imported: Import) -> ShownImport:
    """An import as its learner reads of it."""
    cause = (imported.cause or "").partition(":")[0]
    named = imported.badge.name if imported.badge is not None else _name_in(imported.brought or b"")
    return ShownImport(imported, named, _CAUSES.get(cause) or _STATES[imported.state], is_asked(imported))


def is_asked(imported: Import) -> bool:
    """Whether it waits for its learner to say to which address it was awarded."""
    waits = imported.is_pushed and imported.state == "unclear" and imported.brought is not None
    return waits and (imported.cause or "").partition(":")[0] == UNBOUND.why


def address_in(text: str) -> str | None:
    """The e-mail address that somebody wrote, or None if it is none."""
    address = text.strip()
    name, at, host = address.rpartition("@")
    is_one = bool(name and at and host) and len(address) <= LONGEST_ADDRESS
    return address if is_one and address.isprintable() and not any(map(str.isspace, address)) else None


def is_awarded_to(imported: Import, address: str) -> bool:
    """Whether a badge of Open Badges 3.0 names this e-mail address as its recipient's, in plain words or hashed.

    Whether it is genuine, and the address the learner's, is for the worker to say: this spares them a refusal for a
    slip of the pen.
    """
    notes = Notes()
    subject = first_object(_document_in(imported.brought or b"").get("credentialSubject"))
    note_recipient_3(subject, Person("email", address), notes)
    return notes.outcome("recipient") == "pass"


def _name_in(content: bytes) -> str:
    return open_badges_3.shown_of(_document_in(content)).name[:300]


def _document_in(content: bytes) -> dict[str, Any]:
    carried = read(content)
    return document_in(carried) if isinstance(carried, Carried) and carried.kind != "url" else {}

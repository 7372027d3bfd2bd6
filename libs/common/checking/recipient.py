"""Whether a badge was awarded to the person who was named (OB 3.0, IdentityObject; OB 2.0, IdentityObject)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from libs.common.checking.dialogue import Json
from libs.common.checking.notes import Notes
from libs.common.checking.strict import Fault, objects

HASHES = {"sha256": hashlib.sha256, "md5": hashlib.md5}
# A kind of identity as people name it, and as OB 3.0 does.
_KINDS_3 = {"email": {"email", "emailAddress"}, "name": {"name"}, "url": {"url"}, "did": {"did"}, "id": set[str]()}


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a badge is expected to be awarded to: `kind` is email, url, telephone, did, id …; `identity` who it is."""

    kind: str
    identity: str


def person_of(text: str) -> Person | Fault:
    """The person written as `text`: TYPE:VALUE (email:ada@example.org, url:…, did:…), or an e-mail address alone."""
    kind, separator, identity = text.partition(":")
    if not separator:
        kind, identity = "email", text
    if not kind or not identity or (not separator and "@" not in identity):
        return Fault("recipient", f"expected TYPE:VALUE, found {text[:80]!r}")
    # A DID is written with its own colons: did:web:example.org names itself.
    return Person(kind, text if kind == "did" else identity)


def note_recipient_3(subject: Json, person: Person | None, notes: Notes) -> None:
    """Note under `recipient` whether the subject of an OB 3.0 credential is `person`; nothing if nobody is named."""
    if person is None:
        return
    kinds = _KINDS_3.get(person.kind, {person.kind})
    entries = [entry for entry in objects(subject.get("identifier")) if entry.get("identityType") in kinds]
    if person.kind in ("id", "did", "url", "email"):
        own = {person.identity, f"mailto:{person.identity}"} if person.kind == "email" else {person.identity}
        if subject.get("id") in own:
            notes.good("recipient")
            return
    if not entries and not subject.get("id"):
        notes.bad("recipient", "no-recipient")
    elif any(_is(entry.get("identityHash"), entry.get("hashed"), entry.get("salt"), person) for entry in entries):
        notes.good("recipient")
    else:
        notes.bad("recipient", "other-recipient")


def note_recipient_2(recipient: Json, person: Person | None, notes: Notes) -> None:
    """Note under `recipient` whether the `recipient` of an OB 2.0 assertion is `person`."""
    if person is None:
        return
    same = recipient.get("type") == person.kind
    if same and _is(recipient.get("identity"), recipient.get("hashed"), recipient.get("salt"), person):
        notes.good("recipient")
    else:
        notes.bad("recipient", "other-recipient")


def _is(told: object, hashed: object, salt: object, person: Person) -> bool:
    if not isinstance(told, str):
        return False
    if hashed is not True:
        return hmac.compare_digest(told.encode(), person.identity.encode())
    name, _, digest = told.partition("$")
    function = HASHES.get(name.lower())
    if function is None:
        return False
    # The standards hash what was given; issuers write e-mail addresses in lower case.
    spellings = {person.identity, person.identity.strip().lower()} if "email" in person.kind else {person.identity}
    ending = salt if isinstance(salt, str) else ""
    # OB 2.0: the salt is appended.
    return any(
        hmac.compare_digest(function((text + ending).encode()).hexdigest(), digest.lower()) for text in spellings
    )

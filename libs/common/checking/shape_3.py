"""What a credential must have to be an Open Badge 3.0, an endorsement or a CLR 2.0 (credentials' required parts).

Both ways of writing are taken: arrays everywhere (the formal schema), and single values (the JSON-LD schema).
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

from libs.common.checking.dates import instant_of
from libs.common.checking.dialogue import Json
from libs.common.checking.notes import Notes
from libs.common.checking.strict import array, member, objects

V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
_OB3 = "https://purl.imsglobal.org/spec/ob/v3p0/"
_CLR = "https://purl.imsglobal.org/spec/clr/v2p0/"
ACHIEVEMENT, ENDORSEMENT, CLR = "Open Badges 3.0", "Open Badges 3.0 endorsement", "Comprehensive Learner Record 2.0"
STANDARDS = {
    "OpenBadgeCredential": ACHIEVEMENT,
    "AchievementCredential": ACHIEVEMENT,
    "EndorsementCredential": ENDORSEMENT,
    "ClrCredential": CLR,
}
# Types of the objects that may stand at a name, where OB 3.0 says so (certification: the probes).
_TYPED = {
    "evidence": "Evidence",
    "resultDescription": "ResultDescription",
    "result": "Result",
    "otherIdentifier": "IdentifierEntry",
    "parentOrg": "Profile",
    "source": "Profile",
    "creator": "Profile",
    "alignment": "Alignment",
    "related": "Related",
    "address": "Address",
    "identifier": "IdentityObject",
    "rubricCriterionLevel": "RubricCriterionLevel",
    "achievement": "Achievement",
}
_REQUIRED = {
    "Achievement": ("id", "name", "description", "criteria"),
    "IdentityObject": ("hashed", "identityHash", "identityType"),
    "Alignment": ("targetName", "targetUrl"),
    "ResultDescription": ("id", "name", "resultType"),
    "RubricCriterionLevel": ("id", "name"),
    "IdentifierEntry": ("identifier", "identifierType"),
    "Related": ("id",),
}


def standard_of(document: Json) -> str | None:
    """Which standard the credential claims to be written by, or None if by none that we know."""
    types = types_of(document)
    return next((name for type_, name in STANDARDS.items() if type_ in types), None)


def types_of(value: Any) -> set[str]:
    """The types of an object, as texts."""
    return {entry for entry in array(member(value, "type")) if isinstance(entry, str)}


def note_shape(document: Json, standard: str | None, notes: Notes) -> None:
    """Note under `schema` every part of the credential that is missing or wrong."""
    _note_contexts(document, standard, notes)
    if "VerifiableCredential" not in types_of(document) or standard is None:
        notes.bad("schema", "type", sorted(types_of(document)))
        return
    _require(document, "the credential", ("id", "issuer", "credentialSubject"), notes)
    _note_dates(document, notes)
    _note_issuer(document.get("issuer"), notes)
    subjects = objects(document.get("credentialSubject"))
    if len(subjects) != 1:
        notes.bad("schema", "wrong", f"credentialSubject: expected one object, found {len(subjects)}")
        return
    _note_subject(subjects[0], standard, notes)
    _note_parts(document, notes)
    if notes.outcome("schema") == "unknown":
        notes.good("schema")


def _note_contexts(document: Json, standard: str | None, notes: Notes) -> None:
    contexts = array(document.get("@context"))
    if not all(isinstance(entry, str) for given in _contexts_within(document) for entry in _entries(given)):
        notes.bad("schema", "inline-context", "expected addresses of contexts only")
    if not contexts or contexts[0] not in (V2, V1):
        notes.bad("schema", "context", f"expected {V2} first")
    wanted = _CLR if standard == CLR else _OB3
    if not any(isinstance(entry, str) and entry.startswith(wanted) for entry in contexts[1:]):
        notes.bad("schema", "context", f"expected {wanted}… after it")


def _contexts_within(document: Json) -> list[Any]:
    """Every `@context` in the document: `null` in a part would take away the meaning of its words (SR-9)."""
    found: list[Any] = []
    waiting: list[Any] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            members = cast(Json, node)
            found += [members["@context"]] if "@context" in members else []
            waiting.extend(value for name, value in members.items() if name != "@context")
        elif isinstance(node, list):
            waiting.extend(cast(list[Any], node))
    return found


def _entries(context: Any) -> list[Any]:
    return cast(list[Any], context) if isinstance(context, list) else [context]


def _note_dates(document: Json, notes: Notes) -> None:
    old = array(document.get("@context"))[:1] == [V1]
    first = "issuanceDate" if old else "validFrom"
    if document.get(first) is None:
        notes.bad("schema", "missing", first)
    for name in (first, "expirationDate" if old else "validUntil", "awardedDate"):
        if document.get(name) is not None and instant_of(document[name]) is None:
            notes.bad(
                "schema", "wrong", f"{name}: expected a date with time and zone, found {str(document[name])[:60]}"
            )


def _note_issuer(issuer: Any, notes: Notes) -> None:
    if not isinstance(issuer, dict):
        notes.bad("schema", "wrong", "issuer: expected a Profile")
        return
    _require(cast(Json, issuer), "issuer", ("id",), notes)
    if "Profile" not in types_of(issuer):
        notes.bad("schema", "wrong", "issuer: expected the type Profile")
    if not is_iri(member(issuer, "id")):
        notes.bad("schema", "wrong", f"issuer: expected an address as id, found {str(member(issuer, 'id'))[:80]}")


def _note_subject(subject: Json, standard: str, notes: Notes) -> None:
    if standard == ENDORSEMENT:
        _typed(subject, "credentialSubject", "EndorsementSubject", notes)
        _require(subject, "credentialSubject", ("id",), notes)
        return
    if standard == CLR:
        _typed(subject, "credentialSubject", "ClrSubject", notes)
        _require(subject, "credentialSubject", ("verifiableCredential",), notes)
        return
    _typed(subject, "credentialSubject", "AchievementSubject", notes)
    if not subject.get("id") and not objects(subject.get("identifier")):
        notes.bad("schema", "missing", "credentialSubject: id or identifier")
    if not isinstance(subject.get("achievement"), dict):
        notes.bad("schema", "missing", "credentialSubject: achievement")


def _note_parts(document: Json, notes: Notes) -> None:
    """Look at every object within; nested credentials are checked on their own."""
    waiting: list[tuple[str, Any]] = list(document.items())
    while waiting:
        name, value = waiting.pop()
        if name in ("endorsement", "verifiableCredential", "proof", "@context"):
            continue
        for entry in objects(value):
            wanted = _TYPED.get(name)
            if wanted and not (name == "identifier" and "identifierType" in entry):
                _typed(entry, name, wanted, notes)
                _require(entry, name, _REQUIRED.get(wanted, ()), notes)
            if wanted == "Achievement":
                _note_achievement(entry, notes)
            waiting.extend(entry.items())


def _note_achievement(achievement: Json, notes: Notes) -> None:
    criteria = achievement.get("criteria")
    if not isinstance(criteria, dict) or not (member(criteria, "id") or member(criteria, "narrative")):
        notes.bad("schema", "missing", "criteria: id or narrative")
    for name in ("name", "description"):
        if achievement.get(name) is not None and not isinstance(achievement[name], str | dict):
            notes.bad("schema", "wrong", f"achievement.{name}: expected text")


def _typed(entry: Json, name: str, wanted: str, notes: Notes) -> None:
    if wanted not in types_of(entry):
        notes.bad("schema", "wrong", f"{name}: expected the type {wanted}, found {sorted(types_of(entry))}")


def _require(entry: Json, name: str, members: tuple[str, ...], notes: Notes) -> None:
    for wanted in members:
        if entry.get(wanted) is None or entry[wanted] in ("", [], {}):
            notes.bad("schema", "missing", f"{name}: {wanted}")


def is_iri(value: object) -> bool:
    """Whether `value` is an absolute address: a scheme, then something."""
    if not isinstance(value, str) or any(letter.isspace() for letter in value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))

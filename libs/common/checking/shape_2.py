"""What an Open Badges 2.0 assertion, BadgeClass, issuer and extension must have (OB 2.0, sections 3 and 4)."""

from __future__ import annotations

import re
from typing import Any, cast

from libs.common.checking.dates import instant_of
from libs.common.checking.dialogue import Json
from libs.common.checking.notes import Notes
from libs.common.checking.recipient import HASHES
from libs.common.checking.shape_3 import is_iri, types_of
from libs.common.checking.strict import array, member, objects

V2 = "https://w3id.org/openbadges/v2"
V1 = ("https://w3id.org/openbadges/v1", "http://standard.openbadges.org/1.1/context.json")
_ISSUER_TYPES = frozenset({"Issuer", "Profile"})
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_DIGESTS = {name: re.compile(rf"[0-9a-fA-F]{{{2 * function().digest_size}}}") for name, function in HASHES.items()}
_PICTURES = ("data:image/png", "data:image/svg+xml")
# The registered extensions: what their own schemas require (https://openbadgespec.org/extensions/).
_EXTENSIONS = {
    "ApplyLink": ("url",),
    "AssessmentExtension": ("description", "assessments"),
    "ExampleExtension": ("exampleProperty",),
    "ExtraDescriptionExtension": ("name", "narrative"),
    "GeoCoordinates": ("description", "geo"),
    "IssuerAccreditation": ("name", "contactInstructions", "url", "address"),
    "LicenseExtension": ("id", "name"),
    "originalCreator": ("url",),
    "OriginalCreator": ("url",),
}
# Their words, as the addresses that they stand for may be written instead.
_WORDS = {"exampleProperty": "http://schema.org/text", "url": "http://schema.org/url"}


def is_assertion(document: Json) -> bool:
    """Whether a JSON document is meant to be an Open Badges 2.0 assertion (or one of 1.x)."""
    if "Assertion" in types_of(document):
        return True
    return "badge" in document and ("recipient" in document or "verify" in document or "verification" in document)


def note_assertion(assertion: Json, notes: Notes) -> None:
    """Note under `schema` what is missing or wrong in an assertion."""
    contexts = array(assertion.get("@context"))
    if V2 not in contexts:
        if any(entry in V1 for entry in contexts):
            notes.unknown("schema", "unsupported", "Open Badges 1.x")
        notes.bad("schema", "context", f"expected {V2}")
    if "Assertion" not in types_of(assertion):
        notes.bad("schema", "type", sorted(types_of(assertion)))
    _require(assertion, "assertion", ("id", "recipient", "badge", "verification", "issuedOn"), notes)
    if not is_iri(assertion.get("id")):
        notes.bad("schema", "wrong", "id: expected an address")
    _note_recipient(assertion.get("recipient"), notes)
    for name in ("issuedOn", "expires"):
        if assertion.get(name) is not None and instant_of(assertion[name]) is None:
            notes.bad(
                "schema", "wrong", f"{name}: expected a date with time and zone, found {str(assertion[name])[:60]}"
            )
    picture = assertion.get("image")
    address = member(picture, "id") if isinstance(picture, dict) else picture
    if picture is not None and (not is_iri(address) or str(address).startswith("data:")):
        notes.bad("schema", "wrong", "image: expected an address")
    for entry in array(assertion.get("evidence")):
        if not is_iri(entry) and not isinstance(entry, dict):
            notes.bad("schema", "wrong", "evidence: expected an address or an object")
    _note_extensions(assertion, notes)


def _note_recipient(recipient: Any, notes: Notes) -> None:
    if recipient is None:
        return
    if not isinstance(recipient, dict):
        notes.bad("schema", "wrong", "recipient: expected an object")
        return
    told = cast(Json, recipient)
    _require(told, "recipient", ("type", "identity", "hashed"), notes)
    if not isinstance(told.get("hashed"), bool) or not isinstance(told.get("identity"), str):
        notes.bad("schema", "wrong", "recipient: expected identity as text, and hashed as true or false")
    elif told["hashed"]:
        name, _, digest = str(told["identity"]).partition("$")
        form = _DIGESTS.get(name.lower())
        if form is None or not form.fullmatch(digest):
            notes.bad("schema", "wrong", f"recipient.identity: expected sha256$… or md5$…, found {name[:20]}$…")


def note_badge_class(badge: Json, notes: Notes) -> None:
    """Note under `schema` what is missing or wrong in a BadgeClass."""
    if "BadgeClass" not in types_of(badge):
        notes.bad("schema", "type", f"badge: expected BadgeClass, found {sorted(types_of(badge))}")
    _require(badge, "badge", ("id", "name", "description", "image", "criteria", "issuer"), notes)
    for name in ("name", "description"):
        if badge.get(name) is not None and not isinstance(badge[name], str):
            notes.bad("schema", "wrong", f"badge.{name}: expected text")
    criteria = badge.get("criteria")
    if criteria is not None and not (is_iri(criteria) or member(criteria, "id") or member(criteria, "narrative")):
        notes.bad("schema", "missing", "badge.criteria: an address, or id or narrative")
    address = picture_of(badge)
    if badge.get("image") is not None and not is_iri(address):
        notes.bad("schema", "wrong", "badge.image: expected an address")
    if address and address.startswith("data:") and not address.startswith(_PICTURES):
        notes.bad("schema", "wrong", f"badge.image: expected PNG or SVG, found {address[:30]}")
    for alignment in array(badge.get("alignment")):
        if not member(alignment, "targetName") or not is_iri(member(alignment, "targetUrl")):
            notes.bad("schema", "missing", "badge.alignment: targetName and targetUrl")
    _note_extensions(badge, notes)


def note_issuer(issuer: Json, notes: Notes) -> None:
    """Note under `schema` what is missing or wrong in an issuer's profile."""
    if not types_of(issuer) & _ISSUER_TYPES:
        notes.bad("schema", "type", f"issuer: expected Issuer or Profile, found {sorted(types_of(issuer))}")
    _require(issuer, "issuer", ("id", "name", "url", "email"), notes)
    if issuer.get("url") is not None and not is_iri(issuer["url"]):
        notes.bad("schema", "wrong", "issuer.url: expected an address")
    if issuer.get("email") is not None and not _EMAIL.fullmatch(str(issuer["email"])):
        notes.bad("schema", "wrong", "issuer.email: expected an e-mail address")
    _note_extensions(issuer, notes)


def picture_of(document: Json) -> str | None:
    """The address of the picture of a document."""
    picture = document.get("image")
    found = member(picture, "id") if isinstance(picture, dict) else picture
    return found if isinstance(found, str) else None


def _note_extensions(document: Json, notes: Notes) -> None:
    for value in document.values():
        for entry in objects(value):
            names = {name.rpartition(":")[2].rpartition("#")[2] for name in types_of(entry)}
            if "Extension" not in types_of(entry) and not any(":" in name for name in types_of(entry)):
                continue
            for name in names & set(_EXTENSIONS):
                written = {word: entry[iri] for word, iri in _WORDS.items() if iri in entry}
                _require({**entry, **written}, name, _EXTENSIONS[name], notes)


def _require(entry: Json, name: str, members: tuple[str, ...], notes: Notes) -> None:
    for wanted in members:
        if entry.get(wanted) is None or entry[wanted] in ("", [], {}):
            notes.bad("schema", "missing", f"{name}: {wanted}")

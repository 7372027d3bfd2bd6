"""The check of an Open Badges 2.0 assertion, hosted or signed (OB 2.0, "Badge Verification").

A hosted assertion is what the issuer's site says now, whatever somebody brought; a signed one is what its key says.
Rules on who may host for an issuer count only as they stand in the profile on the issuer's own site.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from libs.common.checking.dates import note_dates
from libs.common.checking.dialogue import Asking, Fetched, Json, fetch, fetch_in_place
from libs.common.checking.model import Shown
from libs.common.checking.notes import Notes
from libs.common.checking.recipient import Person, note_recipient_2
from libs.common.checking.shape_2 import note_assertion, note_badge_class, note_issuer, picture_of
from libs.common.checking.shape_3 import types_of
from libs.common.checking.signed_2 import check_signed
from libs.common.checking.strict import (
    Fault,
    first_object,
    id_of,
    member,
    read_json,
    texts,
)
from libs.common.checking.tokens import Token

STANDARD = "Open Badges 2.0"
_PNG, _SVG_MARK = b"\x89PNG\r\n\x1a\n", b"<svg"


@dataclass(frozen=True, slots=True)
class Given:
    """An assertion as it was brought: `url` is where it was fetched, if it was; `gone` whether the server said 410."""

    document: Json
    token: Token | None = None
    url: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """The assertion that counts, with the BadgeClass and the issuer that it leads to, as far as they were found."""

    assertion: Json
    badge: Json
    issuer: Json


def check_assertion(given: Given, notes: Notes, now: datetime, person: Person | None) -> Asking[Linked]:
    """Note everything about an assertion."""
    notes.good("well-formed")
    assertion = given.document
    signed = given.token is not None or is_signed(assertion)
    if not signed:
        assertion = yield from _hosted(given, notes)
    note_assertion(assertion, notes)
    badge = yield from _linked(assertion.get("badge"), notes)
    issuer: Json = {}
    if badge:
        note_badge_class(badge, notes)
        issuer = yield from _issuer(badge.get("issuer"), notes)
    if issuer:
        note_issuer(issuer, notes)
    if badge and notes.outcome("schema") != "fail":
        yield from _check_picture(badge, notes)
        yield from _check_picture(assertion, notes)
    if notes.outcome("schema") == "unknown" and badge and issuer:
        notes.good("schema")
    if given.token is not None:
        yield from check_signed(assertion, issuer, given.token, notes)
    elif signed:
        notes.bad("proof", "no-proof", "expected a signed assertion as a token")
    else:
        _note_scope(assertion, issuer, notes)
        _note_hosted_status(assertion, notes)
    note_dates(notes, now, assertion.get("issuedOn"), assertion.get("expires"))
    recipient = assertion.get("recipient")
    note_recipient_2(cast(Json, recipient) if isinstance(recipient, dict) else {}, person, notes)
    return Linked(assertion, badge, issuer)


def shown_of(linked: Linked) -> Shown:
    """What the assertion says, for people."""
    criteria = linked.badge.get("criteria")
    told = member(criteria, "narrative") or member(criteria, "id") if isinstance(criteria, dict) else criteria
    return Shown(
        *(_text(value) for value in (
            linked.badge.get("name"), linked.badge.get("description"), told, linked.issuer.get("id"),
            linked.issuer.get("name"), linked.assertion.get("id"), linked.assertion.get("issuedOn"),
            linked.assertion.get("expires"), id_of(linked.assertion.get("badge")),
        ))
    )  # fmt: skip


def _text(value: Any) -> str:
    return value[:4000] if isinstance(value, str) else ""


def is_signed(assertion: Json) -> bool:
    """Whether an assertion says that it is to be verified by its signature, and not by its address."""
    verification = assertion.get("verification", assertion.get("verify"))
    return bool(types_of(verification) & {"SignedBadge", "signed"})


def check_hosted(address: str, notes: Notes) -> Asking[None]:
    """Note under `status` whether the assertion that is hosted at `address` still is, and was not revoked."""
    assertion = yield from _hosted(Given({"id": address}), notes)
    _note_hosted_status(assertion, notes)


def profile_at(address: str, notes: Notes) -> Asking[Json]:
    """The issuer's profile at its own address; empty when it could not be had."""
    return (yield from _document_at(address, notes, vouches=True))


def _hosted(given: Given, notes: Notes) -> Asking[Json]:
    """The assertion as the issuer's site has it, noted under `proof`."""
    address = id_of(given.document) or ""
    if given.url == address:
        notes.good("proof", "hosted")
        if given.gone:
            notes.bad("status", "revoked", "410")
        return given.document
    if not address.startswith(("https://", "http://")):
        notes.bad("proof", "not-hosted", f"expected an address as id, found {address[:100]}")
        return given.document
    answer = yield from fetch_in_place(address)
    if not isinstance(answer, Fetched):
        notes.unknown("proof", "not-reachable", f"{address}: {answer.reason} {answer.detail}".strip())
        return given.document
    hosted = read_json(answer.content)
    if answer.status == 410:
        notes.good("proof", "hosted")
        notes.bad("status", "revoked", "410")
        return given.document if isinstance(hosted, Fault) else {**given.document, **hosted}
    if not answer.ok or isinstance(hosted, Fault):
        sure = answer.gone or answer.ok
        reason = "not-hosted" if sure else "not-reachable"
        (notes.bad if sure else notes.unknown)("proof", reason, f"{address}: {answer.status}")
        return given.document
    different = next((name for name in given.document if _differs(given.document[name], hosted.get(name))), None)
    if different is not None or id_of(hosted) != address:
        notes.bad("proof", "differs", different or "id")
    else:
        notes.good("proof", "hosted")
    return hosted


def _differs(given: Any, hosted: Any) -> bool:
    if isinstance(given, dict) != isinstance(hosted, dict):
        return id_of(given) != id_of(hosted)  # the one form links to what the other holds
    return given != hosted


def _linked(value: Any, notes: Notes) -> Asking[Json]:
    """The BadgeClass that `value` is or names; empty when it could not be had."""
    if isinstance(value, dict):
        return cast(Json, value)
    if not isinstance(value, str):
        return {}
    return (yield from _document_at(value, notes))


def _issuer(value: Any, notes: Notes) -> Asking[Json]:
    """The issuer's profile, from its own site: a copy that somebody else embedded could say anything."""
    address = id_of(value)
    if address is None or not address.startswith(("https://", "http://")):
        notes.bad("schema", "wrong", "issuer: expected the address of a profile")
        return cast(Json, value) if isinstance(value, dict) else {}
    return (yield from _document_at(address, notes, vouches=True))


def _document_at(url: str, notes: Notes, *, vouches: bool = False) -> Asking[Json]:
    """The document at `url`; `vouches` says whether its place alone vouches for it."""
    answer = yield from (fetch_in_place if vouches else fetch)(url)
    if not isinstance(answer, Fetched):
        notes.unknown("schema", "linked-unreachable", f"{url}: {answer.reason} {answer.detail}".strip())
        return {}
    if not answer.ok:
        note, reason = (notes.bad, "linked-missing") if answer.gone else (notes.unknown, "linked-unreachable")
        note("schema", reason, f"{url}: {answer.status}")
        return {}
    document = read_json(answer.content)
    if isinstance(document, Fault):
        notes.bad("schema", document.reason, f"{url}: {document.more}")
        return {}
    if document.get("id") != url:
        notes.bad("schema", "wrong", f"{url}: expected it to be its own id, found {str(document.get('id'))[:100]}")
    return document


def _check_picture(document: Json, notes: Notes) -> Asking[None]:
    """A picture that is not there, or none, is a fault; one that cannot be reached now is not."""
    url = picture_of(document)
    if url is None or url.startswith("data:"):
        return
    answer = yield from fetch(url, "image/png, image/svg+xml, */*;q=0.1")
    if not isinstance(answer, Fetched):
        return
    if answer.gone:
        notes.bad("schema", "linked-missing", f"{url}: {answer.status}")
    elif answer.ok and not (answer.content.startswith(_PNG) or _SVG_MARK in answer.content[:4096]):
        notes.bad("schema", "wrong", f"{url}: expected PNG or SVG")


def _note_scope(assertion: Json, issuer: Json, notes: Notes) -> None:
    """Whether the issuer lets assertions be hosted where this one is (OB 2.0, "Hosted Verification")."""
    if not issuer or notes.outcome("proof") != "pass":
        return
    address, own = str(assertion.get("id")), urlsplit(str(issuer.get("id")))
    policy = first_object(issuer.get("verification"))
    starts = texts(policy.get("startsWith"))
    origins = [entry.rpartition("//")[2].rstrip("/") for entry in texts(policy.get("allowedOrigins"))] or [own.netloc]
    host = urlsplit(address).netloc
    if host not in origins or (starts and not any(address.startswith(start) for start in starts)):
        notes.bad("key", "other-site", f"expected {starts or origins}, found {address[:200]}")
    else:
        notes.good("key", "site")


def _note_hosted_status(assertion: Json, notes: Notes) -> None:
    if assertion.get("revoked") is True:
        notes.bad("status", "revoked", assertion.get("revocationReason") or "")
    elif notes.outcome("proof") == "pass":
        notes.good("status")

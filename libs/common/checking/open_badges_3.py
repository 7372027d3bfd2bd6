"""The check of an Open Badges 3.0 credential, an endorsement or a CLR, embedded proof or token (OB 3.0, section 8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from libs.common.checking.dates import instant_of, note_dates, numeric_date, told_in
from libs.common.checking.dialogue import Asking, Json
from libs.common.checking.embedded import check_proofs
from libs.common.checking.model import Finding, Shown
from libs.common.checking.notes import Notes
from libs.common.checking.recipient import Person, note_recipient_3
from libs.common.checking.shape_3 import CLR, note_shape, standard_of
from libs.common.checking.status import check_status
from libs.common.checking.strict import Fault, array, first_object, id_of, member
from libs.common.checking.tokens import Token, check_token, header_fault, read_token
from libs.common.credentials.clr import MOST_BADGES

_MAX_PARTS = 50
# As many as a record of ours holds (`clr.MOST_BADGES`).
_MAX_BADGES = MOST_BADGES
_MAX_NESTING = 2
# Of VCDM 2.0 and of 1.1.
_BEGINS, _ENDS = ("validFrom", "issuanceDate"), ("validUntil", "expirationDate")


def check_credential(
    document: Json, token: Token | None, notes: Notes, now: datetime, *, person: Person | None = None, nesting: int = 0
) -> Asking[str | None]:
    """Note everything about `document`, which came in `token` if that is not None. Returns its standard."""
    notes.good("well-formed")
    standard = standard_of(document)
    note_shape(document, standard, notes)
    issuer = id_of(document.get("issuer")) or ""
    if token is not None:
        _note_claims(document, token, notes)
        yield from check_token(token, document, issuer, notes)
    elif not notes.failed("schema") or document.get("proof") is None:
        yield from check_proofs(document, issuer, notes, now)
    _note_left_out(document, notes)
    note_dates(
        notes, now,
        told_in(document, _BEGINS, None if token is None else token.payload.get("nbf")),
        told_in(document, _ENDS, None if token is None else token.payload.get("exp")),
    )  # fmt: skip
    if notes.failed("proof", "key", "schema"):
        return standard  # nothing that a stranger wrote is worth another question
    yield from check_status(document, issuer, notes, now)
    subject = first_object(document.get("credentialSubject"))
    note_recipient_3(subject, person, notes)
    if nesting < _MAX_NESTING:
        yield from _check_parts(document, standard, notes, now, nesting)
    return standard


def _note_left_out(document: Json, notes: Notes) -> None:
    """Where a holder may leave parts out, that an end or a status list is not shown does not say that there is none."""
    if notes.reason("proof") != "disclosed":
        return
    if document.get("credentialStatus") is None:
        notes.unknown("status", "no-status-shown")
    if told_in(document, _ENDS, None) is None:
        notes.unknown("dates", "no-end-shown")


def credential_of(token: Token) -> Json | Fault:
    """The credential in a VC-JWT: the payload itself, or its `vc` (VCDM 1.1, section 6.3.1)."""
    within = token.payload.get("vc")
    if within is None:
        return {name: value for name, value in token.payload.items() if name not in _CLAIMS}
    if not isinstance(within, dict):
        return Fault("malformed", "vc: expected an object")
    return cast(Json, within)


_CLAIMS = frozenset({"iss", "sub", "jti", "nbf", "exp", "iat", "aud", "cnf"})


def _note_claims(document: Json, token: Token, notes: Notes) -> None:
    """The registered claims must say what the credential says (OB 3.0, section 8.2.4.2)."""
    claims = token.payload
    subject = first_object(document.get("credentialSubject"))
    for name, told in (("iss", id_of(document.get("issuer"))), ("jti", document.get("id")), ("sub", subject.get("id"))):
        if claims.get(name) is not None and told is not None and claims[name] != told:
            notes.bad("proof", "claims", f"{name}: {str(claims[name])[:100]} is not {str(told)[:100]}")
    for name, members in (("nbf", _BEGINS), ("exp", _ENDS)):
        told = told_in(document, members, None)
        found, expected = numeric_date(claims.get(name)), instant_of(told)
        if claims.get(name) is not None and (
            found is None or (expected and abs(found - expected).total_seconds() >= 1)
        ):
            notes.bad("proof", "claims", f"{name}: {claims[name]} is not {told}")


def _check_parts(document: Json, standard: str | None, notes: Notes, now: datetime, nesting: int) -> Asking[None]:
    """Every credential within must hold on its own: endorsements (OB 3.0, section 8.4), and the badges of a CLR."""
    subject = first_object(document.get("credentialSubject"))
    achievement, issuer = member(subject, "achievement"), document.get("issuer")
    holders = [document, subject, achievement, issuer]
    parts: list[Any] = [part for holder in holders for part in array(member(holder, "endorsement"))]
    parts += [token for holder in holders for token in array(member(holder, "endorsementJwt"))]
    badges: list[Any] = []
    if standard == CLR:
        badges += array(subject.get("verifiableCredential")) + array(subject.get("compactJwsString"))
    if len(parts) > _MAX_PARTS or len(badges) > _MAX_BADGES:
        notes.unknown("parts", "too-many-parts", len(parts) + len(badges))
        return
    for part in parts + badges:
        own = Notes()
        yield from _check_part(part, own, now, nesting)
        _note_part(part, own.findings(), notes)


def _note_part(part: Any, found: tuple[Finding, ...], notes: Notes) -> None:
    """What a credential within means for the whole. One that was withdrawn or has ended is genuine all the same: what
    holds it is out of date then, and not false (B6)."""
    failed = [finding for finding in found if finding.outcome == "fail"]
    false = next((finding for finding in failed if finding.reason not in _OUT_OF_DATE), None)
    unsure = next((f for f in found if f.outcome == "unknown" and f.name != "issuer"), None)
    name = id_of(part) or ""
    for finding in failed:
        if finding.reason in _OUT_OF_DATE:
            notes.bad(finding.name, _OUT_OF_DATE[finding.reason], f"{name} {finding.reason} {finding.more}"[:300])
    if false:
        notes.bad("parts", "part-false", f"{name} {false.name}: {false.reason} {false.more}"[:300])
    elif unsure:
        notes.unknown("parts", "part-unknown", f"{name} {unsure.name}: {unsure.reason}"[:300])
    else:
        notes.good("parts")


_OUT_OF_DATE = {
    "revoked": "part-withdrawn", "suspended": "part-withdrawn", "expired": "part-ended", "not-yet": "part-ended",
    "part-withdrawn": "part-withdrawn", "part-ended": "part-ended",
}  # fmt: skip


def _check_part(part: Any, own: Notes, now: datetime, nesting: int) -> Asking[None]:
    if isinstance(part, str):
        token = read_token(part.encode("utf-8", "replace"))
        document = token if isinstance(token, Fault) else header_fault(token) or credential_of(token)
        if isinstance(document, Fault) or isinstance(token, Fault):
            own.bad("well-formed", "malformed", part[:40])
            return
        yield from check_credential(document, token, own, now, nesting=nesting + 1)
    elif isinstance(part, dict):
        yield from check_credential(cast(Json, part), None, own, now, nesting=nesting + 1)
    else:
        own.bad("well-formed", "malformed", str(part)[:40])


def shown_of(document: Json) -> Shown:
    """What the credential says, for people."""
    subject = first_object(document.get("credentialSubject"))
    achievement = member(subject, "achievement")
    name = member(achievement, "name") or document.get("name") or member(subject, "endorsementComment")
    criteria = member(member(achievement, "criteria"), "narrative") or member(member(achievement, "criteria"), "id")
    return Shown(
        _text(name), _text(member(achievement, "description") or document.get("description")), _text(criteria),
        _text(id_of(document.get("issuer"))), _text(member(document.get("issuer"), "name")), _text(document.get("id")),
        _text(document.get("validFrom", document.get("issuanceDate"))),
        _text(document.get("validUntil", document.get("expirationDate"))), _text(id_of(achievement)),
    )  # fmt: skip


def _text(value: Any) -> str:
    return value[:4000] if isinstance(value, str) else ""

"""What becomes of a badge that a learner brings (B12): whether it is taken, counts, and for how long. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter

from libs.common.checking import open_badges_3
from libs.common.checking.dates import instant_of
from libs.common.checking.model import Judgement, Shown
from libs.common.checking.reading import Carried, read
from libs.common.checking.strict import Fault, id_of, objects, read_json
from libs.common.checking.tokens import read_token
from libs.common.checking.watching import watch_of
from libs.common.contracts.contract import Uri
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.identifiers import did_web
from services.awarding.model import ForeignBadge, Import, LossCause, NotImported

_URI: TypeAdapter[str] = TypeAdapter(Uri)
_STANDARDS = ("Open Badges 2.0", "Open Badges 3.0")
_FIRST_RETRY, _LONGEST_RETRY = timedelta(minutes=5), timedelta(days=1)
# With waits that double up to a day: about two weeks.
MOST_RETRIES = 20
_MOST_ADDRESSES, _LONGEST_ADDRESS = 10, 320
# Of a badge that counts, only these words of its issuer cost it; anything else may be a fault on the way (B6).
_LOSSES: Mapping[tuple[str, str], LossCause] = {
    ("status", "revoked"): "revoked",
    ("status", "suspended"): "suspended",
    ("dates", "expired"): "expired",
    ("key", "key-revoked"): "revoked",
    # Its key was withdrawn, and the issuer's own record shows that it was not signed before (B8).
    ("key", "not-logged-before"): "revoked",
    ("key", "not-as-logged"): "revoked",
}
_FINAL = ("revoked", "expired")
OWN_BADGE = NotImported("own-badge", "Expected a badge of another issuer: our own badges count by themselves.")
UNBOUND = NotImported(
    "unbound", "Expected a badge that names your registered e-mail address; say to which address it was awarded."
)
TAKEN_BACK = NotImported("taken-back", "The learner took it back.")
_UNCLEAR = "unclear: Nobody can tell yet whether it is genuine; it is tried again."


def decide_import(judgement: Judgement, addresses: Addresses) -> ForeignBadge | NotImported | None:
    """What a badge that was brought says, or why it is not taken; None while nobody can tell."""
    if judgement.answer == "nothing-found":
        return NotImported("nothing-found", "There is no badge in this.")
    if judgement.answer == "not-genuine":
        reasons = {finding.name: finding.reason for finding in judgement.findings if finding.outcome == "fail"}
        why = "other-recipient" if set(reasons) == {"recipient"} else "not-genuine"
        return NotImported(why, f"{judgement.sentence}.")
    if judgement.standard and judgement.standard not in _STANDARDS:
        return NotImported("no-badge", f"Expected a badge, found {judgement.standard}.")
    if judgement.shown is not None and is_own(judgement.shown.issuer_id, addresses):
        return OWN_BADGE
    if judgement.answer == "cannot-tell":
        return None
    assert judgement.shown is not None
    badge = _badge(judgement.shown, judgement.standard)
    return badge if _is_uri(badge.issuer) else NotImported("no-badge", "Expected a URI as the issuer's id.")


def is_own(issuer: str, addresses: Addresses) -> bool:
    """Whether an issuer's id, or the address of a badge, is one of this deployment."""
    return (issuer + "/").startswith(addresses.base_url + "/") or (issuer + ":").startswith(
        did_web(addresses.base_url) + ":"
    )


def issuer_named(content: bytes) -> str:
    """Whom the badge in `content` names as its issuer, or the address that it is; empty where that cannot be told.

    Nothing of it is checked: it only spares the work for our own badges.
    """
    carried = read(content)
    if not isinstance(carried, Carried):
        return ""
    if carried.kind == "url":
        return carried.content.decode("ascii", "replace")
    document = document_in(carried)
    return id_of(document.get("issuer")) or id_of(document.get("badge")) or ""


def addresses_named(content: bytes) -> tuple[str, ...]:
    """The e-mail addresses that an Open Badges 3.0 badge names its recipient by, as they are written; not hashed ones.

    Nothing of it is checked: whether the badge is a person's is for the verification to say.
    """
    carried = read(content)
    if not isinstance(carried, Carried) or carried.kind == "url":
        return ()
    found: list[str] = []
    for subject in objects(document_in(carried).get("credentialSubject")):
        own = id_of(subject.get("id")) or ""
        if own.startswith("mailto:"):
            found.append(own.removeprefix("mailto:"))
        for entry in objects(subject.get("identifier")):
            identity = entry.get("identityHash")
            if entry.get("hashed") is not True and entry.get("identityType") in ("email", "emailAddress"):
                found += [identity] if isinstance(identity, str) else []
    return tuple(dict.fromkeys(address for address in found if 0 < len(address) <= _LONGEST_ADDRESS))[:_MOST_ADDRESSES]


def document_in(carried: Carried) -> dict[str, Any]:
    """The badge that was carried, as it says itself: nothing of it is checked. Empty where it cannot be read."""
    document: dict[str, Any] | Fault
    if carried.kind == "jws":
        token = read_token(carried.content)
        document = token if isinstance(token, Fault) else open_badges_3.credential_of(token)
    else:
        document = read_json(carried.content)
    return {} if isinstance(document, Fault) else document


def decide_claim(imported: Import, *, is_email_known: bool) -> NotImported | None:
    """Why a genuine badge is not counted as the learner's, if it is not.

    `is_email_known`: the badge was checked against the e-mail address that the learner is registered with.
    """
    if imported.is_vouched or is_email_known:
        return None
    return NotImported("not-yours", "Expected a badge awarded to the e-mail address that you are registered with.")


def decide_recheck(imported: Import, judgement: Judgement, now: datetime) -> Literal["holds", "unknown"] | LossCause:
    """What another look at an imported badge says. What cannot be told changes nothing (B6)."""
    until = None if imported.badge is None else imported.badge.valid_until
    if until is not None and until < now:
        return "expired"
    if judgement.answer == "genuine":
        return "holds"
    for finding in judgement.findings:
        cause = _LOSSES.get((finding.name, finding.reason))
        if finding.outcome == "fail" and cause is not None and judgement.answer == "not-genuine":
            return cause
        # Of one that is watched without the badge itself, its issuer's word is all that is asked for.
        if imported.brought is None and (finding.name, finding.outcome) == ("status", "pass"):
            return "holds"
    return "unknown"


def next_look(imported: Import, now: datetime, every: timedelta) -> datetime | None:
    """When to look at an import again: what may change at its source, and what could not be told yet."""
    if imported.state == "unclear":
        if imported.cause is not None:  # it waits for a person
            return None
        wait = min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** min(imported.checks, 12))
        return now + wait if imported.checks < MOST_RETRIES else None
    if imported.state not in ("genuine", "counting", "lost") or imported.cause in _FINAL:
        return None
    until = None if imported.badge is None else imported.badge.valid_until
    if imported.brought is None and watch_in(imported) == {}:  # all that is known of it is its end
        return None if until is None or until < now else until + timedelta(seconds=1)
    soon = now + every
    return soon if until is None or until < now else min(soon, until + timedelta(seconds=1))


def watched(imported: Import) -> Import:
    """An import that counts, with what its issuer is asked again, as far as the badge itself is here to say."""
    if imported.brought is None:
        return imported
    return replace(imported, watch=orjson.dumps(watch_of(imported.brought), option=orjson.OPT_SORT_KEYS))


def watch_in(imported: Import) -> dict[str, Any]:
    """What the issuer of an import is asked again; empty if that is not known, or nothing."""
    return {} if imported.watch is None else orjson.loads(imported.watch)


def is_as_seen(imported: Import, seen: Import) -> bool:
    """Whether what a source was asked about is still so; else the answer is dropped, and the import stays due.

    Of one that nobody could tell about, a word on whose it is may have come meanwhile: `seen` was leased, and whoever
    says something ends the lease.
    """
    same = (imported.state, imported.digest, imported.person, imported.is_vouched) == (
        seen.state, seen.digest, seen.person, seen.is_vouched
    )  # fmt: skip
    return same and (imported.state != "unclear" or imported.next_check_at == seen.next_check_at)


def refused(imported: Import, why: NotImported) -> Import:
    """An import that is given up: nothing that names a person is left of it."""
    return replace(
        imported, state="refused", cause=f"{why.why}: {why.detail}", brought=None, later=None, person=None,
        next_check_at=None, watch=None,
    )  # fmt: skip


def unbound(imported: Import) -> Import:
    """A pushed badge of which nobody knows whether it is the learner's: it waits until that is said."""
    return replace(imported, cause=f"{UNBOUND.why}: {UNBOUND.detail}", next_check_at=None)


def renewed(imported: Import, content: bytes) -> Import:
    """An import in whose place another badge was pushed, which is to be looked at like a new one."""
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return replace(
        imported, state="unclear", brought=content, digest=digest, later=None, badge=None, cause=None, checks=0,
        person=None, is_vouched=False, watch=None,
    )  # fmt: skip


def reason_of(imported: Import) -> str:
    """Why a pushed badge does not count, or not yet: a short code, a colon and a sentence."""
    return imported.cause or _UNCLEAR


def import_told(imported: Import) -> dict[str, Any]:
    """An import as plain JSON values."""
    badge = imported.badge
    return {
        "import_id": str(imported.import_id),
        "learner_id": imported.learner_id,
        "state": imported.state,
        "cause": imported.cause,
        "digest": imported.digest,
        "badge": None
        if badge is None
        else {
            "name": badge.name,
            "issuer": badge.issuer,
            "issuer_name": badge.issuer_name,
            "achievement": badge.achievement,
            "credential": badge.credential,
            "standard": badge.standard,
            "valid_from": badge.valid_from,
            "valid_until": badge.valid_until,
        },
        "asked_at": imported.asked_at,
        "checked_at": imported.checked_at,
        "next_check_at": imported.next_check_at,
    }


def _badge(shown: Shown, standard: str) -> ForeignBadge:
    achievement = shown.achievement_id
    return ForeignBadge(
        issuer=shown.issuer_id,
        issuer_name=_text(shown.issuer_name)[:300] or None,
        achievement=achievement if _is_uri(achievement) else None,
        credential=_text(shown.credential_id) or None,
        name=_text(shown.name)[:300] or shown.issuer_id[:300],
        standard=standard,
        valid_from=_in_utc(shown.issued_at),
        valid_until=_in_utc(shown.expires_at),
    )


def _in_utc(text: object) -> datetime | None:
    """The instant that `text` writes; None where it lies beyond the years 1 to 9999, which nobody can keep."""
    instant = instant_of(text)
    try:
        return None if instant is None else instant.astimezone(UTC)
    except OverflowError:
        return None


def _text(text: str) -> str:
    # U+0000 is the one character that PostgreSQL cannot keep.
    return text.replace("\0", "")


def _is_uri(text: str) -> bool:
    try:
        _URI.validate_python(text)
    except ValueError:
        return False
    return True

"""A badge whose key was withdrawn after it says that it was signed: what the issuer's log of issuance shows (B8).

Whoever has a stolen key dates a forgery as early as they like, so the badge itself tells nothing. A deployment knows
its own record first-hand. Of another's the badge names the place: its bundle lies beside it, at `<its id>/bundle`,
and counts only if that is on the issuer's own site, as the issuer's keys do. What cannot be reached is unknown, and
never valid.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import orjson

from libs.common.checking.bundle import MEDIA_TYPE, check_log, read_bundle
from libs.common.checking.dialogue import (
    Asking,
    Canonical,
    Fetched,
    Json,
    Recorded,
    canonicalise,
    fetch,
    recall,
)
from libs.common.checking.notes import Notes
from libs.common.checking.strict import Fault, read_json
from libs.common.credentials.identifiers import did_web_url


def note_withdrawn_key(document: Json, issuer: str, revoked_at: datetime, notes: Notes) -> Asking[None]:
    """Note under `key` whether `document` is proven to be older than `revoked_at`, when its key was withdrawn.

    It holds a signature by that key, dated before. `issuer` is the id whose key it is.
    """
    record = yield from _record_of(document, issuer)
    if isinstance(record, Fault):
        notes.unknown("key", *record)
        return
    if record.credential is None:
        # A record may be behind, or the learner's erased: that there is none proves no forgery.
        notes.unknown("key", "key-revoked-later", "no record of it")
        return
    same = yield from _says_the_same(document, record.credential)
    if same is None:
        notes.unknown("key", "key-revoked-later", "its record cannot be compared with it")
    elif not same:
        notes.bad("key", "not-as-logged")
    elif record.since is None or record.since >= revoked_at:
        notes.bad("key", "not-logged-before", "" if record.since is None else record.since.isoformat())
    else:
        notes.good("key", "key-logged")


def _record_of(document: Json, issuer: str) -> Asking[Recorded | Fault]:
    """What the issuer's record says, first-hand or by its bundle; a fault says why nobody can tell."""
    credential_id = document.get("id")
    if not isinstance(credential_id, str):
        return Fault("key-revoked-later", "")
    known = yield from recall(credential_id, issuer)
    if isinstance(known, Recorded):
        return known
    url = _bundle_url(credential_id, issuer)
    return Fault("key-revoked-later", credential_id[:200]) if url is None else (yield from _bundled(url))


def _bundled(url: str) -> Asking[Recorded | Fault]:
    """What the bundle at `url` proves."""
    answer = yield from fetch(url, MEDIA_TYPE)
    if not isinstance(answer, Fetched):
        return Fault("log-unreachable", f"{url}: {answer.reason} {answer.detail}".strip())
    if not answer.ok:
        return Fault("key-revoked-later" if answer.gone else "log-unreachable", f"{url}: {answer.status}")
    bundle = read_bundle(answer.content)
    if isinstance(bundle, Fault):
        return Fault("log-unproven", f"{url}: {bundle.more}")
    logged = check_log(bundle, ())
    if logged.outcome == "fail" or (logged.outcome == "pass" and logged.at is None):
        return Fault("log-unproven", f"{url}: {logged.detail}")
    return Recorded(bundle.credential, logged.at)


def _bundle_url(credential_id: str, issuer: str) -> str | None:
    """Where the bundle of a credential lies, if that is on its issuer's own site: elsewhere it proves nothing."""
    try:
        site = urlsplit(did_web_url(issuer) if issuer.startswith("did:web:") else issuer).netloc
        own = urlsplit(credential_id)
    except ValueError:
        return None
    named = own.scheme in ("https", "http") and not own.query and not own.fragment
    return f"{credential_id}/bundle" if named and site and own.netloc == site else None


def _says_the_same(document: Json, signed: bytes) -> Asking[bool | None]:
    """Whether `document` says what the `signed` credential says, however it is written; None if nobody can tell."""
    kept = read_json(signed)
    if isinstance(kept, Fault):
        return None
    claims, own = _claims(document), _claims(kept)
    # As text: 1, 1.0 and True are equal as values.
    if orjson.dumps(claims, option=orjson.OPT_SORT_KEYS) == orjson.dumps(own, option=orjson.OPT_SORT_KEYS):
        return True
    answer = yield from canonicalise(claims, own)
    return answer.texts[0] == answer.texts[1] if isinstance(answer, Canonical) else None


def _claims(document: Json) -> Json:
    return {name: told for name, told in document.items() if name != "proof"}

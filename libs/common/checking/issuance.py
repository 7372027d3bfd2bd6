"""A badge whose key was withdrawn after it says that it was signed: what the issuer's log of issuance shows (B8).

Whoever has a stolen key dates a forgery as early as they like, so the badge itself tells nothing. A deployment knows
its own record first-hand. Of another's the badge names the place: its bundle lies beside it, at `<its id>/bundle`,
and counts only if that is a place of the issuer's, and its log is signed with a key that lies there, at `log/key`,
where older ones follow the newest: anybody can keep a log of their own, and name its key in the bundle. What cannot be
reached is unknown, and never valid.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import orjson

from libs.common.checking.bundle import MEDIA_TYPE, Bundle, check_log, read_bundle
from libs.common.checking.dialogue import (
    Asking,
    Canonical,
    Fetched,
    Json,
    Recorded,
    canonicalise,
    fetch_in_place,
    recall,
)
from libs.common.checking.notes import Notes
from libs.common.checking.places import folder_of_did, is_under
from libs.common.checking.strict import Fault, read_json

_TEXT = "text/plain"


class Place(NamedTuple):
    """The folder in which an issuer's badges lie, with a slash at its end, and the address of their log's keys."""

    badges: str
    log_key: str


def note_withdrawn_key(
    document: Json, issuer: str, revoked_at: datetime, notes: Notes, *, whole: bool = True
) -> Asking[None]:
    """Note under `key` whether `document` is proven to be older than `revoked_at`, when its key was withdrawn.

    It holds a signature by that key, dated before. `issuer` is the id whose key it is; `whole` is
    whether all that was signed is in it: what its holder left out cannot be compared with the record.
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
    if same is None or (not same and not whole):
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
    place = place_of(issuer)
    if place is None or not is_under(credential_id, place.badges) or set(credential_id) & set("?#"):
        return Fault("key-revoked-later", credential_id[:200])
    return (yield from _bundled(f"{credential_id}/bundle", place.log_key))


def _bundled(url: str, log_key: str) -> Asking[Recorded | Fault]:
    """What the bundle at `url` proves by a log with one of the keys that lie at `log_key`."""
    answer = yield from fetch_in_place(url, MEDIA_TYPE)
    if not isinstance(answer, Fetched):
        return Fault("log-unreachable", f"{url}: {answer.reason} {answer.detail}".strip())
    if not answer.ok:
        return Fault("key-revoked-later" if answer.gone else "log-unreachable", f"{url}: {answer.status}")
    bundle = _bundle_in(answer)
    if isinstance(bundle, Fault):
        return Fault("log-unproven", f"{url}: {bundle.more}")
    keys = yield from fetch_in_place(log_key, _TEXT)
    if not isinstance(keys, Fetched) or not keys.ok:
        return Fault("log-unreachable", f"{log_key}: no key of the log")
    logged = check_log(bundle, _verifier_keys(keys.content))
    if logged.outcome == "fail" or (logged.outcome == "pass" and logged.at is None):
        return Fault("log-unproven", f"{url}: {logged.detail}")
    return Recorded(bundle.credential, logged.at)


def _bundle_in(answer: Fetched) -> Bundle | Fault:
    # Where a site keeps what strangers upload, it is not served as a bundle.
    if answer.media_type.partition(";")[0].strip() != MEDIA_TYPE:
        return Fault("malformed", f"expected {MEDIA_TYPE}, found {answer.media_type[:80]}")
    return read_bundle(answer.content)


def _verifier_keys(content: bytes) -> list[str]:
    """The log's keys, one a line; never none, which `check_log` would take as any."""
    return content.decode("utf-8", "replace").split() or [""]


def place_of(issuer: str) -> Place | None:
    """Where the issuer's own badges and the key of their log lie, None if its id is no address.

    An issuer `<base>/issuers/<name>` is one of a deployment at `<base>`, whose badges are all at `<base>/badges/`. Any
    other has what is in the folder of its id: the rest of the host may be somebody else's.
    """
    if issuer.startswith("did:web:"):
        folder = folder_of_did(issuer)
    elif issuer.startswith("https://") and not set(issuer) & set("?#"):
        folder = issuer.rstrip("/") + "/"
    else:
        return None
    site, issuers, name = folder[:-1].rpartition("/issuers/")
    if issuers and "/" not in name:
        return Place(f"{site}/badges/", f"{site}/log/key")
    return Place(folder, f"{folder}log/key")


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

"""Whether the issuer withdrew a credential: Bitstring Status Lists, and 1EdTech's revocation lists.

A list that cannot be reached leaves the answer unknown (B6). A list that is there but not the issuer's, or not
whole, is worse: somebody wants it to be read.
"""

from __future__ import annotations

from datetime import datetime

from libs.common.checking.dates import instant_of, told_in
from libs.common.checking.dialogue import Asking, Fetched, Json, fetch, fetch_in_place
from libs.common.checking.embedded import check_proofs
from libs.common.checking.notes import Notes
from libs.common.checking.reading import read
from libs.common.checking.strict import Fault, array, first_object, id_of, member, objects, read_json
from libs.common.checking.tokens import check_token, read_token
from libs.common.credentials.status_list import MIN_ENTRIES, NotAStatusList, decode, is_set

_MAX_ENTRIES = 4
_PURPOSES = {"revocation": "revoked", "suspension": "suspended"}
_BITSTRING = frozenset({"BitstringStatusListEntry", "StatusList2021Entry"})
_REVOCATIONS = "1EdTechRevocationList"
_ASKED = ("type", "statusPurpose", "statusListIndex", "statusListCredential", "statusSize")
_LISTS = frozenset({"BitstringStatusListCredential", "StatusList2021Credential"})


def check_status(document: Json, issuer: str, notes: Notes, now: datetime) -> Asking[None]:
    """Note under `status` whether the credential `document` of `issuer` was withdrawn."""
    entries = array(document.get("credentialStatus"))
    if not entries:
        notes.good("status", "no-status")
        return
    if len(entries) > _MAX_ENTRIES or len(objects(entries)) != len(entries):
        notes.unknown("status", "status-kind", f"{len(entries)} entries")
        return
    for entry in objects(entries):
        kind = str(entry.get("type"))
        if kind in _BITSTRING:
            yield from _check_bitstring(entry, issuer, notes, now)
        elif kind == _REVOCATIONS:
            yield from _check_revocations(entry, id_of(document), issuer, notes)
        else:
            notes.unknown("status", "status-kind", kind[:80])


def entries_asked(document: Json) -> tuple[list[Json], bool]:
    """Of the credential's status entries what is asked about, and whether a list names the credential by its id."""
    entries = objects(document.get("credentialStatus"))
    by_name = any(str(entry.get("type")) == _REVOCATIONS for entry in entries)
    return [
        {name: entry[name] for name in _asked_of(entry) if _is_plain(entry.get(name))} for entry in entries
    ], by_name


def _asked_of(entry: Json) -> tuple[str, ...]:
    # The id of any other entry says nothing more: it is the entry's own name, and of no use.
    return ("type", "id") if str(entry.get("type")) == _REVOCATIONS else _ASKED


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int)


def _content(url: object, notes: Notes, *, vouches: bool = False) -> Asking[bytes | None]:
    """What lies at `url`; `vouches` says whether its place alone vouches for it, as for an unsigned list."""
    if not isinstance(url, str) or not url:
        notes.bad("status", "status-malformed", "expected the address of a list")
        return None
    answer = yield from (fetch_in_place if vouches else fetch)(url)
    if not isinstance(answer, Fetched):
        notes.unknown("status", "status-unreachable", f"{url}: {answer.reason} {answer.detail}".strip())
    elif answer.gone:
        notes.unknown("status", "status-missing", f"{url}: {answer.status}")
    elif not answer.ok:
        notes.unknown("status", "status-unreachable", f"{url}: {answer.status}")
    else:
        return answer.content
    return None


def _check_bitstring(entry: Json, issuer: str, notes: Notes, now: datetime) -> Asking[None]:
    content = yield from _content(entry.get("statusListCredential"), notes)
    if content is None:
        return
    lists = yield from _verified_list(content, issuer, notes, now)
    if lists is None:
        return
    subject = lists.get("credentialSubject")
    purpose = str(entry.get("statusPurpose"))
    if purpose not in array(member(subject, "statusPurpose")):
        notes.bad("status", "status-purpose", f"expected {purpose}, found {member(subject, 'statusPurpose')}")
        return
    index = _index(entry.get("statusListIndex"))
    if entry.get("statusSize", 1) != 1:
        notes.unknown("status", "status-kind", f"statusSize {entry.get('statusSize')}")
        return
    try:
        bits = decode(_multibase(member(subject, "encodedList")), min_entries=1)
        told = is_set(bits, index)
    except NotAStatusList as fault:
        notes.bad("status", "status-index" if "index" in str(fault) else "status-malformed", fault)
        return
    if told and purpose in _PURPOSES:
        notes.bad("status", _PURPOSES[purpose], entry.get("statusListCredential"))
    elif len(bits) * 8 < MIN_ENTRIES:
        # Bitstring Status List 1.0, section 3.2: STATUS_LIST_LENGTH_ERROR.
        notes.bad("status", "status-short", f"expected {MIN_ENTRIES} entries or more, found {len(bits) * 8}")
    else:
        notes.good("status")


def _multibase(encoded: object) -> str:
    text = str(encoded)
    # StatusList2021 wrote the list without the multibase letter; gzip begins with H4sI.
    return "u" + text if text.startswith("H4sI") else text


def _index(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1


def _verified_list(content: bytes, issuer: str, notes: Notes, now: datetime) -> Asking[Json | None]:
    """The status list credential in `content`, if it is genuine and the issuer's."""
    carried = read(content)
    if carried is None or isinstance(carried, Fault) or carried.kind == "url":
        notes.bad("status", "status-malformed", "expected a status list credential")
        return None
    own = Notes()
    if carried.kind == "jws":
        token = read_token(carried.content)
        if isinstance(token, Fault):
            notes.bad("status", "status-malformed", token.more)
            return None
        document: Json | Fault = first_object(token.payload.get("vc")) or token.payload
    else:
        token, document = None, read_json(carried.content)
    if isinstance(document, Fault) or not _LISTS.intersection(map(str, array(document.get("type")))):
        notes.bad("status", "status-malformed", "expected a BitstringStatusListCredential")
        return None
    list_issuer = id_of(document.get("issuer")) or ""
    if list_issuer != issuer:
        notes.bad("status", "status-of-another", f"expected {issuer}, found {list_issuer[:200]}")
        return None
    yield from check_token(token, document, issuer, own) if token else check_proofs(document, issuer, own, now)
    ends = told_in(document, ("validUntil", "expirationDate"), token.payload.get("exp") if token else None)
    return document if _is_genuine(ends, own, notes, now) else None


def _is_genuine(ends: object, own: Notes, notes: Notes, now: datetime) -> bool:
    worst = next((finding for finding in own.findings() if finding.outcome == "fail"), None)
    if worst is not None:
        notes.bad("status", "status-forged", f"{worst.reason}: {worst.more}")
        return False
    if own.outcome("proof") != "pass" or own.outcome("key") != "pass":
        notes.unknown("status", "status-unreachable", "its signature could not be checked")
        return False
    if ends is not None and (instant_of(ends) or now) <= now:
        notes.unknown("status", "status-old", ends)
        return False
    return True


def _check_revocations(entry: Json, credential: str | None, issuer: str, notes: Notes) -> Asking[None]:
    """1EdTech's list (OB 3.0, section 9): unsigned, so that its place alone vouches for it."""
    content = yield from _content(entry.get("id"), notes, vouches=True)
    if content is None:
        return
    document = read_json(content)
    if isinstance(document, Fault):
        notes.bad("status", "status-malformed", document.more)
        return
    if id_of(document.get("issuer")) != issuer:
        notes.bad("status", "status-of-another", f"expected {issuer}, found {str(document.get('issuer'))[:200]}")
        return
    for told in array(document.get("revokedCredential")) + array(document.get("revokedCredentials")):
        if id_of(told) == credential and member(told, "revoked") is not False:
            notes.bad("status", "revoked", member(told, "revocationReason") or "")
            return
    notes.good("status")

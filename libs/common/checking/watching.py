"""A badge that was found genuine, watched without it: what it takes to ask its issuer again whether it still holds.

Of Open Badges 3.0 that is its status entries, of 2.0 its address, or its names in the issuer's list. That its key was
withdrawn is not noticed so: for that, the badge itself is needed.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from libs.common.checking.dialogue import Asking, Json
from libs.common.checking.judging import decide_judgement
from libs.common.checking.model import Judgement
from libs.common.checking.notes import Notes
from libs.common.checking.open_badges_2 import check_hosted, is_signed, profile_at
from libs.common.checking.open_badges_3 import credential_of
from libs.common.checking.reading import Carried, read
from libs.common.checking.shape_2 import is_assertion
from libs.common.checking.signed_2 import check_revocations
from libs.common.checking.status import check_status, entries_asked
from libs.common.checking.strict import Fault, read_json
from libs.common.checking.tokens import Token, read_token

_MOST_LETTERS = 2000
_MOST_ENTRIES = 4
# Sealed and in letters it is to fit its contract (`BadgeImported.watch`).
_MOST_BYTES = 20_000


def watch_of(content: bytes) -> Json:
    """What the issuer of the badge in `content`, which was found genuine, is asked again; empty if nothing.

    It has `hosted` (the address of an Open Badges 2.0 assertion), `assertion` (the names of a signed one), or
    `credentialStatus` as the standard writes it, with the credential's own `id` where a list names that.
    """
    carried = read(content)
    if not isinstance(carried, Carried) or carried.kind == "url":
        return {}
    token: Token | None = None
    if carried.kind == "jws":
        read_ = read_token(carried.content)
        if isinstance(read_, Fault):
            return {}
        token, document = read_, credential_of(read_)
    else:
        document = read_json(carried.content)
    if isinstance(document, Fault):
        return {}
    watch = _of_2(document, token) if is_assertion(document) else _of_3(document)
    return watch if _is_short(watch) else {}


def check_watch(watch: Json, issuer: str, now: datetime) -> Asking[Judgement]:
    """What `issuer`, whose id is as the badge writes it, says now: noted under `status`, and of nothing else."""
    notes = Notes()
    if "hosted" in watch:
        yield from check_hosted(watch["hosted"], notes)
    elif "assertion" in watch:
        profile = yield from profile_at(issuer, notes)
        if profile and not notes.failed("schema"):
            yield from check_revocations(watch["assertion"], profile, notes)
    elif watch:
        yield from check_status(watch, issuer, notes, now)
    return decide_judgement(notes, "", None)


def _of_2(assertion: Json, token: Token | None) -> Json:
    if token is None and not is_signed(assertion):
        return {"hosted": assertion["id"]} if isinstance(assertion.get("id"), str) else {}
    names = {name: assertion[name] for name in ("id", "uid") if isinstance(assertion.get(name), str)}
    return {"assertion": names} if names else {}


def _of_3(document: Json) -> Json:
    entries, by_name = entries_asked(document)
    if not entries or len(entries) > _MOST_ENTRIES:
        return {}
    named = {"id": document["id"]} if by_name and isinstance(document.get("id"), str) else {}
    return {**named, "credentialStatus": entries}


def _is_short(watch: Json) -> bool:
    """Whether all texts in it are of a length that addresses and names have, and it is one that can be told."""
    values = [*watch.values(), *watch.get("assertion", {}).values()]
    values += [value for entry in watch.get("credentialStatus", ()) for value in entry.values()]
    texts = (value for value in values if isinstance(value, str))
    return all(len(text) <= _MOST_LETTERS for text in texts) and len(orjson.dumps(watch)) <= _MOST_BYTES

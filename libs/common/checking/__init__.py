"""The check of a badge of any issuer, in any form, as pure rules: what it needs from outside, it asks for.

`check` is the one way in. See `dialogue` for how its questions are answered.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from libs.common.checking import open_badges_2, open_badges_3
from libs.common.checking.dialogue import Asking, Fetched, Json, fetch, same_site
from libs.common.checking.judging import decide_judgement, nothing_found
from libs.common.checking.model import Judgement, Shown
from libs.common.checking.notes import Notes
from libs.common.checking.reading import Carried, read
from libs.common.checking.recipient import Person
from libs.common.checking.shape_2 import is_assertion
from libs.common.checking.strict import Fault, read_json
from libs.common.checking.tokens import Token, read_token

# A picture may hold the address of a badge, and that address may answer with a picture again.
MAX_STEPS = 3


class Terms(NamedTuple):
    """What a badge is checked against: the instant, the ids of trusted issuers, and who should hold it."""

    now: datetime
    trusted: frozenset[str] = frozenset()
    person: Person | None = None


class _Place(NamedTuple):
    """Where content was fetched, and whether the server said 410."""

    url: str | None = None
    gone: bool = False


def check(content: bytes, terms: Terms) -> Asking[Judgement]:
    """The judgement on whatever lies in `content`: JSON, a token, an address, or a picture with one of them."""
    place, notes = _Place(), Notes()
    for _ in range(MAX_STEPS):
        carried = read(content)
        if carried is None:
            return _nothing(place, notes)
        if isinstance(carried, Fault):
            notes.bad("well-formed", *carried)
            return decide_judgement(notes, "", None)
        if carried.kind != "url":
            return (yield from _check_carried(carried, place, notes, terms))
        url = carried.content.decode("ascii", "replace")
        answer = yield from fetch(url)
        if not isinstance(answer, Fetched):
            notes.unknown("well-formed", "not-reachable", f"{url}: {answer.reason} {answer.detail}".strip())
            return decide_judgement(notes, "", None)
        # What another site answered is not what lies here.
        here = url if same_site(url, answer.moved_to or url) else answer.moved_to
        place, content = _Place(here, answer.status == 410), answer.content
        if not answer.ok and not place.gone:
            (notes.bad if answer.gone else notes.unknown)(
                "proof", "not-hosted" if answer.gone else "not-reachable", f"{url}: {answer.status}"
            )
            return nothing_found() if answer.gone else decide_judgement(notes, "", None)
    notes.bad("well-formed", "malformed", "expected a badge, found addresses of addresses")
    return decide_judgement(notes, "", None)


def _nothing(place: _Place, notes: Notes) -> Judgement:
    if not place.gone:
        return nothing_found()
    # OB 2.0: a hosted badge that was revoked may answer 410 with nothing more.
    notes.bad("status", "revoked", f"{place.url}: 410")
    return decide_judgement(notes, "", None)


def _check_carried(carried: Carried, place: _Place, notes: Notes, terms: Terms) -> Asking[Judgement]:
    token: Token | None = None
    if carried.kind == "jws":
        read_ = read_token(carried.content)
        if isinstance(read_, Fault):
            notes.bad("well-formed", *read_)
            return decide_judgement(notes, "", None)
        token, document = read_, open_badges_3.credential_of(read_)
    else:
        document = read_json(carried.content)
    if isinstance(document, Fault):
        notes.bad("well-formed", *document)
        return decide_judgement(notes, "", None)
    if is_assertion(document):
        return (yield from _check_2(open_badges_2.Given(document, token, *place), notes, terms))
    return (yield from _check_3(document, token, notes, terms))


def _check_2(given: open_badges_2.Given, notes: Notes, terms: Terms) -> Asking[Judgement]:
    linked = yield from open_badges_2.check_assertion(given, notes, terms.now, terms.person)
    shown = open_badges_2.shown_of(linked)
    _note_trust(shown, notes, terms)
    return decide_judgement(notes, open_badges_2.STANDARD, shown)


def _check_3(document: Json, token: Token | None, notes: Notes, terms: Terms) -> Asking[Judgement]:
    if "type" not in document and "@context" not in document:
        return nothing_found()
    standard = yield from open_badges_3.check_credential(document, token, notes, terms.now, person=terms.person)
    shown = open_badges_3.shown_of(document)
    _note_trust(shown, notes, terms)
    return decide_judgement(notes, standard or "", shown)


def _note_trust(shown: Shown, notes: Notes, terms: Terms) -> None:
    """Trust is a list, and no part of whether a badge is genuine; but whose word is it, if its key does not say?"""
    if notes.outcome("proof") != "pass" or notes.outcome("key") != "pass":
        return
    if shown.issuer_id and shown.issuer_id in terms.trusted:
        notes.good("issuer")
    else:
        notes.unknown("issuer", "not-trusted", shown.issuer_id)

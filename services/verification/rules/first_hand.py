"""The judgement on a badge of our own, first-hand: from its kept bytes, our keys, and the last words on it."""

from __future__ import annotations

from libs.common.checking.judging import decide_judgement
from libs.common.checking.model import Judgement
from libs.common.checking.notes import Notes
from libs.common.checking.open_badges_3 import shown_of
from libs.common.checking.recipient import Person, note_recipient_3
from libs.common.checking.strict import Fault, first_object, read_json
from libs.common.checking.words import REASONS
from libs.common.credentials.proof import ProofResult
from services.verification.model import Badge, Standing, Verdict
from services.verification.rules.verdict import WITHDRAWN

_STANDARD = "Open Badges 3.0"
# Why a check of ours fails or stays open, in the words that the check of any badge uses.
_REASONS = {("key", "fail"): "key-expired", ("key", "unknown"): "unknown-key", ("issuer", "unknown"): "not-trusted"}


def judge_own(
    badge: Badge, proof: ProofResult, verdict: Verdict, standing: Standing, person: Person | None
) -> Judgement:
    """`verdict` on a kept `badge` with the checked `proof`, told as the judgement on any badge is.

    `standing` is where the badge stands, `person` who should hold it, if that is asked.
    """
    notes = Notes()
    document = read_json(badge.signed.content)
    if isinstance(document, Fault):
        notes.bad("well-formed", *document)
        return decide_judgement(notes, "", None)
    notes.good("well-formed")
    notes.good("schema")  # by awarding, which signs nothing else
    for check in verdict.checks:
        name = "proof" if check.name == "signature" else check.name
        if check.outcome == "pass":
            notes.good(name)
            continue
        reason = proof.fault if name == "proof" else _REASONS.get((name, check.outcome), standing.state)
        if check.detail == WITHDRAWN:
            reason = "not-logged-before"
        note = notes.bad if check.outcome == "fail" else notes.unknown
        note(name, reason if reason in REASONS else "not-reached", standing.reason or "")
    note_recipient_3(first_object(document.get("credentialSubject")), person, notes)
    return decide_judgement(notes, _STANDARD, shown_of(document))

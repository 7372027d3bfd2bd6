"""What the findings on a badge add up to: one sentence, and three separate answers (B6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from libs.common.checking.model import Finding, Judgement, Outcome, Shown
from libs.common.checking.notes import Notes
from libs.common.checking.words import PASSED, REASONS, SENTENCES

_AUTHENTIC = ("well-formed", "schema", "proof", "key")
_CURRENT = ("status", "dates")
# What a holder may have left out: an end, or the list of withdrawn badges. Whether it holds, nobody can tell then.
_LEFT_OUT = frozenset({"no-status-shown", "no-end-shown"})
_NOT_CURRENT = ("revoked", "suspended", "expired", "not-yet", "part-withdrawn", "part-ended")


def decide_judgement(notes: Notes, standard: str, shown: Shown | None) -> Judgement:
    """The judgement on a badge of `standard`; `shown` is what it says, told only if it is authentic."""
    asked = [finding for finding in notes.findings() if finding.name != "issuer"]
    outcomes = {finding.outcome for finding in asked}
    answer = "not-genuine" if "fail" in outcomes else "cannot-tell" if "unknown" in outcomes else "genuine"
    # Documents within are part of what was said.
    authentic = _all(notes, (*_AUTHENTIC, *(("parts",) if any(f.name == "parts" for f in asked) else ())))
    return Judgement(
        answer, SENTENCES[_sentence(notes, answer, authentic)], notes.findings(), authentic, _all(notes, _CURRENT),
        notes.outcome("issuer"), standard, shown if authentic == "pass" else None,
    )  # fmt: skip


def overrule_status(judgement: Judgement, reason: str, more: str) -> Judgement:
    """The judgement on a badge of our own that was withdrawn: `reason` is revoked or suspended, `more` says why."""
    findings = tuple(
        replace(finding, outcome="fail", reason=reason, detail=REASONS[reason], more=more)
        if finding.name == "status" else finding
        for finding in judgement.findings
    )  # fmt: skip
    return replace(
        judgement, answer="not-genuine", sentence=SENTENCES[reason], findings=findings, current="fail"
    )  # fmt: skip


def trust_by_lists(judgement: Judgement, lists: Sequence[str]) -> Judgement:
    """The judgement on a genuine badge whose issuer is on the trusted `lists`, named for people to judge them."""
    findings = tuple(
        replace(finding, outcome="pass", reason="listed", detail=PASSED["listed"], more=", ".join(lists)[:500])
        if finding.name == "issuer" else finding
        for finding in judgement.findings
    )  # fmt: skip
    unknown = judgement.sentence == SENTENCES["genuine-unknown-issuer"]
    sentence = SENTENCES[_genuine(findings)] if unknown else judgement.sentence
    return replace(judgement, findings=findings, trusted="pass", sentence=sentence)


def nothing_found() -> Judgement:
    """The judgement on what holds no badge."""
    return Judgement("nothing-found", SENTENCES["nothing-found"], (), "unknown", "unknown", "unknown", "", None)


def _all(notes: Notes, checks: tuple[str, ...]) -> Outcome:
    outcomes = {notes.outcome(check) for check in checks}
    return "fail" if "fail" in outcomes else "unknown" if "unknown" in outcomes else "pass"


def _genuine(findings: Iterable[Finding]) -> str:
    """The sentence on a badge of a trusted issuer that nothing speaks against: it claims no more than is shown (B6)."""
    return "genuine-shown" if any(finding.reason in _LEFT_OUT for finding in findings) else "genuine"


def _only_left_out(findings: Iterable[Finding]) -> bool:
    """Whether nothing is unknown but what its holder may have left out."""
    unknown = {finding.reason for finding in findings if finding.outcome == "unknown" and finding.name != "issuer"}
    return bool(unknown) and unknown <= _LEFT_OUT


def _sentence(notes: Notes, answer: str, authentic: Outcome) -> str:
    if answer == "cannot-tell" and not _only_left_out(notes.findings()):
        return "cannot-tell"
    if answer in ("genuine", "cannot-tell"):
        return _genuine(notes.findings()) if notes.outcome("issuer") == "pass" else "genuine-unknown-issuer"
    if authentic == "pass":
        reasons = {finding.name: finding.reason for finding in notes.findings() if finding.outcome == "fail"}
        for reason in (reasons.get("status"), reasons.get("dates")):
            if reason in _NOT_CURRENT:
                return str(reason)
        return "other-recipient" if "recipient" in reasons and "status" not in reasons else "status-false"
    if notes.outcome("proof") == "pass" == notes.outcome("key"):
        return "not-valid"
    return "not-genuine" if authentic == "fail" else "cannot-tell"

"""What a check notes while it works: an outcome for each question, the worst one winning, with its reason."""

from __future__ import annotations

from libs.common.checking.model import Finding, Outcome
from libs.common.checking.words import PASSED, REASONS

# The numbered checks, in the order in which they are told.
CHECKS = ("well-formed", "schema", "proof", "key", "status", "dates", "issuer", "recipient", "parts")
_WORSE = {"pass": 0, "unknown": 1, "fail": 2}


class Notes:
    """Outcomes by check. A check that nothing was noted of is unknown: nobody looked."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Outcome, str, str]] = {}

    def good(self, check: str, reason: str = "") -> None:
        """Note that `check` passed; `reason` names other words than the usual."""
        self._note(check, "pass", reason or f"{check}-passed", "")

    def bad(self, check: str, reason: str, more: object = "") -> None:
        """Note that `check` failed; `reason` is a code of `words.REASONS`, `more` what was found, for experts."""
        self._note(check, "fail", reason, str(more))

    def unknown(self, check: str, reason: str, more: object = "") -> None:
        """Note that `check` cannot be answered."""
        self._note(check, "unknown", reason, str(more))

    def outcome(self, check: str) -> Outcome:
        """The outcome of `check` so far."""
        return self._found.get(check, ("unknown", "", ""))[0]

    def reason(self, check: str) -> str:
        """The reason of the outcome of `check` so far, empty if nothing was noted."""
        return self._found.get(check, ("unknown", "", ""))[1]

    def failed(self, *checks: str) -> bool:
        """Whether one of `checks` has failed so far."""
        return any(self.outcome(check) == "fail" for check in checks)

    def findings(self) -> tuple[Finding, ...]:
        """The numbered findings. The recipient and the parts are told only where something was noted of them."""
        told = [check for check in CHECKS if check in self._found or check not in ("recipient", "parts")]
        return tuple(self._finding(number, check) for number, check in enumerate(told, 1))

    def _finding(self, number: int, check: str) -> Finding:
        outcome, reason, more = self._found.get(check, ("unknown", "not-reached", ""))
        detail = PASSED.get(reason) or REASONS[reason]
        return Finding(number, check, outcome, reason, detail, more[:500])

    def _note(self, check: str, outcome: Outcome, reason: str, more: str) -> None:
        before = self._found.get(check)
        if before is None or _WORSE[outcome] > _WORSE[before[0]]:
            self._found[check] = (outcome, reason, more)

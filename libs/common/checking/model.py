"""What a check of any badge ends in: numbered findings, what the badge says, and the judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One numbered finding on a badge of any issuer.

    `name` is well-formed, schema, proof, key, status, dates, issuer, recipient or parts; `reason` a short code;
    `detail` an English sentence, the key of its translations; `more` what exactly was found, for experts.
    """

    number: int
    name: str
    outcome: Outcome
    reason: str
    detail: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a badge of any issuer says, read from what was signed or hosted, and from nothing else.

    `achievement_id` is the id of the achievement (of Open Badges 2.0: of the BadgeClass), as the badge writes it.
    """

    name: str
    description: str
    criteria: str
    issuer_id: str
    issuer_name: str
    credential_id: str
    issued_at: str
    expires_at: str
    achievement_id: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a badge of any issuer.

    `answer` says it in one word: may it be relied on? Trust in the issuer is no part of that: `trusted` is a
    separate answer. `standard` is how the badge is written; `shown` is None unless it is authentic.
    """

    answer: Literal["genuine", "not-genuine", "cannot-tell", "nothing-found"]
    sentence: str
    findings: tuple[Finding, ...]
    authentic: Outcome
    current: Outcome
    trusted: Outcome
    standard: str
    shown: Shown | None

    @property
    def tone(self) -> Literal["good", "caution", "bad"]:
        """How the verdict is to be shown."""
        if self.authentic == "fail" and self.answer == "not-genuine":
            return "bad"
        return "good" if self.answer == "genuine" and self.trusted == "pass" else "caution"

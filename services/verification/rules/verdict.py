"""The verdict on a kept badge: numbered checks, and one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.common.checking.model import Outcome
from libs.common.credentials.key_history import key_trust
from libs.common.credentials.proof import ProofResult
from services.verification.model import Check, Key, Standing, Verdict

_STATUS_DETAILS: dict[str, tuple[Outcome, str]] = {
    "revoked": ("fail", "withdrawn by the issuer"),
    "suspended": ("fail", "suspended by the issuer for now"),
}
_DATE_DETAILS: dict[str, tuple[Outcome, str]] = {
    "expired": ("fail", "its time has run out"),
    "not-yet": ("fail", "its time has not begun"),
}
WITHDRAWN = "the issuer withdrew the key, and nothing shows that the badge is older"
_SENTENCES = {
    "revoked": "Genuine, but withdrawn",
    "suspended": "Genuine, but suspended",
    "expired": "Genuine, but expired",
    "not-yet": "Genuine, but not in force yet",
    "current": "Genuine and current",
}


def decide_verdict(
    proof: ProofResult,
    keys: Sequence[Key],
    *,
    signed_at: datetime,
    standing: Standing,
    issuer_known: bool,
    awarded_at: datetime | None = None,
    logged_at: datetime | None = None,
) -> Verdict:
    """The verdict on a badge.

    `proof` is the outcome of checking its signature with the issuer's published `keys`; `signed_at` (aware) is
    when it was signed as far as anybody but the signer can say: when it was issued; `awarded_at` when awarding says
    that it signed it, and `logged_at` when the log of issuance was signed with it in it: the earlier of them outweighs
    what the signer says; `standing` where it stands now; `issuer_known` whether the catalogue names the issuer. A key
    that is not known yet makes the answer unknown, never forged (B6).
    """
    signature = _signature(proof)
    key = _key(proof, keys, signed_at, earliest(awarded_at, logged_at))
    status = _STATUS_DETAILS.get(standing.state, ("pass", "not withdrawn or suspended"))
    dates = _DATE_DETAILS.get(standing.state, ("pass", "in force"))
    issuer: tuple[Outcome, str] = (
        ("pass", "named in our catalogue") if issuer_known else ("unknown", "not named in our catalogue")
    )
    found = {"signature": signature, "key": key, "status": status, "dates": dates, "issuer": issuer}
    checks = tuple(
        Check(number, name, outcome, detail) for number, (name, (outcome, detail)) in enumerate(found.items(), 1)
    )
    authentic = _both(signature[0], key[0])
    current: Outcome = "pass" if standing.state == "current" else "fail"
    return Verdict(checks, authentic, current, issuer[0], _sentence(authentic, standing, issuer_known))


def earliest(*instants: datetime | None) -> datetime | None:
    """The earliest of the instants that are known; None if none is."""
    return min((instant for instant in instants if instant is not None), default=None)


def _signature(proof: ProofResult) -> tuple[Outcome, str]:
    if proof.ok:
        return "pass", "unchanged since it was signed"
    if proof.fault == "unknown-key":
        return "unknown", "signed with a key that we do not know yet"
    if proof.fault == "signature":
        return "fail", "changed since it was signed, or signed by somebody else"
    return "fail", "not a signed badge that can be read"


def _key(
    proof: ProofResult, keys: Sequence[Key], signed_at: datetime, known_since: datetime | None
) -> tuple[Outcome, str]:
    if not proof.ok:
        return "unknown", "not looked at, since the signature does not tell"
    key_id = (proof.verification_method or "").partition("#")[2]
    key = next((key for key in keys if key.key_id == key_id), None)
    if key is None:
        return "unknown", "signed with a key that we do not know yet"
    # Our own record of when it was signed is to this badge what the log of issuance is to any (B8).
    trust = key_trust(key, signed_at, known_since)
    if trust.stands:
        return "pass", "the issuer's own key at that time"
    if trust.ground == "revoked-and-not-logged-before":
        return "fail", WITHDRAWN
    return "fail", "the key was not the issuer's at that time"


def _both(*outcomes: Outcome) -> Outcome:
    """Fail if one fails, else unknown if one is unknown, else pass."""
    return "fail" if "fail" in outcomes else "unknown" if "unknown" in outcomes else "pass"


def _sentence(authentic: Outcome, standing: Standing, issuer_known: bool) -> str:
    if authentic == "fail":
        return "Not genuine"
    if authentic == "unknown":
        return "We cannot tell yet"
    if standing.state == "current" and not issuer_known:
        return "Genuine, but we do not know this issuer"
    return _SENTENCES[standing.state]

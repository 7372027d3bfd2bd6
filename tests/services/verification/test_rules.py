"""Verdicts: authentic, current, trusted and unknown are different answers (B6)."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast

import orjson
import pytest
from babel.messages.pofile import read_po

from libs.common.checking.model import Outcome
from libs.common.credentials.proof import Fault, ProofResult
from services.verification.api.badges import CHECK_NAMES, OUTCOME_NAMES
from services.verification.api.learners import STATES
from services.verification.api.parts import KINDS
from services.verification.model import Change, Key, Standing, State, Verdict
from services.verification.rules.claims import read_claims
from services.verification.rules.standing import decide_standing
from services.verification.rules.verdict import decide_verdict
from tests.services.verification.support import ISSUER, at, badge_issued

METHOD = "did:web:badges.example:issuers:prairie#z6MkKey"
HOLDS = ProofResult(None, "the signature holds", METHOD, "2026-01-05T09:00:00Z")
KEY = Key("z6MkKey", "z6MkKey", at(-10), None, at(0))


def standing(
    minutes: float = 5,
    *,
    until: datetime | None = None,
    revocation: Change | None = None,
    suspension: Change | None = None,
) -> Standing:
    return decide_standing(
        at(minutes), valid_from=at(0), valid_until=until, revocation=revocation, suspension=suspension
    )


def verdict(
    proof: ProofResult = HOLDS, *, keys: tuple[Key, ...] = (KEY,), state: State = "current", known: bool = True
) -> Verdict:
    return decide_verdict(proof, keys, signed_at=at(0), standing=Standing(state), issuer_known=known)


def outcomes(found: Verdict) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in found.checks}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (standing(), Standing("current")),
        (standing(-1), Standing("not-yet", None, at(0))),
        (standing(0), Standing("current")),
        (standing(5, until=at(5)), Standing("current")),
        (standing(6, until=at(5)), Standing("expired", None, at(5))),
        (standing(suspension=Change(True, "s", at(1))), Standing("suspended", "s", at(1))),
        (standing(suspension=Change(False, "s", at(1))), Standing("current")),
        (standing(revocation=Change(True, "r", at(1))), Standing("revoked", "r", at(1))),
        (
            standing(9, until=at(5), revocation=Change(True, "r", at(1)), suspension=Change(True, "s", at(2))),
            Standing("revoked", "r", at(1)),
        ),
        (standing(9, until=at(5), suspension=Change(True, "s", at(2))), Standing("suspended", "s", at(2))),
    ],
)
def test_standing(found: Standing, expected: Standing) -> None:
    assert found == expected


def test_everything_in_order() -> None:
    found = verdict()
    assert found.sentence == "Genuine and current"
    assert (found.authentic, found.current, found.trusted) == ("pass", "pass", "pass")
    assert [check.number for check in found.checks] == [1, 2, 3, 4, 5]
    assert outcomes(found) == dict.fromkeys(("signature", "key", "status", "dates", "issuer"), "pass")
    assert found.tone == "good"


@pytest.mark.parametrize(
    ("state", "sentence", "failed"),
    [
        ("revoked", "Genuine, but withdrawn", "status"),
        ("suspended", "Genuine, but suspended", "status"),
        ("expired", "Genuine, but expired", "dates"),
        ("not-yet", "Genuine, but not in force yet", "dates"),
    ],
)
def test_what_does_not_hold_is_still_genuine(state: State, sentence: str, failed: str) -> None:
    found = verdict(state=state)
    assert found.sentence == sentence
    assert (found.authentic, found.current, found.trusted) == ("pass", "fail", "pass")
    assert [name for name, outcome in outcomes(found).items() if outcome == "fail"] == [failed]
    assert found.tone == "caution"


def test_a_key_that_is_not_known_is_unknown_and_not_forged() -> None:
    found = verdict(ProofResult("unknown-key", "", METHOD))
    assert found.sentence == "We cannot tell yet"
    assert (found.authentic, found.current) == ("unknown", "pass")
    assert outcomes(found)["signature"] == "unknown"
    assert found.tone == "caution"


@pytest.mark.parametrize("fault", ["signature", "malformed", "no-proof", "key-of-another", "undefined-term"])
def test_what_was_changed_is_not_genuine_whatever_else_holds(fault: str) -> None:
    for state in ("current", "revoked"):
        found = verdict(ProofResult(cast(Fault, fault), "", METHOD), state=cast(State, state))
        assert found.sentence == "Not genuine"
        assert found.authentic == "fail"
        assert outcomes(found)["key"] == "unknown"
        assert found.tone == "bad"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (KEY, "pass"),
        (replace(KEY, valid_from=at(0)), "pass"),
        (replace(KEY, valid_from=at(1)), "fail"),
        (replace(KEY, valid_until=at(1)), "pass"),
        (replace(KEY, valid_until=at(0)), "fail"),
        (replace(KEY, key_id="another"), "unknown"),
    ],
)
def test_the_key_must_have_been_valid_at_the_time(key: Key, expected: Outcome) -> None:
    found = verdict(keys=(key,))
    assert outcomes(found)["key"] == expected
    assert found.authentic == expected


def test_an_unknown_issuer_is_another_answer_than_a_false_badge() -> None:
    found = verdict(known=False)
    assert found.sentence == "Genuine, but we do not know this issuer"
    assert (found.authentic, found.current, found.trusted) == ("pass", "pass", "unknown")


def test_claims_are_what_the_signed_bytes_say() -> None:
    claims = read_claims(badge_issued(shown_name="Ada Lovelace").credential.encode())
    assert claims is not None
    assert claims.name == "Coaching and Mentoring"
    assert claims.issuer_name == ISSUER.name
    assert claims.shown_name == "Ada Lovelace"
    assert claims.language == "en"
    assert claims.kind == "micro-credential"
    assert claims.tags == ("Listen actively", "Give constructive feedback")
    assert [alignment.name for alignment in claims.alignments] == ["Coach employees"]
    assert [evidence.name for evidence in claims.evidence] == ["Record of achievement"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"{}", b'{"credentialSubject": []}', b'{"a": 1, "a": 2}', b"\xff", b"[" * 9999]
)
def test_what_is_no_badge_claims_nothing(content: bytes) -> None:
    assert read_claims(content) is None


def test_no_claim_becomes_a_link_that_runs() -> None:
    document = orjson.loads(badge_issued().credential)
    achievement = document["credentialSubject"]["achievement"]
    achievement["alignment"] = [{"targetName": "x", "targetUrl": "javascript:alert(1)"}, "nonsense"]
    document["issuer"]["url"] = "javascript:alert(1)"
    document["evidence"] = [{"id": "data:text/html,x", "name": "E"}, {"id": "https://ok.example/", "name": "F"}]
    claims = read_claims(orjson.dumps(document))
    assert claims is not None
    assert claims.alignments == ()
    assert claims.issuer_url is None
    assert [evidence.url for evidence in claims.evidence] == [None, "https://ok.example/"]


def test_every_word_of_a_verdict_is_translated() -> None:
    said = {*CHECK_NAMES.values(), *OUTCOME_NAMES.values(), *STATES.values(), *KINDS.values()}
    proofs = [HOLDS, *(ProofResult(fault, "", METHOD) for fault in ("unknown-key", "signature", "malformed"))]
    keys = [KEY, replace(KEY, valid_from=at(1)), replace(KEY, key_id="another")]
    for proof in proofs:
        for key in keys:
            for state in STATES:
                for known in (True, False):
                    found = verdict(proof, keys=(key,), state=cast(State, state), known=known)
                    said |= {found.sentence, *(check.detail for check in found.checks)}
    with Path("services/verification/pages/fr.po").open("rb") as file:
        translated = {message.id for message in read_po(file) if message.string}
    assert said <= translated

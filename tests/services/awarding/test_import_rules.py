"""What becomes of an imported badge when it is looked at again (B12, B6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.common.checking.model import Finding, Judgement, Shown
from libs.common.credentials.addresses import Addresses
from services.awarding.model import ForeignBadge, Import
from services.awarding.rules.imports import decide_import, decide_recheck

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IMPORTED = Import(
    import_id=UUID(int=1), learner_id="ada", state="counting", brought=b"{}", digest="sha256:00", person=None,
    is_vouched=False, actor="ada", asked_at=NOW, badge=None, checked_at=NOW,
)  # fmt: skip


def judged(name: str, outcome: Any, reason: str, answer: Any = "not-genuine") -> Judgement:
    """A judgement with one finding."""
    return Judgement(answer, "", (Finding(1, name, outcome, reason, ""),), outcome, "pass", "unknown", "", None)


@pytest.mark.parametrize("reason", ["key-revoked", "not-logged-before", "not-as-logged"])
def test_an_import_signed_by_a_stolen_key_counts_no_longer(reason: str) -> None:
    assert decide_recheck(IMPORTED, judged("key", "fail", reason), NOW) == "revoked"


def test_what_nobody_can_tell_of_a_withdrawn_key_changes_nothing() -> None:
    assert decide_recheck(IMPORTED, judged("key", "unknown", "key-revoked-later", "cannot-tell"), NOW) == "unknown"
    assert decide_recheck(IMPORTED, judged("key", "fail", "key-unreachable"), NOW) == "unknown"


def test_dates_that_nobody_can_keep_fail_no_import() -> None:
    shown = Shown(
        "A\0", "", "", "urn:x:i", "B\0", "urn:x:c\0", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-05:00"
    )  # fmt: skip
    judgement = Judgement("genuine", "", (), "pass", "pass", "unknown", "Open Badges 3.0", shown)
    found = decide_import(judgement, Addresses("https://badges.example"))
    assert isinstance(found, ForeignBadge)
    assert (found.name, found.issuer_name, found.credential) == ("A", "B", "urn:x:c")
    assert (found.valid_from, found.valid_until) == (None, None)

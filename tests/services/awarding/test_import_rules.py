"""What becomes of an imported badge when it is looked at again (B12, B6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.common.checking.model import Finding, Judgement
from services.awarding.model import Import
from services.awarding.rules.imports import decide_recheck

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IMPORTED = Import(
    import_id=UUID(int=1), learner_id="ada", state="counted", brought=b"{}", digest="sha256:00", person=None,
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

"""The log of issuance under one key and then another: what was logged before and after the change is proven (B8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.verification.support import ACHIEVEMENT, ISSUER, at, badge_issued, event, key_published, running
from tests.services.verification.test_log import LOG_KEY, OLDER_LOG_KEY, hear, logged
from tests.services.verification.test_withdrawn_keys import (
    LATE,
    OLD,
    PASSED,
    SIGNER,
    TOKEN_KEY,
    TOO_LATE,
    copied,
    token_of,
    verify,
)


async def test_the_logs_older_keys_prove_as_well_as_its_newest(
    database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logged under the older key or the newer, before the issuer's key was withdrawn: genuine for others (B8)."""
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    before, after = OLD, badge_issued("learner-6", minutes=-1, token_signer=SIGNER)
    async with running(database_dsn, tmp_path) as started:
        started.set_clock(at(60))
        await started.hear_all(ISSUER, ACHIEVEMENT, key_published(), TOKEN_KEY, before, after, LATE)
        heads = logged(1, 1, 1, badges=[before, after, LATE], signers=[OLDER_LOG_KEY, LOG_KEY, LOG_KEY])
        await hear(started, *heads)
        for key in (key_published(), TOKEN_KEY):
            await started.hear(event(key.model_copy(update={"revoked_at": at(1.5)}), minutes=6))
        site = await copied(started, tmp_path / "site", before, after, LATE)
        started.app.state.parts.verifier.close()
    for badge, expected in ((before, (0, PASSED)), (after, (0, PASSED)), (LATE, (1, TOO_LATE))):
        assert verify(site, badge.credential, tmp_path / "badge") == expected
        assert verify(site, token_of(badge), tmp_path / "badge") == expected
    keys = site / "log" / "key"
    newest, older = keys.read_text().splitlines()
    keys.write_text(f"{newest}\n")  # what the site does not publish proves nothing, whatever the bundle says
    assert verify(site, before.credential, tmp_path / "badge") == (2, ("unknown", "log-unproven"))
    keys.write_text(f"{older}\n")
    assert verify(site, after.credential, tmp_path / "badge") == (2, ("unknown", "log-unproven"))

"""The operator's terms of service and privacy policy: in discovery (OB 3.0, section 6.2) and in the footer of pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.verification.api.exchange import BASE
from services.verification.settings import VerificationSettings
from tests.services.verification.support import running


async def test_discovery_and_footer_name_the_operators_pages(database_dsn: str, tmp_path: Path) -> None:
    terms, privacy = "https://uni.example/terms", "https://uni.example/privacy?of=badges"
    async with running(database_dsn, tmp_path, terms_url=terms, privacy_url=privacy) as served:
        about = (await served.get(f"{BASE}/discovery")).json()["info"]
        assert (about["termsOfService"], about["x-imssf-privacyPolicyUrl"]) == (terms, privacy)
        page = (await served.get("/?lang=fr", "text/html")).text
        assert f'href="{terms}"' in page
        assert f'<a href="{privacy}" rel="noopener">Protection des donn' in page
    for wrong in ("uni.example/terms", "javascript:alert(1)"):
        with pytest.raises(ValidationError):
            VerificationSettings(database_dsn=SecretStr("x"), terms_url=wrong)  # type: ignore[arg-type]

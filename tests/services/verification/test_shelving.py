"""What is kept at hand of a badge, when its learner decides while somebody reads it (M1.3)."""

from __future__ import annotations

from pathlib import Path

from fastapi import Request

from services.verification.api.shelving import read_signed, respond_signed
from tests.services.verification.support import ACHIEVEMENT, ISSUER, Service, badge_issued, key_published, running

BADGE = badge_issued()
ID, TYPE = str(BADGE.badge_id), "application/vc+ld+json"


async def decide(service: Service, audience: str) -> None:
    headers = {"authorization": f"Bearer {service.mint.token(learner_id='learner-1')}"}
    answer = await service.client.put(f"/badges/{ID}/sharing", headers=headers, json={"audience": audience})
    assert answer.status_code == 200


async def test_who_read_before_a_decision_puts_nothing_back_after_it(database_dsn: str, tmp_path: Path) -> None:
    async with running(database_dsn, tmp_path, public_files=tmp_path / "public") as service:
        await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
        parts = service.app.state.parts
        request = Request({"type": "http", "method": "GET", "app": service.app, "headers": [], "query_string": b""})
        read = await read_signed(request, ID)
        await decide(service, "private")
        # Who read it may have it: it was shared when they asked.
        assert respond_signed(request, read, read.signed.content, TYPE).body == BADGE.credential.encode()
        assert (parts.shelf.find(f"{ID} {TYPE}"), len(parts.files)) == (None, 0)
        assert (await service.get(f"/badges/{ID}.json")).status_code == 404

        await decide(service, "public")
        assert (await service.get(f"/badges/{ID}.json")).status_code == 200
        assert (parts.shelf.find(f"{ID} {TYPE}") is not None, len(parts.files)) == (True, 1)

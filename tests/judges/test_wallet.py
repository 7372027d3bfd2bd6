"""A wallet of others takes a badge that its learner offers, and the judges of others say that it is genuine (M1.3)."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import pytest

from libs.common.credentials.contexts import MULTIKEY_V1, PINNED, context
from libs.common.credentials.jwt import JwtSigner
from services.verification.rules.wallet import EMBEDDED, TOKEN
from tests.judges.asking import judged
from tests.judges.conftest import FOLDER
from tests.judges.test_judges import JUDGES
from tests.services.verification.browsing import listening
from tests.services.verification.conftest import service
from tests.services.verification.support import PUBLIC_URL, Service, badge_issued
from tests.services.verification.test_signing import P256, kid, serve

__all__ = ["service"]
BADGE = badge_issued(token_signer=JwtSigner(P256, kid()))


async def offered(service: Service, *, pin: bool = True) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {service.mint.token(learner_id='learner-1')}"}
    path = f"/badges/{BADGE.badge_id}/wallet-offer"
    return (await service.client.post(path, headers=headers, json={"pin": pin})).json()


async def take(served: str, offer: dict[str, Any], pin: str | None) -> dict[str, Any]:
    """What the wallet says of an offer."""
    asked = json.dumps({"link": offer["link"], "pin": pin, "site": PUBLIC_URL, "served": served})
    process = await asyncio.create_subprocess_exec(
        "node", "wallet.mjs", cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    told, _ = await process.communicate(asked.encode() + b"\n")
    return json.loads(told)


@pytest.mark.parametrize("pin", [True, False], ids=["with-pin", "without"])
async def test_a_wallet_of_others_takes_the_badge(node: subprocess.Popen[str], service: Service, *, pin: bool) -> None:
    await serve(service, BADGE)
    offer = await offered(service, pin=pin)
    async with listening(service) as served:
        if pin:
            wrong = await take(served, offer, f"{(int(offer['pin']) + 1) % 1_000_000:06}")
            assert "invalid_grant" in wrong["error"] or "code and PIN" in wrong["error"], wrong
        taken = await take(served, offer, offer["pin"])
        assert "error" not in taken, taken
        assert set(taken["known"]) == set(taken["credentials"]) == {EMBEDDED, TOKEN}
        assert taken["version"] == "V1"
        # Once: another wallet that saw the code finds nothing.
        assert "error" in await take(served, offer, offer["pin"])
    credential = taken["credentials"][EMBEDDED]
    assert credential == json.loads(BADGE.credential)
    did = (await service.get("/issuers/prairie/did.json")).json()
    documents = {url: context(url) for url in PINNED} | {did["id"]: did}
    documents |= {one["id"]: {"@context": MULTIKEY_V1, **one} for one in did["verificationMethod"]}
    for judge in JUDGES:
        answer = judged(node, judge=judge, documents=documents, credential=credential)
        assert answer["verified"], (judge, answer["error"])
        forged = judged(node, judge=judge, documents=documents, credential={**credential, "name": "Better"})
        assert not forged["verified"]
    jwks = (await service.get("/issuers/prairie/jwks.json")).json()
    assert judged(node, judge="jose", jwks=jwks, token=taken["credentials"][TOKEN])["verified"]
